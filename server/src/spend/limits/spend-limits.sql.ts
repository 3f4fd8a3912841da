import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { LimitFilter } from "#src/limits/limit-kind.ts";
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
  if (filter.blockingAt !== undefined) query = query.where(isBlockingAt(filter.blockingAt));
  return query.execute();
}
