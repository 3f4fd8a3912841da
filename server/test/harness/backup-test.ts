import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect } from "vitest";
import { type RestoreOptions, restoreBackup } from "#src/backup/restore-backup.ts";
import { writeBackup } from "#src/backup/write-backup.ts";
import type { Database } from "#src/db/pool.ts";
import type { Cut } from "#src/domain/request-record.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import type { AdminHarness, TestOrganization } from "./admin.ts";
import { serverTest } from "./admin-test.ts";
import { createEmptyDatabase } from "./database.ts";
import { signInLaptop } from "./laptops.ts";

// A company with a backup, and empty databases to restore it into.

export const SECRET = "a secret that only this test knows";
export const PASSPHRASE = "correct horse battery staple";
export const ACTOR = { type: "local_operator", id: "1000" };
/** Cost of scrypt. The real cost takes half a second. */
const COST = 1024;
/** Node with a lease. */
export const NODE = "node_of_the_test";

export interface BackedUpCompany {
  /** Folder of the test's files. */
  folder: string;
  /** An encrypted backup of the company. */
  file: string;
  workspaceId: string;
  apiKeyId: string;
  backUp(
    to: string,
    passphrase: string | undefined,
    options?: BackUpOptions,
  ): ReturnType<typeof writeBackup>;
}

interface BackUpOptions {
  connectionString?: string;
  journalsOf?: string;
  secret?: string;
}

export const test = serverTest
  .extend("org", { scope: "file" }, ({ h }) =>
    h.organization("A Company with “Quotes” \\ and\ttabs"),
  )
  .extend(
    "company",
    { scope: "file" },
    async ({ h, org }, { onCleanup }): Promise<BackedUpCompany> => {
      const folder = await mkdtemp(join(tmpdir(), "bursar-test-backup-"));
      onCleanup(() => rm(folder, { recursive: true, force: true }));
      const file = join(folder, "company.backup");
      const backUp: BackedUpCompany["backUp"] = (to, passphrase, options = {}) =>
        writeBackup({
          connectionString: h.connectionString,
          file: to,
          secret: SECRET,
          passphrase,
          journalsOf: null,
          bursarVersion: "0.0.0-test",
          madeBy: "ada",
          cost: COST,
          ...options,
        });
      const ids = await fillCompany(h, org);
      await backUp(file, PASSPHRASE);
      return { folder, file, ...ids, backUp };
    },
  )
  /** An empty database. */
  .extend("target", async ({}, { onCleanup }) => {
    const target = await createEmptyDatabase();
    onCleanup(() => target.drop());
    return target;
  })
  /** Restores the company's backup into `target`. */
  .extend("restore", ({ company, target }) => (options: Partial<RestoreOptions> = {}) => {
    const databaseUrl = target.connectionString;
    const into = { dataDir: join(company.folder, "restored"), databaseUrl };
    return restoreCompany(company, { into, ...options });
  })
  /** Ends the sessions of `target`. The server may take a moment to end those of a closed pool. */
  .extend("disconnectTarget", ({ h, target }) => async () => {
    await target.database.destroy();
    const name = new URL(target.connectionString).pathname.slice(1);
    const countSessions = async () => {
      const { rows } = await sql`SELECT FROM pg_stat_activity
        WHERE datname = ${name} AND backend_type = 'client backend'`.execute(h.deps.database);
      return rows.length;
    };
    await expect.poll(countSessions, { interval: 10 }).toBe(0);
  });

/** Restores the company's backup with held keys. */
export function restoreCompany(
  { file }: BackedUpCompany,
  options: Partial<RestoreOptions> & Pick<RestoreOptions, "into">,
) {
  return restoreBackup({
    file,
    passphrase: PASSPHRASE,
    secret: undefined,
    keys: "hold",
    actor: ACTOR,
    ...options,
  });
}

/** Keys, people with sessions, a laptop, a sealed credential, requests of two months, a lease, and unresolved spend. */
async function fillCompany(
  h: AdminHarness,
  org: TestOrganization,
): Promise<Pick<BackedUpCompany, "workspaceId" | "apiKeyId">> {
  const { database } = h.deps;
  const named = { name: "Größe 💸", description: "a\nb\\N" };
  const workspaceId = (await org.admin.createWorkspace(named)).id;
  const apiKeyId = (await org.admin.createApiKey(workspaceId)).id;
  const disabled = await org.admin.createApiKey(workspaceId);
  await org.admin.post(`/v1/admin/api_keys/${disabled.id}`, { status: "inactive" });
  const owner = await org.member({ role: "owner" });
  await signInLaptop(h.deps, { organizationId: org.id, workspaceId, memberId: owner.id });
  const upstream = {
    name: "Claude",
    base_url: "https://api.anthropic.com",
    credential: "sk-1234",
  };
  expect((await org.operator.post("/v1/admin/upstreams", upstream)).status).toBe(200);
  for (const table of ["usage_event", "usage_record"]) {
    await sql`CREATE TABLE ${sql.table(`${table}_2026_10`)} PARTITION OF ${sql.table(table)}
      FOR VALUES FROM ('2026-10-01 00:00:00+00') TO ('2026-11-01 00:00:00+00')`.execute(database);
  }
  for (let i = 0; i < 19; i++) await org.recordRequest({ workspaceId, apiKeyId });
  const cut: Cut = {
    ...{ reason: "limit_spent", scopeType: "workspace", scopeId: workspaceId, period: "daily" },
    ...{ heldNanoUsd: 9_007_199_254_740_993n, seenOutputTokens: 5, boundOutputTokens: 7 },
  };
  await org.recordRequest({ workspaceId, apiKeyId, cut });
  await org.recordExceededBound();
  h.clock.nowMs -= 40 * 86_400_000;
  await org.recordRequest({ workspaceId, apiKeyId });
  h.clock.nowMs += 40 * 86_400_000;
  await org.createUnresolvedSpend(workspaceId, apiKeyId);
  await leaseOnNode(database, org.id);
  const mail = { to: "someone@example.com" };
  expect((await org.operator.post("/v1/admin/mail/test", mail)).status).toBe(200);
  return { workspaceId, apiKeyId };
}

/** A node with a lease of two dollars of the organization's month. */
async function leaseOnNode(database: Database, organizationId: string): Promise<void> {
  const key = { scope_type: "organization", scope_id: organizationId, period: "monthly" } as const;
  const at = { ...key, period_start: "2026-11-01", organization_id: organizationId };
  await database
    .insertInto("lease")
    .values({ ...at, node_id: NODE, request_id: "", amount_nano_usd: 2_000_000_000n })
    .execute();
  await database
    .updateTable("balance")
    .set({ leased_nano_usd: 2_000_000_000n })
    .where("scope_id", "=", organizationId)
    .where("period", "=", "monthly")
    .where("period_start", "=", "2026-11-01")
    .execute();
}

/** The harness creates unresolved spend without rollups. */
export async function differencesOfRollups(database: Database): Promise<object[]> {
  const differences = await listRollupDifferences(database);
  return differences.filter(({ labels }) => labels["status"] !== "interrupted");
}
