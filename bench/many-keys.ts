import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { makeLocalApi } from "../server/src/cli/local-api.ts";
import { bumpChangeCounter } from "../server/src/db/change-watch.ts";
import { type Database, openDatabase, type Tx } from "../server/src/db/pool.ts";
import { makeSecret } from "../server/src/domain/key-format.ts";
import { makeRowSigner } from "../server/src/signed-rows/row-signer.ts";
import { inSignedTransaction } from "../server/src/signed-rows/signed-transaction.ts";
import { upsertSpendLimit } from "../server/src/spend/ledger/limits.sql.ts";
import { readConnectionString } from "./targets/database.ts";

/** A daily limit that is never reached, but always checked. */
const LIMIT_NANO_USD = 100_000_000_000n;
const KNOWN_WITHIN_MS = 15_000;
const POLL_MS = 100;

/**
 * Creates keys in a workspace without a limit, and a strict limit for each. Returns their secrets. Rows instead of calls: an
 * audited call for each takes minutes.
 */
export async function createManyKeys(
  dataDir: string,
  { keys, hasLimits }: { keys: number; hasLimits: boolean },
): Promise<string[]> {
  const callApi = makeLocalApi(dataDir);
  const workspace = (await callApi("POST", "/v1/admin/workspaces", { name: "Many keys" })) as {
    id: string;
  };
  const connectionString = readConnectionString(join(dataDir, "postgres"));
  const database = openDatabase({ connectionString, maxConnections: 1, onIdleError: () => {} });
  try {
    const secret = (await readFile(join(dataDir, "secret"), "utf8")).trim();
    const signing = { database, rows: makeRowSigner({ secret }) };
    const secrets = await inSignedTransaction(signing, async (tx) => {
      const { organization_id: organizationId } = await tx
        .selectFrom("workspace")
        .select("organization_id")
        .where("id", "=", workspace.id)
        .executeTakeFirstOrThrow();
      const scope = { organizationId, workspaceId: workspace.id };
      const ids = Array.from({ length: keys }, (_, at) => `apikey_${String(at).padStart(24, "0")}`);
      const inserted = await insertKeys(tx, scope, ids);
      for (const scopeId of hasLimits ? ids : []) await insertLimit(tx, organizationId, scopeId);
      await bumpChangeCounter(tx);
      return inserted;
    });
    await waitForLimits(database);
    return secrets;
  } finally {
    await database.destroy();
  }
}

/** Waits until the nodes report the version of the limits. Every node also polls the limits within this time. */
export async function waitForLimits(database: Database): Promise<void> {
  const giveUpAt = Date.now() + KNOWN_WITHIN_MS;
  let isKnown = false;
  while (!isKnown && Date.now() < giveUpAt) {
    await sleep(POLL_MS);
    const { rows } = await sql<{ isKnown: boolean | null }>`
      SELECT bool_and(limits_version >= (SELECT value FROM limits_version)) AS "isKnown" FROM node_contact`.execute(
      database,
    );
    isKnown = rows[0]?.isKnown ?? false;
  }
}

async function insertKeys(
  tx: Tx,
  { organizationId, workspaceId }: { organizationId: string; workspaceId: string },
  ids: readonly string[],
): Promise<string[]> {
  const secrets = ids.map(() => makeSecret("api", randomBytes));
  const hashes = secrets.map(({ hash }) => hash);
  await sql`
    INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
    SELECT id, ${organizationId}, ${workspaceId}, id, 'write', 'user', 'user_benchmark' FROM unnest(${ids}::text[]) AS id`.execute(
    tx,
  );
  await sql`
    INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
    SELECT id, hash, 'sk-…', now() FROM unnest(${ids}::text[], ${hashes}::bytea[]) AS k (id, hash)`.execute(
    tx,
  );
  return secrets.map(({ secret }) => secret);
}

async function insertLimit(tx: Tx, organizationId: string, scopeId: string): Promise<void> {
  await upsertSpendLimit(tx, {
    id: `spl_${scopeId}`,
    organizationId,
    scopeType: "api_key",
    scopeId,
    period: "daily",
    amountNanoUsd: LIMIT_NANO_USD,
    enforcement: "strict",
  });
}
