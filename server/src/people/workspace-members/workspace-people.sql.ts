import { type OrganizationRole, workspaceRoles } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** An active member of the organization, seen from one workspace. */
export interface PersonRow {
  id: string;
  email: string;
  name: string;
  role: OrganizationRole;
  created_at: Date;
  given_role: GivenWorkspaceRole | null;
  /** Groups that give a role in the workspace, the highest role first. Null: none. */
  group_roles: GroupRole[] | null;
}

export interface GroupRole {
  group_id: string;
  name: string;
  workspace_role: GivenWorkspaceRole;
}

export interface Place {
  organizationId: string;
  workspaceId: string;
}

export async function findPerson(
  db: Database | Tx,
  of: Place & { memberId: string },
): Promise<PersonRow | null> {
  const row = await selectPeople(db, of).where("member.id", "=", of.memberId).executeTakeFirst();
  return row ?? null;
}

export function selectPeople(db: Database | Tx, of: Place) {
  return db
    .selectFrom("member")
    .leftJoin("workspace_member", (join) =>
      join
        .onRef("workspace_member.member_id", "=", "member.id")
        .on("workspace_member.workspace_id", "=", of.workspaceId),
    )
    .select([
      "member.id",
      "member.email",
      "member.name",
      "member.role",
      "member.created_at",
      "workspace_member.role as given_role",
      sql<GroupRole[] | null>`(
        SELECT json_agg(json_build_object('group_id', g.id, 'name', g.name, 'workspace_role', given.role)
          ORDER BY array_position(${[...workspaceRoles]}::text[], given.role), g.name, g.id)
        FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
        JOIN group_workspace AS given ON given.group_id = g.id
        WHERE held.member_id = member.id AND given.workspace_id = ${of.workspaceId})`.as(
        "group_roles",
      ),
    ])
    .where("member.organization_id", "=", of.organizationId)
    .where("member.status", "=", "active");
}

export interface MemberPlace {
  workspaceId: string;
  memberId: string;
}

export async function deleteAssignedRole(tx: Tx, of: MemberPlace): Promise<void> {
  await tx
    .deleteFrom("workspace_member")
    .where("workspace_id", "=", of.workspaceId)
    .where("member_id", "=", of.memberId)
    .execute();
}
