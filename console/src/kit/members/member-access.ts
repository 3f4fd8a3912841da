import { findInheritedRole, type OrganizationRole } from "@bursar/contract/permissions.ts";
import { formatPlural } from "../../ui/format.ts";
import { listNames } from "../consequences/sentences.ts";

// Personal keys that stop when a member loses a role. A key stops if its owner has no role in its workspace.

/** Sources of a member's roles in workspaces. */
export interface MemberAccess {
  role: OrganizationRole;
  /** Workspaces with an assigned role. */
  assigned: readonly string[];
  groups: readonly { id: string; workspaces: readonly { workspace_id: string }[] }[];
}

interface OwnedKey {
  name: string;
  workspace_id: string;
  status: string;
  stopped_because: string | null;
}

/** Working keys whose owner has a role in their workspace before the change, and none after it. */
export function findStoppedKeys<Key extends OwnedKey>(
  keys: readonly Key[],
  { before, after }: { before: MemberAccess; after: MemberAccess },
): Key[] {
  return keys.filter(
    ({ status, stopped_because, workspace_id }) =>
      status === "active" &&
      stopped_because === null &&
      hasRoleIn(before, workspace_id) &&
      !hasRoleIn(after, workspace_id),
  );
}

function hasRoleIn({ role, assigned, groups }: MemberAccess, workspaceId: string): boolean {
  return (
    findInheritedRole(role) !== null ||
    assigned.includes(workspaceId) ||
    groups.some(({ workspaces }) =>
      workspaces.some(({ workspace_id }) => workspace_id === workspaceId),
    )
  );
}

/** `2 personal keys stop working: ci, laptop.` */
export function describeStoppedPersonalKeys(keys: readonly { name: string }[]): string {
  if (keys.length === 0) return "No personal key stops working.";
  const names = listNames(keys.map(({ name }) => name));
  return `${formatPlural(keys.length, "personal key stops", "personal keys stop")} working: ${names}.`;
}
