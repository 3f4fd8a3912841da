import { roleNames } from "@bursar/contract/permissions.ts";
import { archiveApiKeys, revokeAdminKey } from "#src/access/stop-keys.sql.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { assert } from "#src/lib/assert.ts";
import { auditOfMember, deactivate, isLastOwner } from "#src/people/leaving/deactivate.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { auditOfWorkspaceMember } from "#src/people/workspace-members/audit-workspace-member.ts";
import {
  deleteAssignedRole,
  findPerson,
} from "#src/people/workspace-members/workspace-people.sql.ts";
import { lockAdminKey, lockApiKey } from "./apply-item.sql.ts";
import type { ItemRow } from "./items.sql.ts";

/** Result of removing an access. Access that has changed since the review stays. */
export type Applied =
  | { result: "removed"; audit: AuditEntry }
  | { result: "already_gone"; message: string }
  | { result: "not_applied"; message: string };

interface ApplyOf {
  organizationId: string;
  nowMs: number;
}

/**
 * Removes the access of one item, like the API calls for single removals: sessions end, keys stop within a second. All
 * locks last until the transaction ends.
 */
export function removeAccess(tx: Tx, item: ItemRow, of: ApplyOf): Promise<Applied> {
  switch (item.path) {
    case "organization_role":
      return deactivateMember(tx, item, of);
    case "workspace_role":
      return removeWorkspaceRole(tx, item, of);
    case "group_role":
      return explainGroupRole(tx, item, of);
    case "member_key":
    case "workspace_key":
      return archiveKey(tx, item, of);
    case "admin_key":
      return revokeKey(tx, item, of);
  }
}

async function deactivateMember(tx: Tx, item: ItemRow, of: ApplyOf): Promise<Applied> {
  const { organizationId } = of;
  assert(item.member_id, "a role in the organization is a member's");
  await lockPeople(tx, organizationId);
  const before = await findMember(tx, { organizationId, id: item.member_id });
  if (before === null || before.status !== "active") {
    return alreadyGone("The member was already deactivated or removed.");
  }
  if (before.role !== item.role) return changed(item.role, before.role);
  if (before.role === "owner" && item.decision !== "remove") {
    return notApplied("an Owner is only removed by a decision, and this one has none.");
  }
  if (await isLastOwner(tx, organizationId, before)) {
    return notApplied(
      "this is the last active Owner of the organization. Make another member an Owner first.",
    );
  }
  const { after, ending } = await deactivate(tx, before, of);
  return { result: "removed", audit: auditOfMember("member.deactivated", before, after, ending) };
}

async function removeWorkspaceRole(tx: Tx, item: ItemRow, of: ApplyOf): Promise<Applied> {
  const { member_id: memberId, workspace_id: workspaceId } = item;
  assert(memberId && workspaceId, "a role in a workspace is a member's, there");
  await lockPeople(tx, of.organizationId);
  const place = { organizationId: of.organizationId, workspaceId };
  const before = await findPerson(tx, { ...place, memberId });
  if (before === null || before.given_role === null) {
    return alreadyGone("The member had already left the workspace or the organization.");
  }
  if (before.given_role !== item.role) return changed(item.role, before.given_role);
  await deleteAssignedRole(tx, { workspaceId, memberId });
  const after = { ...before, given_role: null };
  return {
    result: "removed",
    audit: auditOfWorkspaceMember("removed", workspaceId, before, after),
  };
}

/**
 * The role of a group is no access of one member alone, so a person decides between the membership and the role. Names both
 * while the role lasts.
 */
async function explainGroupRole(tx: Tx, item: ItemRow, of: ApplyOf): Promise<Applied> {
  const { member_id: memberId, workspace_id: workspaceId } = item;
  assert(memberId && workspaceId, "a role of a group is a member's, in a workspace");
  await lockPeople(tx, of.organizationId);
  const place = { organizationId: of.organizationId, workspaceId };
  const person = await findPerson(tx, { ...place, memberId });
  const { group } = item.snapshot as { group: { id: string } };
  const held = person?.group_roles?.find(({ group_id }) => group_id === group.id);
  if (held === undefined) {
    return alreadyGone("The group already gave the member no role in the workspace any more.");
  }
  if (held.workspace_role !== item.role) return changed(item.role, held.workspace_role);
  return notApplied(
    `the role comes from the group ${held.name}. Remove the member from the group, or change the role of the group in the workspace.`,
  );
}

async function archiveKey(tx: Tx, item: ItemRow, of: ApplyOf): Promise<Applied> {
  assert(item.api_key_id, "the item is about an API key");
  const { organizationId, nowMs } = of;
  const before = await lockApiKey(tx, { organizationId, id: item.api_key_id });
  if (before === null || before.status === "archived") {
    return alreadyGone("The key was already archived.");
  }
  await archiveApiKeys(tx, { organizationId, ids: [before.id], nowMs });
  const shown = {
    name: before.name,
    permission: before.permission,
    owner_member_id: before.owner_member_id,
    partial_key_hint: before.hint,
  };
  return {
    result: "removed",
    audit: {
      event: "api_key.updated",
      subject: { type: "api_key", id: before.id },
      workspaceId: before.workspace_id,
      before: { ...shown, status: before.status },
      after: { ...shown, status: "archived" },
    },
  };
}

async function revokeKey(tx: Tx, item: ItemRow, of: ApplyOf): Promise<Applied> {
  assert(item.admin_key_id, "the item is about an admin key");
  const { organizationId, nowMs } = of;
  const before = await lockAdminKey(tx, { organizationId, id: item.admin_key_id });
  if (before === null || before.status === "revoked") {
    return alreadyGone("The key was already revoked.");
  }
  await revokeAdminKey(tx, { organizationId, id: before.id, revokedAt: new Date(nowMs) });
  const shown = { name: before.name, partial_key_hint: before.partial_key_hint };
  return {
    result: "removed",
    audit: {
      event: "admin_key.revoked",
      subject: { type: "admin_key", id: before.id },
      workspaceId: null,
      before: { ...shown, status: before.status },
      after: { ...shown, status: "revoked" },
    },
  };
}

function alreadyGone(message: string): Applied {
  return { result: "already_gone", message };
}

function changed(reviewed: string, now: keyof typeof roleNames): Applied {
  const name = roleNames[reviewed as keyof typeof roleNames];
  return notApplied(
    `the role was ${name} when it was reviewed and is ${roleNames[now]} now. Review it again.`,
  );
}

function notApplied(why: string): Applied {
  return { result: "not_applied", message: `Could not be applied: ${why}` };
}
