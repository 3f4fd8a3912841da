import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { RateKind } from "./bucket.ts";
import {
  fromRowRateLimit,
  type RateLimit,
  type RateLimitRow,
  rateLimitColumns,
} from "./limits.sql.ts";

// Changes of configured rate limits. Each is one statement, with one revision for all its limits. The revision is locked first
// and until the commit, so its readers see all earlier changes.

export type NewRateLimit = Omit<RateLimit, "scopeName" | "revision" | "createdAt" | "updatedAt">;

const columns = sql.raw(
  rateLimitColumns.map((column) => column.replace(/ as (\w+)$/, ' AS "$1"')).join(", "),
);

/** `upsertRateLimits` for one limit. */
export async function upsertRateLimit(tx: Tx, row: NewRateLimit): Promise<RateLimit> {
  const [limit] = await upsertRateLimits(tx, [row]);
  if (limit === undefined) throw new Error("the statement returns a row for each limit");
  return limit;
}

/**
 * Creates the limit of each (scope, group), or replaces its numbers. A replaced limit keeps its id and creation time. Returns
 * them in any order. The caller must lock the scopes, which belong to the organization.
 */
export async function upsertRateLimits(
  tx: Tx,
  limits: readonly NewRateLimit[],
): Promise<RateLimit[]> {
  if (limits.length === 0) return [];
  const textsOf = (field: "id" | "scopeType" | "scopeId" | "modelGroup") =>
    sql`${limits.map(({ [field]: text }) => text)}::text[]`;
  const numbersOf = (kind: RateKind) =>
    sql`${limits.map(({ perMinute }) => perMinute[kind])}::integer[]`;
  const { rows } = await sql<RateLimitRow>`
    WITH version AS (UPDATE rate_limits_version SET value = value + 1 RETURNING value)
    INSERT INTO rate_limit (id, organization_id, scope_type, scope_id, model_group, requests_per_minute,
      input_tokens_per_minute, output_tokens_per_minute, revision)
    SELECT wanted.id, organization_id, scope_type, scope_id, model_group, requests, input_tokens, output_tokens, version.value
    FROM version, unnest(${limits.map(({ organizationId }) => organizationId)}::uuid[], ${textsOf("id")},
      ${textsOf("scopeType")}, ${textsOf("scopeId")}, ${textsOf("modelGroup")}, ${numbersOf("requests")},
      ${numbersOf("input_tokens")}, ${numbersOf("output_tokens")})
      AS wanted (organization_id, id, scope_type, scope_id, model_group, requests, input_tokens, output_tokens)
    ON CONFLICT (scope_type, scope_id, model_group) DO UPDATE SET requests_per_minute = excluded.requests_per_minute,
      input_tokens_per_minute = excluded.input_tokens_per_minute,
      output_tokens_per_minute = excluded.output_tokens_per_minute, revision = excluded.revision, updated_at = now()
    WHERE rate_limit.organization_id = excluded.organization_id
    RETURNING ${columns}`.execute(tx);
  // A scope belongs to one organization. If a caller confuses two, the statement returns no row.
  if (rows.length !== limits.length)
    throw new Error("a scope belongs to one organization for ever");
  return rows.map(fromRowRateLimit);
}

/** Deletes one limit with its buckets. Returns null if the organization has no such limit. */
export async function deleteRateLimit(
  tx: Tx,
  { organizationId, id }: { organizationId: string; id: string },
): Promise<RateLimit | null> {
  const [limit] = await deleteRateLimits(tx, { organizationId, ids: [id] });
  return limit ?? null;
}

/** Deletes limits with their buckets, and returns those that the organization had. */
export async function deleteRateLimits(
  tx: Tx,
  { organizationId, ids }: { organizationId: string; ids: readonly string[] },
): Promise<RateLimit[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<RateLimitRow>`
    WITH version AS (UPDATE rate_limits_version SET value = value + 1 RETURNING value),
      ended AS (DELETE FROM rate_limit USING version
        WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...ids]}::text[]) RETURNING ${columns}),
      emptied AS (DELETE FROM rate_bucket USING ended WHERE rate_bucket.rate_limit_id = ended.id)
    SELECT * FROM ended`.execute(tx);
  return rows.map(fromRowRateLimit);
}
