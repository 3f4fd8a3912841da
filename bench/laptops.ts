// Costs of laptops: `node bench/laptops.ts [laptops] [refreshes]`. Prints the CPU time of the check of an access token, the first
// time and from memory. Then fills a database with laptops, refreshes many of them, and prints the CPU time of this process
// and the rows that PostgreSQL wrote. Exits with 1 if a check is slower than its bound, or if a refresh wrote a row.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { openAuditLog } from "../server/src/audit/open-audit-log.ts";
import { refreshTokens } from "../server/src/claude-code/laptops/refresh-tokens.ts";
import { migrate } from "../server/src/db/migrate.ts";
import type { Database } from "../server/src/db/pool.ts";
import { openStorage } from "../server/src/db/storage.ts";
import { startAccessTokens } from "../server/src/key-lookup/access-token-keys.ts";
import {
  type AccessTokens,
  makeAccessTokens,
  type TokenSubject,
} from "../server/src/key-lookup/access-tokens.ts";
import { findApiKeysByHashes } from "../server/src/key-lookup/api-key-lookup.sql.ts";
import { makeKeyCache } from "../server/src/key-lookup/key-cache.ts";
import { systemClock } from "../server/src/lib/clock.ts";
import { systemRandomBytes } from "../server/src/lib/ids.ts";
import { makeLogger } from "../server/src/lib/logger.ts";
import { hashSecret } from "../server/src/lib/secret-hash.ts";
import { ensureOrganization } from "../server/src/organizations/organizations.ts";
import { makeRowSigner } from "../server/src/signed-rows/row-signer.ts";

const [laptops = 1_000_000, refreshes = 20_000] = process.argv.slice(2).map(Number);
const FIRST_BOUND_US = 15;
const CACHED_BOUND_US = 1;
const CHECKED = 9_000;
const ROUNDS = 7;
const AT_ONCE = 32;
const SECRET = "a secret of this benchmark alone";
const MEMBERS = 10_000;
/** Tables that a refresh could write. */
const WRITABLE = ["laptop", "api_key_secret", "api_key", "audit_event", "auth_attempt"];
/** Rows of one statement, which has a time limit. */
const SLICE = 50_000;
const origin = { requestId: "req_bench", ipAddress: null, userAgent: null };

const areChecksFast = measureChecks();
const rowsWritten = await measureRefreshes();
process.exit(areChecksFast && rowsWritten === 0 ? 0 : 1);

function subjectOf(organizationId: string, laptop: number): TokenSubject {
  const names = ["Engineering", "Research"];
  return {
    organizationId,
    memberId: `user_${laptop % MEMBERS}`,
    laptopId: `laptop_${laptop}`,
    key: hashSecret(`laptop ${laptop}`).toString("base64url"),
    groupIds: names.map((name) => `group_${name.padEnd(24, "0")}`),
    groupNames: names,
    billingGroupTag: null,
  };
}

/** Prints the least CPU time of the rounds, which the machine's other load disturbs least. */
function measureChecks(): boolean {
  const tokens = makeAccessTokens(() => "https://bursar.example.com");
  tokens.setKeys([{ id: "atkey_0123456789abcdefABCDEF01", bytes: randomBytes(32), usedFromMs: 0 }]);
  const nowMs = Date.now();
  const timesUs = { first: Number.POSITIVE_INFINITY, cached: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    const headers = Array.from({ length: CHECKED }, () => {
      const subject = subjectOf(crypto.randomUUID(), Math.floor(Math.random() * laptops));
      return Buffer.from(`Bearer ${tokens.issueAccess(subject, nowMs)}`);
    });
    for (const kind of ["first", "cached"] as const) {
      // New texts, as each request has.
      const texts = headers.map((header) => header.toString("latin1").slice("Bearer ".length));
      const started = process.threadCpuUsage();
      for (const text of texts) tokens.check(text, nowMs);
      const { user, system } = process.threadCpuUsage(started);
      timesUs[kind] = Math.min(timesUs[kind], (user + system) / CHECKED);
    }
  }
  console.log(
    `check: first ${timesUs.first.toFixed(1)} us, cached ${timesUs.cached.toFixed(2)} us`,
  );
  return timesUs.first <= FIRST_BOUND_US && timesUs.cached <= CACHED_BOUND_US;
}

/** Returns the number of rows that refreshes wrote. */
async function measureRefreshes(): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  chmodSync(dataDir, 0o755);
  const logger = makeLogger("silent");
  const pools = { onFailure: () => undefined, logger };
  const storage = await openStorage({ dataDir, databaseUrl: undefined, ...pools });
  try {
    const { database } = storage;
    await migrate(storage.place);
    const audit = await openAuditLog({
      ...{ database, secret: SECRET, folder: dataDir, logger },
      ...{ nowMs: Date.now, randomBytes: systemRandomBytes },
    });
    const { id: organizationId } = await ensureOrganization(audit, "Bench");
    await fill(database, organizationId);
    const { tokens } = await startAccessTokens(audit, () => "https://bursar.example.com");
    // The filled rows have no signature.
    const rows = makeRowSigner({ secret: SECRET });
    const keys = makeKeyCache({
      lookup: (hashes) => findApiKeysByHashes(database, rows, hashes),
      msSinceContact: () => 0,
      leaseTtlMs: 120_000,
      clock: systemClock,
    });
    const deps = { ...audit, rows, keys, accessTokens: tokens };
    const since = await readNextTransaction(database);
    const started = process.cpuUsage();
    const startedMs = performance.now();
    await refreshMany(tokens, organizationId, (token) => refreshTokens(deps, origin, token));
    const { user, system } = process.cpuUsage(started);
    const seconds = (performance.now() - startedMs) / 1000;
    const written = await countWrites(database, since);
    console.log(
      `${laptops} laptops: ${Math.round(refreshes / seconds)} refreshes/s, ` +
        `${((user + system) / refreshes).toFixed(0)} us of CPU each, ${written} rows written`,
    );
    await audit.witness.stop();
    return written;
  } finally {
    await storage.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Refreshes laptops that are spread evenly. */
async function refreshMany(
  tokens: AccessTokens,
  organizationId: string,
  refresh: (token: string) => Promise<unknown>,
): Promise<void> {
  const stride = Math.max(1, Math.floor(laptops / refreshes));
  let next = 0;
  const work = async () => {
    while (next < refreshes) {
      const subject = subjectOf(organizationId, (next++ * stride) % laptops);
      await refresh(tokens.issueRefresh(subject, 1, Date.now()));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Inserts members with their keys, and their laptops, whose first refresh token was presented. */
async function fill(database: Database, organizationId: string): Promise<void> {
  const tables = ["member", "workspace_member", "api_key", "api_key_secret"];
  const setTriggers = async (state: "DISABLE" | "ENABLE") => {
    for (const table of tables) {
      await sql`ALTER TABLE ${sql.table(table)} ${sql.raw(state)} TRIGGER USER`.execute(database);
    }
  };
  await setTriggers("DISABLE");
  await sql`INSERT INTO workspace (id, organization_id, name, display_color, tags)
    VALUES ('wksp_bench', ${organizationId}, 'Bench', '#000000', '{}')`.execute(database);
  await sql`INSERT INTO member (id, organization_id, email, name, role)
    SELECT 'user_' || n, ${organizationId}, 'user' || n || '@example.com', 'User ' || n, 'user'
    FROM generate_series(0, ${MEMBERS - 1}::integer) AS n`.execute(database);
  await sql`INSERT INTO workspace_member (workspace_id, member_id, role)
    SELECT 'wksp_bench', 'user_' || n, 'workspace_user' FROM generate_series(0, ${MEMBERS - 1}::integer) AS n`.execute(
    database,
  );
  await sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, purpose, owner_member_id,
      created_by_type, created_by_id)
    SELECT 'apikey_' || n, ${organizationId}, 'wksp_bench', 'Claude Code', 'write', 'claude_code', 'user_' || n,
      'member', 'user_' || n FROM generate_series(0, ${MEMBERS - 1}::integer) AS n`.execute(
    database,
  );
  for (let from = 0; from < laptops; from += SLICE) {
    const to = Math.min(from + SLICE, laptops) - 1;
    await insertLaptops(database, organizationId, { from, to });
  }
  await setTriggers("ENABLE");
  await sql`ANALYZE`.execute(database);
}

async function insertLaptops(
  database: Database,
  organizationId: string,
  { from, to }: { from: number; to: number },
): Promise<void> {
  await sql`WITH made AS (INSERT INTO api_key_secret (api_key_id, hash, hint, created_at, valid_until)
      SELECT 'apikey_' || n % ${MEMBERS}::integer, sha256(convert_to('laptop ' || n, 'UTF8')), 'laptop_' || n, now(), '9999-12-31'
      FROM generate_series(${from}::integer, ${to}::integer) AS n RETURNING id, api_key_id, hint)
    INSERT INTO laptop (id, organization_id, secret_id, member_id, workspace_id, name, created_at, is_confirmed, rotated_at)
    SELECT hint, ${organizationId}, id, 'user_' || substr(api_key_id, 8), 'wksp_bench', 'Laptop', now(), true, now()
    FROM made`.execute(database);
}

/** Id that the next transaction with a change gets. */
async function readNextTransaction(database: Database): Promise<bigint> {
  const { rows } = await sql<{ id: string }>`
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS id`.execute(database);
  return BigInt(rows[0]?.id ?? 0);
}

/** Rows of these tables that transactions from `since` on have written. */
async function countWrites(database: Database, since: bigint): Promise<number> {
  const counts = WRITABLE.map(
    (table) => sql`SELECT count(*)::integer AS count FROM ${sql.table(table)}
      WHERE xmin::text::bigint >= ${since}::bigint`,
  );
  const { rows } = await sql<{ sum: number }>`
    SELECT sum(count)::integer AS sum FROM (${sql.join(counts, sql` UNION ALL `)}) AS written`.execute(
    database,
  );
  return rows[0]?.sum ?? 0;
}
