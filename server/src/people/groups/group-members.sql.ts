import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { GroupMemberSource } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface GroupMemberRow {
  id: string;
  email: string;
  name: string;
  source: GroupMemberSource;
  /** Start of the membership. */
  joined_at: Date;
  /** Start of the member in the organization. */
  created_at: Date;
}

export interface MembershipOf {
  organizationId: string;
  groupId: string;
}

function selectGroupMembers(db: Database | Tx, of: MembershipOf) {
  return db
    .selectFrom("member")
    .innerJoin("group_member as held", "held.member_id", "member.id")
    .select([
      "member.id",
      "member.email",
      "member.name",
      "member.created_at",
      "held.source",
      "held.created_at as joined_at",
    ])
    .where("member.organization_id", "=", of.organizationId)
    .where("held.group_id", "=", of.groupId);
}

/** Returns one row more than the page holds. */
export async function listGroupMembers(
  db: Database | Tx,
  of: MembershipOf,
  page: PageRequest,
): Promise<GroupMemberRow[]> {
  return selectPage(selectGroupMembers(db, of), page, "member").execute();
}

export async function findGroupMember(
  db: Database | Tx,
  of: MembershipOf & { memberId: string },
): Promise<GroupMemberRow | null> {
  const row = await selectGroupMembers(db, of)
    .where("member.id", "=", of.memberId)
    .executeTakeFirst();
  return row ?? null;
}

/** Returns the id of the active member with the id or address, or null. */
export async function findMemberId(
  tx: Tx,
  of: { organizationId: string } & ({ id: string } | { email: string }),
): Promise<string | null> {
  const row = await tx
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("status", "=", "active")
    .where((eb) => ("id" in of ? eb("id", "=", of.id) : eb("email", "=", of.email)))
    .executeTakeFirst();
  return row?.id ?? null;
}
