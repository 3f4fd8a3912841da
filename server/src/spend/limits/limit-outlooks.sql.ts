import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { periodNames } from "#src/domain/spend-period.ts";
import type { LimitVisibility } from "#src/limits/limit-kind.ts";
import { selectVisible } from "#src/limits/visible-limits.sql.ts";
import { type SpendLimit, spendLimitColumns } from "#src/spend/ledger/limits.sql.ts";

/** A limit with its spend in the current period. */
export interface LimitOutlookRow extends SpendLimit {
  /** Workspace of the scope. Null: not a workspace or key. */
  workspaceId: string | null;
  spentNanoUsd: bigint;
  /** True if `spentNanoUsd` has all spend of the period. */
  isSpendComplete: boolean;
}

/** Lists visible strict and soft limits with something left, newest first. Default caps have no spend of their own. */
export async function listLimitOutlooks(
  tx: Tx,
  visibility: LimitVisibility,
  of: { periodStarts: Readonly<Record<PeriodName, string>>; limit: number },
): Promise<LimitOutlookRow[]> {
  const starts = periodNames.map((name) => sql`WHEN ${name} THEN ${of.periodStarts[name]}::date`);
  const all = tx
    .selectFrom("spend_limit")
    .leftJoin(
      (eb) =>
        eb
          .selectFrom("balance")
          .select([
            "balance.scope_type as used_type",
            "balance.scope_id as used_id",
            "balance.period as used_period",
            "balance.period_start as used_from",
            "balance.settled_nano_usd as used_nano_usd",
            "balance.is_complete as has_all_used",
          ])
          .as("used"),
      (join) =>
        join
          .onRef("used_type", "=", "spend_limit.scope_type")
          .onRef("used_id", "=", "spend_limit.scope_id")
          .onRef("used_period", "=", "spend_limit.period")
          .on("used_from", "=", sql`CASE spend_limit.period ${sql.join(starts, sql` `)} END`),
    )
    .select(spendLimitColumns)
    .select([
      workspaceId.as("workspaceId"),
      spent.as("spentNanoUsd"),
      sql<boolean>`coalesce(has_all_used, false)`.as("isSpendComplete"),
    ])
    .where("spend_limit.enforcement", "!=", "alert_only")
    .where("spend_limit.scope_type", "!=", "group_member")
    .where(spent, "<", sql.ref<bigint>("spend_limit.amount_nano_usd"));
  const page = { limit: of.limit, direction: "older", from: null } as const;
  return await selectVisible(all, "spend_limit", { filter: visibility, page }).execute();
}

const spent = sql<bigint>`coalesce(used_nano_usd, 0)`;

const workspaceId = sql<
  string | null
>`CASE spend_limit.scope_type WHEN 'workspace' THEN spend_limit.scope_id
  WHEN 'api_key' THEN (SELECT api_key.workspace_id FROM api_key WHERE api_key.id = spend_limit.scope_id) END`;
