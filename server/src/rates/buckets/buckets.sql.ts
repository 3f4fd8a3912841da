import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { burstMsOf, type RateKind, ROUNDING } from "./bucket.ts";
import type { BucketQuery, BucketResult } from "./node-bucket.ts";

// Shared buckets. Only this file reads and writes their rows. One statement refills, grants and takes, with the arithmetic
// of bucket.ts. The database's time is read after the row is locked, so a later statement reads a later time. If the clock
// was set back, the step refills nothing, and the bucket continues from the new time.

/** Result of one query, with the revision of its limit. */
export type LimitResult = BucketResult & { revision: bigint };

const REQUESTS_BURST_MS = burstMsOf("requests");
const TOKENS_BURST_MS = burstMsOf("input_tokens");

/** Number per minute of `kind` in `l` (rate_limit). Null: not limited. */
const perMinuteOf = (kind: string) => sql<number | null>`CASE ${sql.raw(kind)}
  WHEN 'requests' THEN l.requests_per_minute WHEN 'input_tokens' THEN l.input_tokens_per_minute
  ELSE l.output_tokens_per_minute END`;

const capacityOf = (kind: string, perMinute: string) => sql<number>`greatest(1,
  ${sql.raw(perMinute)} * CASE ${sql.raw(kind)} WHEN 'requests' THEN ${REQUESTS_BURST_MS}::float8
  ELSE ${TOKENS_BURST_MS}::float8 END / 60000)`;

/**
 * Queries all buckets at once. Takes as many whole requests as are available, up to `wanted`, and always takes `used`.
 * Returns results in the order of `queries`. Null: no longer limited.
 */
export async function queryBuckets(
  db: Database,
  queries: readonly BucketQuery[],
): Promise<(LimitResult | null)[]> {
  const answers = await updateBuckets(db, queries);
  const missing = queries.filter((query) => !answers.has(placeOf(query)));
  if (missing.length > 0) {
    await createBuckets(db, missing);
    for (const [place, answer] of await updateBuckets(db, missing)) answers.set(place, answer);
  }
  return queries.map((query) => answers.get(placeOf(query)) ?? null);
}

const placeOf = ({ limitId, kind }: { limitId: string; kind: RateKind }) => `${limitId} ${kind}`;

interface TakenRow extends LimitResult {
  limitId: string;
  kind: RateKind;
}

/** Locks rows in one order, so that nodes cannot deadlock. */
async function updateBuckets(
  db: Database,
  queries: readonly BucketQuery[],
): Promise<Map<string, LimitResult>> {
  const { rows } = await sql<TakenRow>`
    WITH asked AS (
      SELECT a.id, a.kind, a.wanted, a.used, l.revision, ${perMinuteOf("a.kind")} AS per_minute
      FROM unnest(${queries.map(({ limitId }) => limitId)}::text[], ${queries.map(({ kind }) => kind)}::text[],
        ${queries.map(({ wanted }) => wanted)}::float8[], ${queries.map(({ used }) => used)}::float8[])
        AS a (id, kind, wanted, used)
      JOIN rate_limit l ON l.id = a.id),
    locked AS MATERIALIZED (
      SELECT b.rate_limit_id, b.kind, b.level, b.refilled_at, a.wanted, a.used, a.revision, a.per_minute
      FROM rate_bucket b JOIN asked a ON a.id = b.rate_limit_id AND a.kind = b.kind
      WHERE a.per_minute IS NOT NULL
      ORDER BY b.rate_limit_id, b.kind FOR UPDATE OF b),
    refilled AS MATERIALIZED (
      SELECT locked.*, t.at, least(${capacityOf("locked.kind", "per_minute")},
        level + per_minute * greatest(0, extract(epoch FROM t.at - refilled_at)::float8) / 60) AS filled
      FROM locked CROSS JOIN LATERAL (SELECT clock_timestamp() AS at) AS t),
    given AS MATERIALIZED (
      SELECT *, least(wanted, greatest(0, floor(filled + ${ROUNDING}::float8))) AS granted FROM refilled)
    UPDATE rate_bucket b SET level = g.filled - g.granted - g.used, refilled_at = g.at
    FROM given g WHERE b.rate_limit_id = g.rate_limit_id AND b.kind = g.kind
    RETURNING b.rate_limit_id AS "limitId", b.kind, g.granted, b.level, g.revision`.execute(db);
  return new Map(
    rows.map(({ limitId, kind, granted, level, revision }) => [
      placeOf({ limitId, kind }),
      { granted, level, revision },
    ]),
  );
}

/** Creates full buckets for limits without one. */
async function createBuckets(db: Database, queries: readonly BucketQuery[]): Promise<void> {
  await sql`
    INSERT INTO rate_bucket (rate_limit_id, kind, level, refilled_at)
    SELECT id, kind, ${capacityOf("kind", "per_minute")}, clock_timestamp() FROM (
      SELECT a.id, a.kind, ${perMinuteOf("a.kind")} AS per_minute
      FROM unnest(${queries.map(({ limitId }) => limitId)}::text[], ${queries.map(({ kind }) => kind)}::text[]) AS a (id, kind)
      JOIN rate_limit l ON l.id = a.id) AS limited
    WHERE per_minute IS NOT NULL ORDER BY id, kind
    ON CONFLICT DO NOTHING`.execute(db);
}

/** Returns the current levels by limit and kind. A bucket that does not exist yet is full, and absent. */
export async function readLevels(
  db: Database | Tx,
  limitIds: readonly string[],
): Promise<Map<string, Partial<Record<RateKind, number>>>> {
  const { rows } = await sql<{ limitId: string; kind: RateKind; level: number }>`
    SELECT b.rate_limit_id AS "limitId", b.kind, least(${capacityOf("b.kind", "per_minute")},
      b.level + per_minute * greatest(0, extract(epoch FROM clock_timestamp() - b.refilled_at)::float8) / 60) AS level
    FROM rate_bucket b JOIN rate_limit l ON l.id = b.rate_limit_id
      CROSS JOIN LATERAL (SELECT ${perMinuteOf("b.kind")} AS per_minute) AS of_kind
    WHERE b.rate_limit_id = ANY(${[...limitIds]}::text[]) AND per_minute IS NOT NULL`.execute(db);
  const levels = new Map<string, Partial<Record<RateKind, number>>>();
  for (const { limitId, kind, level } of rows) {
    levels.set(limitId, { ...levels.get(limitId), [kind]: level });
  }
  return levels;
}
