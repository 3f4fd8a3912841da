import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { LimitFilter, LimitVisibility } from "#src/limits/limit-kind.ts";
import { selectVisible } from "#src/limits/visible-limits.sql.ts";
import { type SpendLimit, spendLimitColumns } from "#src/spend/ledger/limits.sql.ts";
import { type BlockingTime, isBlockingAt } from "./blocked-scopes.sql.ts";

// Limits that a caller can see. Only spend/ledger/ writes limits.

export interface SpendLimitFilter extends LimitFilter {
  period?: PeriodName | undefined;
  /** Only limits that block requests at this time. */
  blockingAt?: BlockingTime | undefined;
}

/** Lists newest first, one row more than the page holds. */
export function listVisibleLimits(
  db: Database | Tx,
  filter: SpendLimitFilter,
  page: PageRequest,
): Promise<SpendLimit[]> {
  const all = db.selectFrom("spend_limit").select(spendLimitColumns);
  let query = selectVisible(all, "spend_limit", { filter, page });
  if (filter.period !== undefined) query = query.where("period", "=", filter.period);
  if (filter.isOwnOnly) query = query.where(hasOwnValue);
  if (filter.blockingAt !== undefined) query = query.where(isBlockingAt(filter.blockingAt));
  return query.execute();
}

/** Most limits that `countBlocking` counts. */
const MAX_COUNTED = 1_000;

/** Counts visible limits that block requests at this time, up to a maximum. */
export async function countBlocking(
  db: Database,
  visibility: LimitVisibility,
  blockingAt: BlockingTime,
): Promise<number> {
  const page = { limit: MAX_COUNTED, direction: "older", from: null } as const;
  const all = db.selectFrom("spend_limit").select("id");
  const query = selectVisible(all, "spend_limit", { filter: visibility, page });
  return (await query.where(isBlockingAt(blockingAt)).execute()).length;
}

/** False for the limit of a member that only defaults of groups decide. Other limits have values, or are of version 0.1. */
const hasOwnValue = sql<SqlBool>`(spend_limit.scope_type <> 'member' OR EXISTS (SELECT FROM spend_limit_value AS own
  WHERE own.organization_id = spend_limit.organization_id AND own.scope_type = 'member'
    AND own.scope_id = spend_limit.scope_id AND own.period = spend_limit.period))`;
