import { type SqlBool, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import type { Position } from "#src/domain/page-position.ts";
import { findOpenHours, selectRollup } from "#src/recording/open-hours.sql.ts";

/** A member who is not removed, with the cost of the member's keys. */
export interface MemberSpendRow {
  id: string;
  name: string;
  email: string;
  createdAt: Date;
  daily: bigint;
  weekly: bigint;
  monthly: bigint;
}

export interface MemberSpendQuery {
  organizationId: string;
  /** Start of each running period. */
  starts: Readonly<Record<PeriodName, Date>>;
  userIds?: readonly string[] | undefined;
  /** Part of name or address, case-insensitive. */
  search?: string | undefined;
  /** Only members with a limit of one of these periods. Undefined: all members. */
  limitedIn?: readonly PeriodName[] | undefined;
  order:
    | { by: "created"; after: Position | null }
    | { by: PeriodName; after: { spentNanoUsd: bigint; id: string } | null };
  limit: number;
}

/** Lists newest members first, or those with the highest spend of a period. Returns one row more than the limit. */
export async function listMemberSpend(
  db: Database,
  { organizationId, starts, userIds, search, limitedIn, order, limit }: MemberSpendQuery,
): Promise<MemberSpendRow[]> {
  const conditions = [sql<SqlBool>`true`];
  if (userIds !== undefined) conditions.push(sql`id = ANY(${[...userIds]}::text[])`);
  if (search !== undefined) {
    conditions.push(
      sql`(strpos(lower(name), lower(${search})) > 0 OR strpos(lower(email), lower(${search})) > 0)`,
    );
  }
  if (limitedIn !== undefined) {
    conditions.push(sql`EXISTS (SELECT FROM spend_limit WHERE spend_limit.scope_type = 'member'
      AND spend_limit.scope_id = listed.id AND spend_limit.period = ANY(${[...limitedIn]}::text[]))`);
  }
  if (order.after !== null) conditions.push(isAfter(order));
  const orderBy = order.by === "created" ? sql.ref("createdAt") : sql.ref(order.by);
  const isWanted =
    userIds === undefined ? sql`true` : sql`member_id = ANY(${[...userIds]}::text[])`;
  const first = new Date(Math.min(starts.weekly.getTime(), starts.monthly.getTime()));
  const since = (start: Date) =>
    sql`coalesce(sum(cost_nano_usd) FILTER (WHERE bucket_at >= ${start}), 0)::bigint`;
  return inSnapshot(db, async (tx) => {
    const openHours = await findOpenHours(tx, organizationId);
    const { rows } = await sql<MemberSpendRow>`
    WITH spent AS (
      SELECT member_id, ${since(starts.daily)} AS daily, ${since(starts.weekly)} AS weekly,
        ${since(starts.monthly)} AS monthly
      FROM ${selectRollup("usage_member_day", organizationId, openHours)} AS usage
      WHERE bucket_at >= ${first} AND ${isWanted}
      GROUP BY member_id
    ), listed AS (
      SELECT member.id, member.name, member.email,
        date_trunc('milliseconds', member.created_at) AS "createdAt",
        coalesce(spent.daily, 0) AS daily, coalesce(spent.weekly, 0) AS weekly,
        coalesce(spent.monthly, 0) AS monthly
      FROM member LEFT JOIN spent ON spent.member_id = member.id
      WHERE member.organization_id = ${organizationId} AND member.status <> 'removed'
    )
    SELECT * FROM listed WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${orderBy} DESC, id DESC LIMIT ${limit + 1}`.execute(tx);
    return rows;
  });
}

function isAfter({ by, after }: MemberSpendQuery["order"]) {
  if (after !== null && "spentNanoUsd" in after) {
    return sql<SqlBool>`(${sql.ref(by)}, id) < (${after.spentNanoUsd}, ${after.id})`;
  }
  const createdAt = new Date(after?.createdAtMs ?? 0);
  return sql<SqlBool>`("createdAt", id) < (${createdAt}::timestamptz, ${after?.id ?? ""})`;
}
