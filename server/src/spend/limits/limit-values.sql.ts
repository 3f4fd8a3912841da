import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ScopeOfLimit } from "#src/limits/limit-kind.ts";
import type { LimitValue } from "#src/limits/limit-values.rule.ts";
import type { SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import type { WantedLimit } from "./combine-values.rule.ts";

// Values of spend limits by rank. The limits in force are in spend/ledger/.

type Place = Pick<SpendLimit, "period">;

/** Returns the values of all limits of these scopes, in any order. */
export async function listSpendValues(
  db: Database | Tx,
  of: { organizationId: string; scopeIds: readonly string[] },
): Promise<(ScopeOfLimit & Place & LimitValue<WantedLimit>)[]> {
  const rows = await db
    .selectFrom("spend_limit_value")
    .selectAll()
    .where("organization_id", "=", of.organizationId)
    .where(sql<SqlBool>`scope_id = ANY(${of.scopeIds}::text[])`)
    .execute();
  return rows.map((row) => ({
    organizationId: row.organization_id,
    scopeType: row.scope_type,
    scopeId: row.scope_id,
    period: row.period,
    rank: row.rank,
    wanted: {
      amountNanoUsd: row.amount_nano_usd,
      enforcement: row.enforcement,
      openEndedHoldNanoUsd: row.open_ended_hold_nano_usd,
      unknownFeatures: row.unknown_features,
      hold: row.hold,
    },
    setBy:
      row.set_by_type === null || row.set_by_id === null
        ? null
        : { type: row.set_by_type, id: row.set_by_id },
    setAtMs: row.set_at.getTime(),
  }));
}

/** Replaces all values of one limit. The caller has locked its scope. */
export async function replaceSpendValues(
  tx: Tx,
  of: ScopeOfLimit & Place,
  values: readonly LimitValue<WantedLimit>[],
): Promise<void> {
  const { organizationId: organization_id, scopeType: scope_type, scopeId: scope_id, period } = of;
  await tx
    .deleteFrom("spend_limit_value")
    .where("organization_id", "=", organization_id)
    .where("scope_type", "=", scope_type)
    .where("scope_id", "=", scope_id)
    .where("period", "=", period)
    .execute();
  if (values.length === 0) return;
  const rows = values.map(({ rank, wanted, setBy, setAtMs }) => ({
    ...{ organization_id, scope_type, scope_id, period, rank },
    amount_nano_usd: wanted.amountNanoUsd,
    enforcement: wanted.enforcement,
    open_ended_hold_nano_usd: wanted.openEndedHoldNanoUsd,
    unknown_features: wanted.unknownFeatures,
    hold: wanted.hold,
    set_by_type: setBy?.type ?? null,
    set_by_id: setBy?.id ?? null,
    set_at: new Date(setAtMs),
  }));
  await tx.insertInto("spend_limit_value").values(rows).execute();
}

/** Whether the organization requires two people to raise a spend limit. */
export async function needsTwoPeople(tx: Tx, organizationId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("security_settings")
    .select("raises_need_two_people")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.raises_need_two_people ?? false;
}
