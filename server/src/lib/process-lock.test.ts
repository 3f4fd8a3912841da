import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acquireProcessLock } from "./process-lock.ts";
import { readOwnIdentity } from "./running-process.ts";
import { StartError } from "./start-error.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bursar-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const OWNER = `
  const { acquireProcessLock } = await import(${JSON.stringify(join(import.meta.dirname, "process-lock.ts"))});
  await acquireProcessLock(process.argv[1], JSON.parse(process.argv[2]));
  process.stdout.write("locked");
  setInterval(() => undefined, 1000);
`;

/** A separate process that acquires the lock and holds it. */
async function startOwner(options: object) {
  const args = ["--input-type=module", "-e", OWNER, folder, JSON.stringify(options)];
  const owner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(owner.stdout, "data");
  return {
    pid: owner.pid,
    kill: async () => {
      owner.kill("SIGKILL");
      await once(owner, "exit");
    },
  };
}

const kinds = [
  { kind: "with the kernel's lock", options: {} },
  { kind: "with the file alone", options: { useKernelLock: false } },
];

describe.each(kinds)("process lock $kind", ({ options }) => {
  test("allows one owner of a folder and refuses a second one with the owner's process id", async () => {
    const owner = await startOwner(options);
    try {
      const attempt = acquireProcessLock(folder, options);
      await expect(attempt).rejects.toThrow(`Another Bursar (process ${owner.pid}, since 2`);
      await expect(attempt).rejects.toBeInstanceOf(StartError);
    } finally {
      await owner.kill();
    }
  });

  test("ignores the lock of a killed process", async () => {
    const owner = await startOwner(options);
    await owner.kill();
    const lock = await acquireProcessLock(folder, options);
    await lock.release();
  });

  test("frees a released folder, also for the same process, and allows a second release", async () => {
    const first = await acquireProcessLock(folder, options);
    await expect(acquireProcessLock(folder, options)).rejects.toThrow("Another Bursar");
    await first.release();
    await first.release();
    const second = await acquireProcessLock(folder, options);
    await second.release();
  });

  test("of many concurrent starts on a dead owner's folder, exactly one acquires it", async () => {
    const dead = { ...(await readOwnIdentity()), started: "long ago", lockedAt: "2026-01-01" };
    await writeFile(join(folder, "bursar.lock"), `${JSON.stringify(dead)}\n`);
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => acquireProcessLock(folder, options)),
    );
    const locks = attempts.filter((attempt) => attempt.status === "fulfilled");
    expect(locks.length).toBe(1);
    for (const { value } of locks) await value.release();
    // No temporary files remain.
    expect((await readdir(folder)).filter((name) => name !== "bursar.lock")).toEqual([]);
  });

  test("ignores a process id that another process has now", async () => {
    const recycled = { ...(await readOwnIdentity()), started: "long ago", lockedAt: "2026-01-01" };
    await writeFile(join(folder, "bursar.lock"), `${JSON.stringify(recycled)}\n`);
    const lock = await acquireProcessLock(folder, options);
    const { started } = JSON.parse(await readFile(join(folder, "bursar.lock"), "utf8"));
    expect(started).toBe((await readOwnIdentity()).started);
    await lock.release();
  });

  test.each(["", "{", '{"pid":"x"}'])("ignores a damaged lock file %j", async (text) => {
    await writeFile(join(folder, "bursar.lock"), text);
    const lock = await acquireProcessLock(folder, options);
    await lock.release();
  });
});

describe("process lock", () => {
  test("a process with the kernel lock respects an owner without it", async () => {
    const owner = await startOwner({ useKernelLock: false });
    try {
      await expect(acquireProcessLock(folder)).rejects.toThrow(
        `Another Bursar (process ${owner.pid}, `,
      );
    } finally {
      await owner.kill();
    }
  });

  test("returns the folder's real path and creates it", async () => {
    await symlink(folder, join(folder, "link"));
    const lock = await acquireProcessLock(join(folder, "link", "deep", "data"));
    expect(lock.folder).toBe(join(folder, "deep", "data"));
    await lock.release();
  });

  test("refuses a path that cannot be a folder", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(acquireProcessLock(join(folder, "file", "data"))).rejects.toThrow(
      `Cannot use the data folder ${join(folder, "file", "data")}: ENOTDIR`,
    );
  });
});
