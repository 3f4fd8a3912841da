import type { WorkspaceRole } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { MemberOf } from "./members.sql.ts";

export interface AssignedRole {
  member_id: string;
  workspace_id: string;
  workspace_name: string;
  role: Exclude<WorkspaceRole, "workspace_billing">;
}

/** Workspace roles assigned to the members, in all workspaces or in `onlyIds`. */
export async function listAssignedRoles(
  db: Database | Tx,
  of: { organizationId: string; memberIds: readonly string[]; onlyIds: readonly string[] | null },
): Promise<AssignedRole[]> {
  if (of.memberIds.length === 0 || of.onlyIds?.length === 0) return [];
  let query = db
    .selectFrom("workspace_member")
    .innerJoin("workspace", "workspace.id", "workspace_member.workspace_id")
    .select([
      "workspace_member.member_id",
      "workspace_member.workspace_id",
      "workspace_member.role",
      "workspace.name as workspace_name",
    ])
    .where("workspace.organization_id", "=", of.organizationId)
    .where("workspace_member.member_id", "in", of.memberIds)
    .orderBy("workspace.created_at")
    .orderBy("workspace.id");
  if (of.onlyIds) query = query.where("workspace.id", "in", of.onlyIds);
  return query.execute();
}

export async function deleteAssignedRoles(tx: Tx, memberId: string): Promise<void> {
  await tx.deleteFrom("workspace_member").where("member_id", "=", memberId).execute();
}

export interface HeldGroup {
  id: string;
  name: string;
}

/** Groups of the member, by name. */
export async function listGroupsOfMember(db: Database | Tx, of: MemberOf): Promise<HeldGroup[]> {
  return db
    .selectFrom("group_member")
    .innerJoin("member_group", "member_group.id", "group_member.group_id")
    .select(["member_group.id", "member_group.name"])
    .where("member_group.organization_id", "=", of.organizationId)
    .where("group_member.member_id", "=", of.id)
    .orderBy("member_group.name")
    .orderBy("member_group.id")
    .execute();
}

/** Removes the member from all groups, whatever the source of the membership. */
export async function leaveAllGroups(tx: Tx, memberId: string): Promise<void> {
  await tx.deleteFrom("group_member").where("member_id", "=", memberId).execute();
}

export interface SentInvite {
  id: string;
  email: string;
}

/** Open invites created by the member. */
export async function listPendingInvites(
  db: Database | Tx,
  of: MemberOf & { nowMs: number },
): Promise<SentInvite[]> {
  return db
    .selectFrom("invite")
    .select(["id", "email"])
    .where("organization_id", "=", of.organizationId)
    .where("invited_by_type", "=", "member")
    .where("invited_by_id", "=", of.id)
    .where("is_open", "=", true)
    .where("expires_at", ">", new Date(of.nowMs))
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

export async function revokeInvites(
  tx: Tx,
  invites: { ids: readonly string[]; nowMs: number },
): Promise<void> {
  if (invites.ids.length === 0) return;
  await tx
    .updateTable("invite")
    .set({ revoked_at: new Date(invites.nowMs), is_open: false })
    .where("id", "in", invites.ids)
    .execute();
}
