import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { GroupMemberSource } from "#src/db/tables.ts";
import type { MembershipOf } from "./group-members.sql.ts";

/** A member whose membership was changed. */
export interface ChangedMember {
  id: string;
  email: string;
  name: string;
}

/** Changed memberships of one source. */
export interface MembershipChange extends MembershipOf {
  memberIds: readonly string[];
  source: GroupMemberSource;
}

/**
 * Adds active members of the organization, and returns those whose membership is new. A direct membership replaces one of
 * another source, and no other source replaces it.
 */
export async function insertMemberships(
  tx: Tx,
  change: MembershipChange & { now: Date },
): Promise<ChangedMember[]> {
  const { organizationId, groupId, memberIds, source, now } = change;
  const { rows } = await sql<ChangedMember>`
    WITH added AS (
      INSERT INTO group_member AS held (group_id, member_id, source, created_at)
      SELECT g.id, member.id, ${source}, ${now}
      FROM member_group AS g JOIN member ON member.organization_id = g.organization_id
      WHERE g.organization_id = ${organizationId} AND g.id = ${groupId}
        AND member.id = ANY(${[...memberIds]}::text[]) AND member.status = 'active'
      ORDER BY member.id
      ON CONFLICT (group_id, member_id) DO UPDATE SET source = excluded.source
        WHERE excluded.source = 'direct' AND held.source <> 'direct'
      RETURNING member_id)
    SELECT member.id, member.email, member.name FROM added JOIN member ON member.id = added.member_id
    ORDER BY member.id`.execute(tx);
  return rows;
}

/** Removes memberships of this source only, and returns their members. */
export async function deleteMemberships(
  tx: Tx,
  { organizationId, groupId, memberIds, source }: MembershipChange,
): Promise<ChangedMember[]> {
  const { rows } = await sql<ChangedMember>`
    WITH removed AS (
      DELETE FROM group_member AS held USING member_group AS g
      WHERE g.id = held.group_id AND g.organization_id = ${organizationId} AND g.id = ${groupId}
        AND held.member_id = ANY(${[...memberIds]}::text[]) AND held.source = ${source}
      RETURNING held.member_id)
    SELECT member.id, member.email, member.name FROM removed JOIN member ON member.id = removed.member_id
    ORDER BY member.id`.execute(tx);
  return rows;
}
