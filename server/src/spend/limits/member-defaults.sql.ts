import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { GroupLimitMode } from "#src/limits/limit-values.rule.ts";
import type { MemberDefault } from "./member-defaults.rule.ts";

// Default caps of groups, and those that apply to each member. `member_default_limit` has one row for each member, period and
// rank.

interface Members {
  organizationId: string;
  memberIds: readonly string[];
}

const valueColumns = [
  "period",
  "rank",
  "amount_nano_usd as amountNanoUsd",
  "enforcement",
  "open_ended_hold_nano_usd as openEndedHoldNanoUsd",
  "unknown_features as unknownFeatures",
  "hold",
] as const;

type DefaultRow = Omit<MemberDefault, "wanted"> & MemberDefault["wanted"];

/** Lists the defaults of all groups of the members, one for each rank, period and group. */
export async function listGroupDefaults(tx: Tx, of: Members): Promise<MemberDefault[]> {
  const rows = await tx
    .selectFrom("group_member")
    .innerJoin("spend_limit_value", "spend_limit_value.scope_id", "group_member.group_id")
    .select(["member_id as memberId", "group_id as groupId", ...valueColumns])
    .where("spend_limit_value.scope_type", "=", "group_member")
    .where("spend_limit_value.organization_id", "=", of.organizationId)
    .where(isAmong("group_member.member_id", of.memberIds))
    .execute();
  return rows.map(fromRow);
}

/** Lists the defaults that apply to the members, by rank. */
export async function listMemberDefaults(db: Database | Tx, of: Members): Promise<MemberDefault[]> {
  const rows = await db
    .selectFrom("member_default_limit")
    .select(["member_id as memberId", "group_id as groupId", ...valueColumns])
    .where("organization_id", "=", of.organizationId)
    .where(isAmong("member_id", of.memberIds))
    .execute();
  return rows.map(fromRow);
}

function fromRow({ memberId, groupId, period, rank, ...wanted }: DefaultRow): MemberDefault {
  return { memberId, groupId, period, rank, wanted };
}

/** Replaces the defaults that apply to the members. */
export async function replaceMemberDefaults(
  tx: Tx,
  { organizationId, memberIds }: Members,
  defaults: readonly MemberDefault[],
): Promise<void> {
  await tx
    .deleteFrom("member_default_limit")
    .where("organization_id", "=", organizationId)
    .where(isAmong("member_id", memberIds))
    .execute();
  for (let at = 0; at < defaults.length; at += MAX_ROWS) {
    const rows = defaults
      .slice(at, at + MAX_ROWS)
      .map(({ memberId, period, rank, groupId, wanted }) => ({
        organization_id: organizationId,
        ...{ member_id: memberId, period, rank, group_id: groupId },
        amount_nano_usd: wanted.amountNanoUsd,
        enforcement: wanted.enforcement,
        open_ended_hold_nano_usd: wanted.openEndedHoldNanoUsd,
        unknown_features: wanted.unknownFeatures,
        hold: wanted.hold,
      }));
    await tx.insertInto("member_default_limit").values(rows).execute();
  }
}

/** Rows of one statement, which has at most 65,535 parameters. */
const MAX_ROWS = 1_000;

/** One parameter for all ids. */
function isAmong(column: string, ids: readonly string[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`${sql.ref(column)} = ANY(${ids}::text[])`;
}

export async function saveGroupLimitMode(
  tx: Tx,
  { organizationId, mode }: { organizationId: string; mode: GroupLimitMode },
): Promise<void> {
  await tx
    .updateTable("organization")
    .set({ group_limit_mode: mode })
    .where("id", "=", organizationId)
    .execute();
}

/** Lists the members of all groups with a default cap. */
export async function listMembersWithDefaults(tx: Tx, organizationId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom("spend_limit_value")
    .innerJoin("group_member", "group_member.group_id", "spend_limit_value.scope_id")
    .select("group_member.member_id")
    .distinct()
    .where("spend_limit_value.organization_id", "=", organizationId)
    .where("spend_limit_value.scope_type", "=", "group_member")
    .orderBy("group_member.member_id")
    .execute();
  return rows.map(({ member_id: id }) => id);
}
