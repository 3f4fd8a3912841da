import { type RawBuilder, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { boundingSpans } from "#src/domain/forecast.ts";
import { periodNames } from "#src/domain/spend-period.ts";
import type { LimitVisibility } from "#src/limits/limit-kind.ts";
import { selectVisible } from "#src/limits/visible-limits.sql.ts";
import { RECORDED_SPEND } from "#src/recording/recorded-spend.sql.ts";
import { type SpendLimit, spendLimitColumns } from "#src/spend/ledger/limits.sql.ts";

/** A limit with its spend in the current period, and the cost that bounds its forecast. */
export interface LimitOutlookRow extends SpendLimit {
  /** Workspace of the scope. Null: not a workspace or key. */
  workspaceId: string | null;
  spentNanoUsd: bigint;
  /** Cost of the spans of `boundingSpans`. */
  boundingNanoUsd: bigint;
}

export interface OutlookTime {
  /** Today and the first days of the current periods, "YYYY-MM-DD". */
  today: string;
  periodStarts: Readonly<Record<PeriodName, string>>;
}

/** Lists visible strict and soft limits with something left, newest first. Default caps have no spend of their own. */
export async function listLimitOutlooks(
  db: Database,
  visibility: LimitVisibility,
  of: OutlookTime & { limit: number },
): Promise<LimitOutlookRow[]> {
  const spent = findSpent(of);
  const all = db
    .selectFrom("spend_limit")
    .select(spendLimitColumns)
    .select([
      workspaceId.as("workspaceId"),
      spent.as("spentNanoUsd"),
      sumBoundingSpans(of.today).as("boundingNanoUsd"),
    ])
    .where("spend_limit.enforcement", "!=", "alert_only")
    .where("spend_limit.scope_type", "!=", "group_member")
    .where(spent, "<", sql.ref<bigint>("spend_limit.amount_nano_usd"));
  const page = { limit: of.limit, direction: "older", from: null } as const;
  return await selectVisible(all, "spend_limit", { filter: visibility, page }).execute();
}

const workspaceId = sql<
  string | null
>`CASE spend_limit.scope_type WHEN 'workspace' THEN spend_limit.scope_id
  WHEN 'api_key' THEN (SELECT api_key.workspace_id FROM api_key WHERE api_key.id = spend_limit.scope_id) END`;

function findSpent({ periodStarts }: OutlookTime): RawBuilder<bigint> {
  const starts = periodNames.map((name) => sql`WHEN ${name} THEN ${periodStarts[name]}::date`);
  return sql<bigint>`coalesce((SELECT balance.settled_nano_usd FROM balance
    WHERE balance.scope_type = spend_limit.scope_type AND balance.scope_id = spend_limit.scope_id
      AND balance.period = spend_limit.period
      AND balance.period_start = CASE spend_limit.period ${sql.join(starts, sql` `)} END), 0)`;
}

/** Each span costs one index lookup per day. Adjustments are included. */
function sumBoundingSpans(today: string): RawBuilder<bigint> {
  const spans = periodNames.flatMap((name) =>
    boundingSpans[name].map(
      ({ length, daysAgo }) =>
        sql`(${name}::text, ${length}::text, ${today}::date - ${daysAgo}::integer)`,
    ),
  );
  return sql<bigint>`(SELECT coalesce(sum(${RECORDED_SPEND}), 0)::bigint FROM (
    SELECT spend_limit.organization_id, ${workspaceId} AS workspace_id, spend_limit.scope_type, spend_limit.scope_id,
      span.length AS period, span.start AS period_start
    FROM (VALUES ${sql.join(spans)}) AS span (of_period, length, start)
    WHERE span.of_period = spend_limit.period) AS wanted)`;
}
