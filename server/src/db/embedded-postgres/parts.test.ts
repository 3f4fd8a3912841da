import {
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeAccessFiles } from "./access.rule.ts";
import { replaceFile } from "./access.ts";
import { explainOutput, explainProcessError, isDiskFullText, isNamelessUser } from "./explain.ts";
import { startLogTrimming } from "./log-file.ts";
import { ProgramFailure } from "./run-program.ts";
import { canReach } from "./server-user.ts";
import { isUsableAsSocketFolder } from "./socket-directory.ts";

describe("output of PostgreSQL's programs", () => {
  test.each([
    'initdb: error: could not write to file "/data/base/1/1255": No space left on device',
    'PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device',
    'FATAL:  could not create file "base/5/1247": Disk quota exceeded',
  ])("reports a full disk in one sentence: %s", (text) => {
    expect(isDiskFullText(text)).toBe(true);
    expect(explainOutput(`before\n${text}\nafter`)).toBe(
      "the disk is full (no space left on device)",
    );
  });

  test("reports a full disk from a system error the same way", () => {
    const error = Object.assign(new Error("write"), { code: "ENOSPC" });
    expect(explainProcessError(error)).toBe("the disk is full (no space left on device)");
  });

  test("returns the last error line without its date and level", () => {
    const log = [
      "2026-11-24 14:52:03.244 UTC [7325] LOG:  starting PostgreSQL 18.4",
      '2026-11-24 14:52:03.247 UTC [7325] FATAL:  could not create lock file "x": Permission denied',
      "2026-11-24 14:52:03.248 UTC [7325] LOG:  database system is shut down",
    ].join("\n");
    expect(explainOutput(log)).toBe('could not create lock file "x": Permission denied');
    expect(explainOutput("all is well")).toBe(null);
  });

  test("explains a user id without a name", () => {
    const said = "initdb: error: could not look up effective user ID 1234: user does not exist";
    expect(isNamelessUser(new ProgramFailure("initdb", "ended with 1", said))).toBe(true);
    expect(explainOutput(said)).toContain("user id 1234 has no name on this machine");
  });
});

describe("folders", () => {
  test("a socket folder has a short, plain path", () => {
    expect(isUsableAsSocketFolder("/tmp/bursar-1000-0123456789ab")).toBe(true);
    expect(isUsableAsSocketFolder(`/${"x".repeat(88)}`)).toBe(true);
    expect(isUsableAsSocketFolder(`/${"x".repeat(89)}`)).toBe(false);
    expect(isUsableAsSocketFolder("/tmp/with space")).toBe(false);
    expect(isUsableAsSocketFolder("/tmp/a,b")).toBe(false);
    expect(isUsableAsSocketFolder("C:\\Temp")).toBe(false);
  });

  test("canReach checks the permission bits of every parent folder", async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "bursar-reach-"))); // made 0700
    const { uid, gid } = await stat(folder);
    expect(await canReach(folder, { uid, gid })).toBe(true);
    expect(await canReach(folder, { uid: uid + 1, gid: gid + 1 })).toBe(false);
    expect(await canReach("/", { uid: uid + 1, gid: gid + 1 })).toBe(true);
    await rm(folder, { recursive: true });
  });
});

describe("files of the access", () => {
  test("peer: root and the server's user, each as any role, on the socket only", () => {
    const systemUsers = ["root", 'DOM\\ada "x", y'];
    const { hba, ident } = makeAccessFiles({ kind: "peer", systemUsers });
    expect(listLines(hba)).toEqual(["local all all peer map=bursar"]);
    expect(listLines(ident)).toEqual(['bursar "root" all', 'bursar "DOM\\ada ""x"", y" all']);
  });

  test("without a name of the user: the folder of the socket decides", () => {
    const { hba, ident } = makeAccessFiles({ kind: "folder" });
    expect([listLines(hba), listLines(ident)]).toEqual([["local all all trust"], []]);
  });

  test("Windows: a password on loopback", () => {
    const { hba, ident } = makeAccessFiles({ kind: "password" });
    const line = "host all all 127.0.0.1/32 scram-sha-256";
    expect([listLines(hba), listLines(ident)]).toEqual([[line], []]);
  });

  test("a link in the place of a file is replaced, and its target stays", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bursar-access-"));
    const target = join(folder, "target");
    await writeFile(target, "kept");
    await symlink(target, join(folder, "file"));
    await replaceFile(join(folder, "file"), "new", null);
    expect(await readFile(target, "utf8")).toBe("kept");
    expect(await readFile(join(folder, "file"), "utf8")).toBe("new");
    expect((await readdir(folder)).sort()).toEqual(["file", "target"]);
    await rm(folder, { recursive: true });
  });
});

const listLines = (text: string) =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("the server's log", () => {
  test("is truncated in place above its limit, after one copy", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bursar-log-"));
    const log = join(folder, "postgres.log");
    await writeFile(log, "0123456789");
    (await startLogTrimming(log, 10)).stop();
    expect(await readFile(log, "utf8")).toBe("0123456789");
    (await startLogTrimming(log, 9)).stop();
    expect(await readFile(log, "utf8")).toBe("");
    expect(await readFile(`${log}.1`, "utf8")).toBe("0123456789");
    await rm(folder, { recursive: true });
  });
});
