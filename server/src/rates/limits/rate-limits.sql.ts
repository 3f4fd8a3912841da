import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { LimitFilter } from "#src/limits/limit-kind.ts";
import { selectVisible } from "#src/limits/visible-limits.sql.ts";
import {
  fromRowRateLimit,
  type RateLimit,
  rateLimitColumns,
} from "#src/rates/buckets/limits.sql.ts";

// Limits that a caller can see. Only rates/buckets/ writes them.

export interface RateLimitFilter extends LimitFilter {
  modelGroup?: string | undefined;
}

/** False for limits of members that only default rates decide. */
const hasOwnValue = sql<SqlBool>`(rate_limit.scope_type <> 'member' OR EXISTS (SELECT FROM rate_limit_value AS own
  WHERE own.scope_type = 'member' AND own.scope_id = rate_limit.scope_id AND own.model_group = rate_limit.model_group))`;

/** Returns limits newest first, one more than the page holds. */
export async function listVisibleRateLimits(
  db: Database | Tx,
  filter: RateLimitFilter,
  page: PageRequest,
): Promise<RateLimit[]> {
  const all = db.selectFrom("rate_limit").select(rateLimitColumns);
  let query = selectVisible(all, "rate_limit", { filter, page });
  if (filter.isOwnOnly) query = query.where(hasOwnValue);
  if (filter.modelGroup !== undefined) query = query.where("model_group", "=", filter.modelGroup);
  return (await query.execute()).map(fromRowRateLimit);
}
