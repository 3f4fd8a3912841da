// Oldest PostgreSQL: backup
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import {
  ACTOR,
  differencesOfRollups,
  PASSPHRASE,
  SECRET,
  test,
} from "#test/harness/backup-test.ts";
import { foldRollups } from "#test/harness/folds.ts";
import { makeBackup } from "./make-backup.ts";
import { readBackup } from "./read-backup.ts";

describe("making a backup", () => {
  test("is refused with another secret than the database's", async ({
    company,
    target,
    restore,
  }) => {
    await restore();
    const { connectionString } = target;
    const of = { connectionString, secret: "another secret of another company" };
    const other = join(company.folder, "other-secret.backup");
    await expect(company.backUp(other, PASSPHRASE, of)).rejects.toThrow(
      "The secret on this machine is not the secret of this database",
    );
    expect(existsSync(other)).toBe(false);
  });

  test("overwrites nothing, leaves no partial file, and contains no plain secret or name", async ({
    company,
  }) => {
    await expect(company.backUp(company.file, PASSPHRASE)).rejects.toThrow(
      "a backup overwrites nothing",
    );
    await expect(
      company.backUp(join(company.folder, "no", "folder.backup"), undefined),
    ).rejects.toThrow("Cannot write");
    expect((await readdir(company.folder)).filter((name) => name.includes("partial"))).toEqual([]);
    expect((await stat(company.file)).mode & 0o777).toBe(0o600);
    expect((await readFile(company.file)).includes("Quotes")).toBe(false);
    const plain = join(company.folder, "in-clear.backup");
    await company.backUp(plain, undefined);
    expect((await readBackup({ file: plain, passphrase: undefined })).secret).toBeNull();
  });

  test("is one snapshot, without later commits", async ({ org, company, target, restore }) => {
    const during = join(company.folder, "during.backup");
    const { workspaceId, apiKeyId } = company;
    const work = company.backUp(during, undefined);
    let isDone = false;
    const traffic = (async () => {
      while (!isDone) await org.recordRequest({ workspaceId, apiKeyId });
    })();
    await work.finally(() => {
      isDone = true;
    });
    await traffic;
    await restore({ file: during, secret: SECRET });
    // The snapshot may have a batch that no fold had counted.
    await foldRollups(target.database);
    expect(await differencesOfRollups(target.database)).toEqual([]);
  });

  test("is recorded for the system page and once in each organization's log", async ({
    h,
    org,
    company,
  }) => {
    const location = {
      dataDir: await mkdtemp(join(company.folder, "node-")),
      databaseUrl: h.connectionString,
    };
    const made = await makeBackup({
      file: join(company.folder, "noted.backup"),
      location,
      secret: SECRET,
      passphrase: undefined,
      bursarVersion: "0.0.0-test",
      madeBy: "ada",
      actor: ACTOR,
    });
    expect(made.note).toBeNull();
    const { body } = await org.admin.get<{ backup: object; warnings: string[] }>(
      "/v1/admin/system",
    );
    expect(body.backup).toMatchObject({
      newest: { file_name: "noted.backup", is_encrypted: false, has_secret: false, made_by: ACTOR },
      is_late: false,
      newest_restore: null,
      held_keys: 0,
    });
    const events = await h.deps.database
      .selectFrom("audit_event")
      .select("organization_id")
      .where("event", "=", "backup.made")
      .execute();
    expect(new Set(events.map((event) => event.organization_id)).size).toBe(2);
    await h.deps.database
      .updateTable("backup")
      .set({ made_at: new Date("2026-01-01") })
      .execute();
    const late = await org.admin.get<{ backup: object; warnings: string[] }>("/v1/admin/system");
    expect(late.body.backup).toMatchObject({ is_late: true });
    expect(late.body.warnings.join()).toContain(
      "The newest backup is from 2026-01-01T00:00:00.000Z",
    );
  });
});
