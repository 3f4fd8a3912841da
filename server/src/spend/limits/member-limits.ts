import type { listEffectiveMemberLimits } from "@bursar/contract/admin/official-spend-limits.ts";
import type { RouteInput, RouteOutput } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Database } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { fromCursor, readCursor, readCursorAmount } from "#src/domain/page-position.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import {
  toOfficialCap,
  toOfficialScope,
  toOfficialSpend,
} from "#src/spend/ledger/official-limit.ts";
import { listMemberSpend, type MemberSpendQuery, type MemberSpendRow } from "./member-spend.sql.ts";
import { findSourcedLimits, type SourcedLimit } from "./sourced-limits.ts";

// The official report of each member's limits: the member's own limit, or else the organization's, which all members share.

type Query = RouteInput<typeof listEffectiveMemberLimits>["query"];
type Answer = RouteOutput<typeof listEffectiveMemberLimits>;

/** The spend of the first period sorts the list. */
const longestFirst = ["monthly", "weekly", "daily"] as const satisfies PeriodName[];

/** Lists members, with a row for each period in which they have a limit. */
export async function listMemberLimits(
  deps: Pick<AuditDeps, "database" | "nowMs">,
  { caller }: Call,
  { limit, page: cursor, ...query }: Query,
): Promise<Answer> {
  const { organizationId } = caller;
  const periods = longestFirst.filter((period) => query.period?.includes(period) ?? true);
  const filters = { list: "member_limits", ...query };
  const order = readOrder(cursor, filters, query.sort === "spend_desc" ? periods[0] : undefined);
  const shared = await listSharedLimits(deps.database, organizationId, periods);
  const nowMs = deps.nowMs();
  const startOf = (period: PeriodName) => new Date(periodOf(period, nowMs).startMs);
  const rows = await listMemberSpend(deps.database, {
    organizationId,
    starts: { daily: startOf("daily"), weekly: startOf("weekly"), monthly: startOf("monthly") },
    userIds: query.user_ids,
    search: query.q,
    limitedIn: shared.size > 0 ? undefined : periods,
    order,
    limit,
  });
  const members = rows.slice(0, limit);
  const memberIds = members.map(({ id }) => id);
  const own = await findSourcedLimits(deps.database, { organizationId, memberIds });
  const last = rows.length > limit ? members.at(-1) : undefined;
  return {
    data: members.flatMap((member) =>
      periods.flatMap((period) => {
        const found = own.get(`${member.id} ${period}`) ?? shared.get(period);
        return found === undefined ? [] : toRow(member, found);
      }),
    ),
    next_page: last === undefined ? null : encodeCursor(positionOf(last, order), filters),
  };
}

/** The organization's limits by period, except those that only alert. */
async function listSharedLimits(
  db: Database,
  organizationId: string,
  periods: readonly PeriodName[],
): Promise<ReadonlyMap<PeriodName, SourcedLimit>> {
  const scope = { organizationId, scopeType: "organization" } as const;
  const found = (await listSpendLimits(db, scope)).filter(
    ({ period, enforcement }) => periods.includes(period) && enforcement !== "alert_only",
  );
  return new Map(found.map((limit) => [limit.period, { limit, source: limit }]));
}

/** Throws a 400 for a cursor of another list. */
function readOrder(
  cursor: string | undefined,
  filters: unknown,
  by: PeriodName | undefined,
): MemberSpendQuery["order"] {
  if (by === undefined) return { by: "created", after: fromCursor(cursor, 1, filters).from };
  if (cursor === undefined) return { by, after: null };
  const [spent, id] = readCursor(cursor, filters, ["string", "string"]);
  return { by, after: { spentNanoUsd: readCursorAmount(spent), id: String(id) } };
}

function positionOf(row: MemberSpendRow, { by }: MemberSpendQuery["order"]): (string | number)[] {
  return by === "created" ? [row.createdAt.getTime(), row.id] : [String(row[by]), row.id];
}

function toRow(member: MemberSpendRow, { limit, source }: SourcedLimit): Answer["data"][number] {
  return {
    actor: {
      type: "user_actor",
      user_id: member.id,
      name: member.name,
      email_address: member.email,
      deleted: false,
    },
    amount: toOfficialCap(limit),
    currency: "USD",
    period: limit.period,
    period_to_date_spend: toOfficialSpend(member[limit.period]),
    scope: { type: "user", user_id: member.id },
    source: toOfficialScope(source),
    spend_limit_id: source.id,
  };
}
