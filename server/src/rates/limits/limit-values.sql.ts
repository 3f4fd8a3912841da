import type { Database, Tx } from "#src/db/pool.ts";
import type { RateScopeType } from "#src/db/tables.ts";
import type { ScopeOfLimit } from "#src/limits/limit-kind.ts";
import type { LimitValue } from "#src/limits/limit-values.rule.ts";
import type { RateLimit } from "#src/rates/buckets/limits.sql.ts";
import type { WantedRates } from "./combine-values.rule.ts";

// Values of rate limits by rank. The limits in force are in rates/buckets/.

type Place = Pick<RateLimit, "modelGroup">;

/** Returns the values of all limits of these scopes, in any order. */
export async function listRateValues(
  db: Database | Tx,
  of: { organizationId: string; scopeIds: readonly string[] },
): Promise<(ScopeOfLimit & Place & LimitValue<WantedRates>)[]> {
  const rows = await db
    .selectFrom("rate_limit_value")
    .selectAll()
    .where("organization_id", "=", of.organizationId)
    .where("scope_id", "in", of.scopeIds)
    .execute();
  return rows.map((row) => ({
    organizationId: row.organization_id,
    scopeType: row.scope_type,
    scopeId: row.scope_id,
    modelGroup: row.model_group,
    rank: row.rank,
    wanted: {
      perMinute: {
        requests: row.requests_per_minute,
        input_tokens: row.input_tokens_per_minute,
        output_tokens: row.output_tokens_per_minute,
      },
    },
    setBy:
      row.set_by_type === null || row.set_by_id === null
        ? null
        : { type: row.set_by_type, id: row.set_by_id },
    setAtMs: row.set_at.getTime(),
  }));
}

/** Deletes the values of all limits of a scope. The caller has locked the scope. */
export async function deleteRateValues(
  tx: Tx,
  of: { organizationId: string; scopeId: string },
): Promise<void> {
  await tx
    .deleteFrom("rate_limit_value")
    .where("organization_id", "=", of.organizationId)
    .where("scope_id", "=", of.scopeId)
    .execute();
}

/** Replaces all values of one limit. The caller has locked its scope. */
export async function replaceRateValues(
  tx: Tx,
  of: ScopeOfLimit & Place & { scopeType: RateScopeType },
  values: readonly LimitValue<WantedRates>[],
): Promise<void> {
  const { organizationId, scopeType: scope_type, scopeId: scope_id, modelGroup: model_group } = of;
  await tx
    .deleteFrom("rate_limit_value")
    .where("organization_id", "=", organizationId)
    .where("scope_type", "=", scope_type)
    .where("scope_id", "=", scope_id)
    .where("model_group", "=", model_group)
    .execute();
  if (values.length === 0) return;
  const rows = values.map(({ rank, wanted: { perMinute }, setBy, setAtMs }) => ({
    ...{ organization_id: organizationId, scope_type, scope_id, model_group, rank },
    requests_per_minute: perMinute.requests,
    input_tokens_per_minute: perMinute.input_tokens,
    output_tokens_per_minute: perMinute.output_tokens,
    set_by_type: setBy?.type ?? null,
    set_by_id: setBy?.id ?? null,
    set_at: new Date(setAtMs),
  }));
  await tx.insertInto("rate_limit_value").values(rows).execute();
}
