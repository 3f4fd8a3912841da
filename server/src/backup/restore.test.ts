// Oldest PostgreSQL: backup
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, describe, expect, onTestFinished } from "vitest";
import { verifyChain } from "#src/audit/verify-chain.ts";
import { describeSchema } from "#src/db/describe-schema.ts";
import { migrate } from "#src/db/migrate.ts";
import { readMigrations } from "#src/db/migration-files.ts";
import type { Database } from "#src/db/pool.ts";
import { createOrganization } from "#src/organizations/organizations.ts";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { openTestAuditLog } from "#test/harness/audit-log.ts";
import {
  ACTOR,
  differencesOfRollups,
  NODE,
  PASSPHRASE,
  restoreCompany,
  SECRET,
  test,
} from "#test/harness/backup-test.ts";
import { createEmptyDatabase, type TestDatabase } from "#test/harness/database.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import type { Restored } from "./restore-backup.ts";
import { listHeld, settleRecovery } from "./restored-installation.ts";

planForValues();

/** Rows of each table as one number, independent of their order. */
async function fingerprints(database: Database): Promise<Record<string, string>> {
  const { rows } = await sql<{ name: string }>`
    SELECT relname::text AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
      AND relnamespace = 'public'::regnamespace AND relname <> 'schema_migration' ORDER BY 1`.execute(
    database,
  );
  const found: Record<string, string> = {};
  for (const { name } of rows) {
    const { rows: sums } = await sql<{ sum: string }>`
      SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS sum FROM ${sql.table(name)} AS t`.execute(
      database,
    );
    found[name] = sums[0]?.sum ?? "";
  }
  return found;
}

/** Tables that a restore changes. All others must be unchanged. */
const settled = new Set(
  "admin_key api_key api_key_secret audit_event audit_head auth_session balance change_counter held_key incarnation installation laptop lease mail node".split(
    " ",
  ),
);

describe("a restored backup", () => {
  let held: TestDatabase;
  let restored: Restored;
  test.beforeAll(async ({ company }) => {
    held = await createEmptyDatabase();
    const into = { dataDir: join(company.folder, "held"), databaseUrl: held.connectionString };
    restored = await restoreCompany(company, { into });
  });
  afterAll(() => held.drop());

  test("equals the company except for items that must not continue, with correct ledger, log and schema", async ({
    h,
    org,
  }) => {
    const { settled: counts, header } = restored;
    const before = await fingerprints(h.deps.database);
    const after = await fingerprints(held.database);
    expect(Object.keys(after)).toEqual(Object.keys(before));
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed.filter((name) => !settled.has(name))).toEqual([]);
    expect(await describeSchema(held.connectionString)).toBe(
      await describeSchema(h.connectionString),
    );
    expect(header.organizations).toContain("A Company with “Quotes” \\ and\ttabs");
    expect(counts).toMatchObject({ heldApiKeys: 2, heldAdminKeys: 1, sessionsEnded: 1 });
    expect(counts).toMatchObject({ messagesNotSent: 1, leasedNanoUsd: 2_000_000_000n });
    const { differences } = await checkLedger(held.database, org.id);
    // Requests were recorded without balances. Held and unresolved amounts add up.
    expect(differences.filter(({ amount }) => amount !== "spent")).toEqual([]);
    expect(await differencesOfRollups(held.database)).toEqual([]);
    const deps = { database: held.database, auditKey: h.audit.auditKey };
    expect((await verifyChain(deps, org.id)).kind).toBe("intact");
  });

  test("is recorded in each organization's log, with unresolved leases under a new epoch", async ({
    h,
    org,
  }) => {
    const { database } = held;
    const events = await database
      .selectFrom("audit_event")
      .select(["organization_id", "actor_type", "after"])
      .where("event", "=", "installation.restored")
      .execute();
    expect(events).toHaveLength(2);
    expect(events.find((event) => event.organization_id === org.id)).toMatchObject({
      actor_type: "local_operator",
      after: { keys: "hold", api_keys_held: 2, laptops_ended: 1, messages_not_sent: 1 },
    });
    const laptops = await database
      .selectFrom("laptop")
      .innerJoin("api_key_secret as secret", "secret.id", "laptop.secret_id")
      .select(["laptop.end_reason", sql<boolean>`valid_until <= now()`.as("has_ended")])
      .execute();
    expect(laptops).toEqual([{ end_reason: "restored", has_ended: true }]);
    const lease = await database
      .selectFrom("lease")
      .select(["amount_nano_usd", "unresolved_since"])
      .where("request_id", "=", "")
      .executeTakeFirstOrThrow();
    expect(lease.amount_nano_usd).toBe(2_000_000_000n);
    expect(lease.unresolved_since).not.toBeNull();
    const epochs = (db: Database) =>
      db.selectFrom("node").select("epoch").where("id", "=", NODE).executeTakeFirstOrThrow();
    expect((await epochs(database)).epoch).toBe((await epochs(h.deps.database)).epoch + 1n);
    const mail = await database.selectFrom("mail").selectAll().executeTakeFirstOrThrow();
    expect(mail).toMatchObject({
      status: "failed",
      last_error: expect.stringContaining("may have been sent"),
    });
    expect(mail.body_sealed).not.toBeNull();
  });

  test("with trusted keys leaves them unchanged and continues the numbering", async ({
    h,
    company,
    target,
    restore,
  }) => {
    await restore({ keys: "trust" });
    const { database } = target;
    expect(await database.selectFrom("held_key").selectAll().execute()).toEqual([]);
    const [row] = await database
      .insertInto("api_key_secret")
      .values({
        api_key_id: company.apiKeyId,
        hash: Buffer.alloc(32),
        hint: "x",
        created_at: new Date(),
        valid_until: new Date(),
      })
      .returning("id")
      .execute();
    const { rows } = await sql<{ max: bigint }>`SELECT max(id) AS max FROM api_key_secret`.execute(
      h.deps.database,
    );
    expect(row?.id).toBeGreaterThan(rows[0]?.max ?? 0n);
  });

  test("is not overwritten by another restore", async ({ company, restore }) => {
    const before = await fingerprints(held.database);
    const into = { dataDir: join(company.folder, "held"), databaseUrl: held.connectionString };
    await expect(restore({ into })).rejects.toThrow("a restore overwrites nothing");
    expect(await fingerprints(held.database)).toEqual(before);
  });

  test("of an older schema is migrated", async ({ h, company, target, restore }) => {
    const source = await createEmptyDatabase();
    onTestFinished(() => source.drop());
    const older = (await readMigrations()).slice(0, -1);
    await migrate({ ...source, migrations: older });
    const log = await openTestAuditLog({ database: source.database, nowMs: Date.now });
    const { id } = await createOrganization(log.audit, "Old");
    await log.close();
    const old = join(company.folder, "old.backup");
    await company.backUp(old, PASSPHRASE, source);
    await restore({ file: old });
    const { rows } = await sql<{ name: string; held: bigint }>`
      SELECT name, (SELECT count(*) FROM held_key) AS held FROM organization`.execute(
      target.database,
    );
    expect(rows).toEqual([{ name: "Old", held: 0n }]);
    const deps = { database: target.database, auditKey: h.audit.auditKey };
    expect(await verifyChain(deps, id)).toMatchObject({ kind: "intact", events: 2 });
  });
});

describe("an interrupted restore", () => {
  test("during the load has loaded nothing and can be repeated", async ({
    target,
    restore,
    disconnectTarget,
  }) => {
    const stopping = new AbortController();
    const onStep = (step: string) => {
      if (step.startsWith("Loading")) setImmediate(() => stopping.abort());
    };
    await expect(restore({ onStep, signal: stopping.signal })).rejects.toThrow("aborted");
    const { rows } = await sql<{ count: bigint }>`SELECT count(*) FROM organization`.execute(
      target.database,
    );
    expect(rows[0]?.count).toBe(0n);
    await disconnectTarget();
    expect((await restore()).settled.heldApiKeys).toBe(2);
  });

  test("after the load is used by no node and can be repeated", async ({
    company,
    target,
    restore,
  }) => {
    // Audit events need an actor, so the last transaction fails. Without the cast the compiler refuses this one.
    const noActor = { type: null as unknown as string, id: "x" };
    await expect(restore({ actor: noActor })).rejects.toThrow("null value");
    await expect(migrate(target)).rejects.toThrow("A restore into this database was not finished");
    await expect(
      company.backUp(join(company.folder, "half.backup"), undefined, target),
    ).rejects.toThrow("was not finished");
    expect((await restore()).settled.heldApiKeys).toBe(2);
    expect((await migrate(target)).applied).toEqual([]);
  });
});

test("a database restored by another tool is settled the same way, without connected nodes", async ({
  company,
  target,
  restore,
  disconnectTarget,
}) => {
  await restore({ keys: "trust" });
  const options = {
    location: {
      dataDir: await mkdtemp(join(company.folder, "recovered-")),
      databaseUrl: target.connectionString,
    },
    secret: SECRET,
    backupMadeAt: new Date("2026-11-25T03:00:00Z"),
    keys: "hold",
    actor: ACTOR,
  } as const;
  await target.database.selectFrom("organization").select("id").execute();
  await expect(settleRecovery(options)).rejects.toThrow("A Bursar is connected to this database");
  await disconnectTarget();
  expect(await settleRecovery(options)).toMatchObject({ heldApiKeys: 2, heldAdminKeys: 1 });
  expect((await listHeld(options)).map(({ kind }) => kind)).toEqual([
    "api_key",
    "api_key",
    "admin_key",
  ]);
});
