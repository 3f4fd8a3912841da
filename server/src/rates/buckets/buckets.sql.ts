import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { burstMsOf, type RateKind, ROUNDING } from "./bucket.ts";
import type { BucketAnswer, BucketAsk } from "./node-bucket.ts";

// The shared buckets, which only what stands here touches. One statement refills, grants and takes, in bucket.ts's
// arithmetic. Time is the database's, read when the row is locked: whoever comes later reads a later time. Where that
// clock was set back nothing refills for the step, and the bucket goes on from the new time.

/** `revision` is that of the limit it was granted under. */
export type LimitAnswer = BucketAnswer & { revision: bigint };

const REQUESTS_BURST_MS = burstMsOf("requests");
const TOKENS_BURST_MS = burstMsOf("input_tokens");

/** Of `l` (rate_limit) what is limited as `kind`, null where it is not. */
const perMinuteOf = (kind: string) => sql<number | null>`CASE ${sql.raw(kind)}
  WHEN 'requests' THEN l.requests_per_minute WHEN 'input_tokens' THEN l.input_tokens_per_minute
  ELSE l.output_tokens_per_minute END`;

const capacityOf = (kind: string, perMinute: string) => sql<number>`greatest(1,
  ${sql.raw(perMinute)} * CASE ${sql.raw(kind)} WHEN 'requests' THEN ${REQUESTS_BURST_MS}::float8
  ELSE ${TOKENS_BURST_MS}::float8 END / 60000)`;

/**
 * Asks all of them at once, and takes what they give: as many whole requests as are there, up to those that are wanted.
 * What was used is taken whatever is there. In the order of `asks`; null where that is not limited any more.
 */
export async function askBuckets(
  db: Database,
  asks: readonly BucketAsk[],
): Promise<(LimitAnswer | null)[]> {
  const answers = await takeFromBuckets(db, asks);
  const missing = asks.filter((ask) => !answers.has(placeOf(ask)));
  if (missing.length > 0) {
    await makeBuckets(db, missing);
    for (const [place, answer] of await takeFromBuckets(db, missing)) answers.set(place, answer);
  }
  return asks.map((ask) => answers.get(placeOf(ask)) ?? null);
}

const placeOf = ({ limitId, kind }: { limitId: string; kind: RateKind }) => `${limitId} ${kind}`;

interface TakenRow extends LimitAnswer {
  limitId: string;
  kind: RateKind;
}

/** Locks in one order, so that nodes wait for one another and never in a circle. */
async function takeFromBuckets(
  db: Database,
  asks: readonly BucketAsk[],
): Promise<Map<string, LimitAnswer>> {
  const { rows } = await sql<TakenRow>`
    WITH asked AS (
      SELECT a.id, a.kind, a.wanted, a.used, l.revision, ${perMinuteOf("a.kind")} AS per_minute
      FROM unnest(${asks.map(({ limitId }) => limitId)}::text[], ${asks.map(({ kind }) => kind)}::text[],
        ${asks.map(({ wanted }) => wanted)}::float8[], ${asks.map(({ used }) => used)}::float8[])
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

/** Full ones, for limits that nobody has asked for yet. */
async function makeBuckets(db: Database, of: readonly BucketAsk[]): Promise<void> {
  await sql`
    INSERT INTO rate_bucket (rate_limit_id, kind, level, refilled_at)
    SELECT id, kind, ${capacityOf("kind", "per_minute")}, clock_timestamp() FROM (
      SELECT a.id, a.kind, ${perMinuteOf("a.kind")} AS per_minute
      FROM unnest(${of.map(({ limitId }) => limitId)}::text[], ${of.map(({ kind }) => kind)}::text[]) AS a (id, kind)
      JOIN rate_limit l ON l.id = a.id) AS limited
    WHERE per_minute IS NOT NULL ORDER BY id, kind
    ON CONFLICT DO NOTHING`.execute(db);
}

/** What is left at this moment, by limit and kind; what nobody has asked for is full and not among them. */
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
