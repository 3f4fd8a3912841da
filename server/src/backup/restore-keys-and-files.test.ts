import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { describe, expect, onTestFinished } from "vitest";
import { verifyChain } from "#src/audit/verify-chain.ts";
import { readMigrations } from "#src/db/migration-files.ts";
import type { Database } from "#src/db/pool.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { ACTOR, PASSPHRASE, SECRET, test } from "#test/harness/backup-test.ts";
import { createEmptyDatabase } from "#test/harness/database.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { confirmKeys } from "./held-keys.ts";
import { withAuditDeps } from "./with-audit-deps.ts";

planForValues();

// Keys, files and refusals of a restore. `restore.test.ts` has the rows, which the oldest PostgreSQL loads too.

async function countTables(database: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`.execute(database);
  return rows[0]?.count ?? 0;
}

describe("a restored backup", () => {
  test("holds keys until they are confirmed, each with an audit event, and keeps a disabled key disabled", async ({
    h,
    org,
    company,
    target,
    restore,
  }) => {
    await restore();
    const { database } = target;
    const statusOf = async (id: string) =>
      (
        await database
          .selectFrom("api_key")
          .select("status")
          .where("id", "=", id)
          .executeTakeFirst()
      )?.status;
    expect(await statusOf(company.apiKeyId)).toBe("inactive");
    const place = {
      connectionString: target.connectionString,
      folder: company.folder,
      isEmbedded: false,
    };
    await withAuditDeps({ place, secret: SECRET }, async (deps) => {
      await expect(confirmKeys(deps, { ids: ["apikey_x"], actor: ACTOR })).rejects.toThrow(
        "No key with this id waits for confirmation: apikey_x",
      );
      const confirmed = await confirmKeys(deps, { ids: [company.apiKeyId], actor: ACTOR });
      expect(confirmed).toMatchObject([
        { id: company.apiKeyId, workspaceId: company.workspaceId, name: "Key" },
      ]);
      expect(await statusOf(company.apiKeyId)).toBe("active");
      expect(
        (await confirmKeys(deps, { ids: "all", actor: ACTOR })).map(({ kind }) => kind),
      ).toEqual(["api_key", "admin_key"]);
    });
    const events = await database
      .selectFrom("audit_event")
      .select(["event", "subject_id"])
      .where("event", "like", "%.confirmed")
      .orderBy("seq")
      .execute();
    expect(events.map(({ event }) => event)).toEqual([
      "api_key.confirmed",
      "api_key.confirmed",
      "admin_key.confirmed",
    ]);
    const inactive = await database
      .selectFrom("api_key")
      .select("id")
      .where("status", "=", "inactive")
      .execute();
    expect(inactive).toHaveLength(1);
    expect((await verifyChain({ database, auditKey: h.audit.auditKey }, org.id)).kind).toBe(
      "intact",
    );
  });

  test("gets its secret from the backup and moves the node's record of the log", async ({
    company,
    target,
    restore,
  }) => {
    const dataDir = await mkdtemp(join(company.folder, "data-"));
    await writeFile(join(dataDir, "audit-heads.jsonl"), "seen\n");
    const { secretFile, witnessesSetAside } = await restore({
      into: { dataDir, databaseUrl: target.connectionString },
    });
    expect(await readFile(secretFile ?? "", "utf8")).toBe(`${SECRET}\n`);
    expect((await stat(secretFile ?? "")).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dataDir, witnessesSetAside[0] ?? ""), "utf8")).toBe("seen\n");
    expect(existsSync(join(dataDir, "audit-heads.jsonl"))).toBe(false);
  });

  test("gets the journal of the backup, marked as incomplete, and keeps an existing journal", async ({
    company,
    target,
    restore,
  }) => {
    const names = ["node-id", "journal-id", "000000000006.journal.zst", "000000000007.journal"];
    const write = async (dataDir: string, text: string) => {
      await mkdir(join(dataDir, "journal"), { recursive: true });
      for (const name of names) await writeFile(join(dataDir, "journal", name), `${text}\n`);
    };
    const read = (dataDir: string, name: string) =>
      readFile(join(dataDir, "journal", name), "utf8");
    const source = join(company.folder, "with-journal");
    await write(source, "jrnl_of_the_backup");
    const withJournal = join(company.folder, "with-journal.backup");
    const written = await company.backUp(withJournal, PASSPHRASE, { journalsOf: source });
    expect(written.journalFiles).toBe(4);
    const [fresh, used] = [join(company.folder, "fresh"), join(company.folder, "used")];
    const databaseUrl = target.connectionString;
    const first = await restore({ file: withJournal, into: { dataDir: fresh, databaseUrl } });
    expect(first.journals).toEqual({ restored: ["journal"], kept: [] });
    for (const name of names) expect(await read(fresh, name)).toBe("jrnl_of_the_backup\n");
    expect(JSON.parse(await read(fresh, "written"))).toMatchObject({ isWhole: false });
    await write(used, "jrnl_of_this_node");
    const again = await createEmptyDatabase();
    onTestFinished(() => again.drop());
    const into = { dataDir: used, databaseUrl: again.connectionString };
    const second = await restore({ file: withJournal, into });
    expect(second.journals).toEqual({ restored: [], kept: ["journal"] });
    for (const name of names) expect(await read(used, name)).toBe("jrnl_of_this_node\n");
  });
});

describe("a backup is refused without any change", () => {
  test("if it is cut off at any place", async ({ company, target, restore }) => {
    const bytes = await readFile(company.file);
    const bad = join(company.folder, "bad.backup");
    const dataDir = join(company.folder, "never made");
    const into = { dataDir, databaseUrl: target.connectionString };
    for (const length of [60, 500, bytes.length >> 1, bytes.length - 20, bytes.length - 1]) {
      await writeFile(bad, bytes.subarray(0, length));
      const words = /damaged|no backup|passphrase/;
      await expect(restore({ file: bad, into })).rejects.toThrow(words);
      expect(existsSync(dataDir)).toBe(false);
      expect(await countTables(target.database)).toBe(0);
    }
  });

  test("if any bit changed, encrypted or not", async ({ company, target, restore }) => {
    const plain = join(company.folder, "plain.backup");
    await company.backUp(plain, undefined);
    for (const bytes of [await readFile(company.file), await readFile(plain)]) {
      const isPlain = bytes.includes('{"encryption":null}');
      for (const part of [0.001, 0.3, 0.6, 0.999]) {
        const changed = Buffer.from(bytes);
        const at = Math.floor(bytes.length * part) + 20;
        const place = Math.min(at, bytes.length - 12);
        changed[place] = (changed[place] ?? 0) ^ 1;
        const into = isPlain ? { secret: SECRET } : {};
        await writeFile(join(company.folder, "bad.backup"), changed);
        await expect(
          restore({ file: join(company.folder, "bad.backup"), ...into }),
        ).rejects.toThrow(/damaged|changed|no backup/);
      }
    }
    expect(await countTables(target.database)).toBe(0);
  });

  test("with another passphrase, and without one", async ({ target, restore }) => {
    await expect(restore({ passphrase: "not the passphrase" })).rejects.toThrow(
      "The passphrase is wrong",
    );
    await expect(restore({ passphrase: undefined })).rejects.toThrow("BURSAR_BACKUP_PASSPHRASE");
    expect(await countTables(target.database)).toBe(0);
  });

  test("with another secret, or without any secret", async ({ company, target, restore }) => {
    await expect(restore({ secret: "another secret of another company" })).rejects.toThrow(
      "BURSAR_SECRET is not the secret of this backup",
    );
    const plain = join(company.folder, "without-secret.backup");
    await company.backUp(plain, undefined);
    const into = {
      dataDir: join(company.folder, "no secret"),
      databaseUrl: target.connectionString,
    };
    await expect(restore({ file: plain, into })).rejects.toThrow("made without a passphrase");
    expect((await restore({ file: plain, into, secret: SECRET })).secretFile).toBeNull();
  });

  test("with a newer schema, or from another build", async ({ target, restore }) => {
    const migrations = (await readMigrations()).slice(0, -1);
    await expect(restore({ migrations })).rejects.toThrow(
      "Restore it with that version or a newer one",
    );
    const others = (await readMigrations()).map((each) => ({ ...each, sha256: "0".repeat(64) }));
    await expect(restore({ migrations: others })).rejects.toThrow("another build");
    expect(await countTables(target.database)).toBe(0);
  });

  test("if the database contains other data", async ({ target, restore }) => {
    await sql`CREATE TABLE foreign_table (id integer)`.execute(target.database);
    await expect(restore()).rejects.toThrow(
      "not empty and not Bursar's (it has public.foreign_table)",
    );
  });
});

test("restored keys are refused with the remedy until they are confirmed or enabled", async ({
  h,
  org,
}) => {
  const { database } = h.deps;
  const workspace = await org.admin.createWorkspace();
  const key = await org.admin.createApiKey(workspace.id, { permissions: ["admin"] });
  const adminKey = await org.admin.createAdminKey();
  await inSignedTransaction(h.deps, async (tx) => {
    const status = "inactive";
    await tx.updateTable("api_key").set({ status }).where("id", "=", key.id).execute();
    await tx.updateTable("admin_key").set({ status }).where("id", "=", adminKey.id).execute();
  });
  const held = { organization_id: org.id, held_at: new Date() };
  await database
    .insertInto("held_key")
    .values([
      { ...held, key_id: key.id, kind: "api_key" },
      { ...held, key_id: adminKey.id, kind: "admin_key" },
    ])
    .execute();
  for (const secret of [key.key, adminKey.key]) {
    const { status, error } = await h.as(secret).get("/v1/admin/workspaces");
    expect(status).toBe(401);
    expect(error.message).toContain("was restored from a backup");
    expect(error.message).toContain("`./bursar restore confirm-keys`");
  }
  const { body } = await org.admin.get<{ backup: { held_keys: number }; warnings: string[] }>(
    "/v1/admin/system",
  );
  expect(body.backup.held_keys).toBe(2);
  expect(body.warnings.join()).toContain("2 keys wait for confirmation");
  const listed = await org.admin.get<{ data: { id: string; status: string }[] }>(
    "/v1/admin/admin_keys?status=inactive",
  );
  expect(listed.body.data).toMatchObject([{ id: adminKey.id, status: "inactive" }]);
  const holder = await org.member({ workspaces: { [workspace.id]: "workspace_developer" } });
  const own = await org.admin.createApiKey(workspace.id, { owner_member_id: holder.id });
  await database
    .updateTable("api_key")
    .set({ status: "inactive" })
    .where("id", "=", own.id)
    .execute();
  await database
    .insertInto("held_key")
    .values({ ...held, key_id: own.id, kind: "api_key" })
    .execute();
  for (const status of ["inactive", "active"]) {
    await holder.client.post(`/v1/admin/api_keys/${own.id}`, { status });
  }
  expect((await h.as(own.key).get("/v1/admin/workspaces")).status).toBe(401);
  await org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "active" });
  expect((await h.as(key.key).get("/v1/admin/workspaces")).status).toBe(200);
  // A key that is disabled later does not wait for confirmation.
  await org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "inactive" });
  expect((await h.as(key.key).get("/v1/admin/workspaces")).error.message).toContain("is disabled");
});
