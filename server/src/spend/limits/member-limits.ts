import type { listEffectiveMemberLimits } from "@bursar/contract/admin/spend-limits.ts";
import type { RouteInput, RouteOutput } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { fromCursor, readCursor, readCursorAmount } from "#src/domain/page-position.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { listSpendLimits, type SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { toOfficialAmount, toOfficialSpend } from "#src/spend/ledger/official-limit.ts";
import { listMemberSpend, type MemberSpendQuery, type MemberSpendRow } from "./member-spend.sql.ts";

// The official report of each member's limits. Members have no limits of their own in Bursar, so the organization's limit
// of each period applies to all.

type Query = RouteInput<typeof listEffectiveMemberLimits>["query"];
type Answer = RouteOutput<typeof listEffectiveMemberLimits>;

/** The spend of the first period sorts the list. */
const longestFirst = ["monthly", "weekly", "daily"] as const satisfies PeriodName[];

/** Lists members, with a row for each period whose limit can refuse their requests. */
export async function listMemberLimits(
  deps: Pick<AuditDeps, "database" | "nowMs">,
  { caller }: Call,
  { limit, page: cursor, ...query }: Query,
): Promise<Answer> {
  const { organizationId } = caller;
  const periods = longestFirst.filter((period) => query.period?.includes(period) ?? true);
  const filters = { list: "member_limits", ...query };
  const order = readOrder(cursor, filters, query.sort === "spend_desc" ? periods[0] : undefined);
  const found = await listSpendLimits(deps.database, {
    organizationId,
    scopeType: "organization",
  });
  const limits = periods.flatMap((period) =>
    found.filter((each) => each.period === period && each.enforcement !== "alert_only"),
  );
  if (limits.length === 0) return { data: [], next_page: null };
  const nowMs = deps.nowMs();
  const startOf = (period: PeriodName) => new Date(periodOf(period, nowMs).startMs);
  const rows = await listMemberSpend(deps.database, {
    organizationId,
    starts: { daily: startOf("daily"), weekly: startOf("weekly"), monthly: startOf("monthly") },
    userIds: query.user_ids,
    search: query.q,
    order,
    limit,
  });
  const members = rows.slice(0, limit);
  const last = rows.length > limit ? members.at(-1) : undefined;
  return {
    data: members.flatMap((member) => limits.map((each) => toRow(member, each))),
    next_page: last === undefined ? null : encodeCursor(positionOf(last, order), filters),
  };
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

function toRow(member: MemberSpendRow, limit: SpendLimit): Answer["data"][number] {
  return {
    actor: {
      type: "user_actor",
      user_id: member.id,
      name: member.name,
      email_address: member.email,
      deleted: false,
    },
    amount: toOfficialAmount(limit.amountNanoUsd),
    currency: "USD",
    period: limit.period,
    period_to_date_spend: toOfficialSpend(member[limit.period]),
    scope: { type: "user", user_id: member.id },
    source: { type: "organization" },
    spend_limit_id: limit.id,
  };
}
