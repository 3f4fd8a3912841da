import { findInheritedRole } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import type { Caller, MemberCaller } from "#src/domain/caller.ts";
import { combineGroupModels, type GroupModels } from "#src/domain/group-models.ts";
import { canGrantWorkspaceRole } from "#src/domain/rights.ts";
import { areModelsWider, isWorkspaceRoleWider } from "#src/domain/wider-access.ts";

// Effects of a group on the access of its members.

interface GivenRole {
  workspace_id: string;
  workspace_role: GivenWorkspaceRole;
}

/** True if the roles give the member a right that it lacks. */
export function areRolesWider(
  member: Pick<MemberCaller, "role" | "workspaceRoles">,
  roles: readonly GivenRole[],
): boolean {
  const inherited = findInheritedRole(member.role);
  return roles.some(({ workspace_id, workspace_role }) => {
    const held = member.workspaceRoles.get(workspace_id) ?? null;
    return [inherited, held].every((each) => isWorkspaceRoleWider(each, workspace_role));
  });
}

/**
 * True if a member with the lists of other groups gets more models when this group's list changes. Null: the group has no
 * list, or the member is not in the group.
 */
export function areMemberModelsWider(
  others: readonly GroupModels[],
  before: GroupModels | null,
  after: GroupModels | null,
): boolean {
  const join = (group: GroupModels | null) =>
    combineGroupModels(group === null ? others : [...others, group]);
  return areModelsWider(join(before), join(after));
}

/** Returns the first role that is above the caller's rights in its workspace, or null. */
export function findRoleAbove(caller: Caller, roles: readonly GivenRole[]): GivenRole | null {
  return (
    roles.find(
      ({ workspace_id, workspace_role }) =>
        !canGrantWorkspaceRole(caller, workspace_id, workspace_role),
    ) ?? null
  );
}
