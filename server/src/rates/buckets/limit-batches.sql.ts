import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { RateKind } from "./bucket.ts";
import type { NewRateLimit } from "./limits.sql.ts";

// Changes of many configured rate limits, in one statement and with one revision.

/** `upsertRateLimit` for several limits. */
export async function upsertRateLimits(tx: Tx, limits: readonly NewRateLimit[]): Promise<void> {
  if (limits.length === 0) return;
  const textsOf = (field: "id" | "scopeType" | "scopeId" | "modelGroup") =>
    sql`${limits.map(({ [field]: text }) => text)}::text[]`;
  const numbersOf = (kind: RateKind) =>
    sql`${limits.map(({ perMinute }) => perMinute[kind])}::integer[]`;
  await sql`
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
    WHERE rate_limit.organization_id = excluded.organization_id`.execute(tx);
}

/** Deletes several limits with their buckets. */
export async function deleteRateLimits(
  tx: Tx,
  { organizationId, ids }: { organizationId: string; ids: readonly string[] },
): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    WITH version AS (UPDATE rate_limits_version SET value = value + 1),
      ended AS (DELETE FROM rate_limit
        WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...ids]}::text[]) RETURNING id)
    DELETE FROM rate_bucket USING ended WHERE rate_bucket.rate_limit_id = ended.id`.execute(tx);
}
