import type { Rank } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import { findActiveMember } from "#src/access/member-lookup.sql.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { rankOf } from "#src/domain/rank.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import {
  limitsOfMember,
  refreshLimitsOfMembers,
  toAuditedLimits,
} from "#src/people/leaving/member-limits.ts";
import { readEmailAddress } from "#src/people/members/email-address.rule.ts";
import { memberNotFound } from "#src/people/members/member-not-found.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { auditOfMembership } from "./audit-group.ts";
import { areMemberModelsWider, areRolesWider, findRoleAbove } from "./group-access.rule.ts";
import {
  findGroupMember,
  findMemberId,
  type GroupMemberRow,
  listGroupMembers as listRows,
} from "./group-members.sql.ts";
import { listModelsOfMember } from "./group-models.sql.ts";
import { checkListsAbove } from "./group-models.ts";
import type { GroupRow } from "./groups.sql.ts";
import { getGroup, lockGroup, refuseDirectory } from "./groups.ts";
import {
  type ChangedMember,
  deleteMemberships,
  insertMemberships,
  type MembershipChange,
} from "./memberships.sql.ts";
import { deleteProvidedMembers, listProvidingGroups } from "./provided-members.sql.ts";

/** Returns a page. Throws a 404 for an unknown group. */
export async function listGroupMembers(
  deps: AuditDeps,
  { caller }: Call,
  groupId: string,
  page: PageRequest,
): Promise<PageOfRows<GroupMemberRow>> {
  const { id } = await getGroup(deps, { caller }, groupId);
  const of = { organizationId: caller.organizationId, groupId: id };
  return toPage(await listRows(deps.database, of, page), page);
}

/**
 * Adds an active member, by hand. A directory keeps such a member in its group. Throws a 404 for an unknown group or member,
 * and a 400 for a role above the caller's. More access of the member needs a step-up.
 */
export function addGroupMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  groupId: string,
  input: { member_id?: string | undefined; email?: string | undefined },
): Promise<GroupMemberRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const group = await lockGroup(tx, caller, groupId);
    const memberId = await getMemberId(tx, caller, input);
    const place = { organizationId: caller.organizationId, groupId, memberId };
    const before = await findGroupMember(tx, place);
    if (before?.source === "direct") return { result: before, audit: "unchanged" };
    const above = findRoleAbove(caller, group.workspaces);
    if (above !== null) {
      throw refuseField(
        "member_id",
        `the group gives ${above.workspace_role} in ${above.workspace_id}, which is above your role there.`,
        "role_too_high",
      );
    }
    if (before === null && (await isAddingWider(tx, memberId, group))) {
      checkStepUp(caller, deps.nowMs());
    }
    const change = { ...place, memberIds: [memberId], source: "direct" as const };
    const rank = rankOf(caller, null, "limits");
    const audit = await addGroupMembers(tx, deps, group, { ...change, rank });
    return { result: await getRow(tx, place), audit };
  });
}

/**
 * Removes a member who was added by hand. A member whom the group's directory lists remains through the directory. Throws a
 * 404, and a 400 for a membership of a directory. Needs a step-up if the member can use more models without the group.
 */
export function removeGroupMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  groupId: string,
  memberId: string,
): Promise<void> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const group = await lockGroup(tx, caller, groupId);
    const place = { organizationId: caller.organizationId, groupId, memberId };
    const before = await getRow(tx, place);
    const { source } = before;
    if (source === "claims" || (source === "scim" && group.is_managed)) {
      throw refuseDirectory("membership");
    }
    const others = await listModelsOfMember(tx, { memberId, exceptGroupId: groupId });
    if (areMemberModelsWider(others, group, null)) {
      checkStepUp(caller, deps.nowMs());
    }
    if (source === "scim") await deleteProvidedMembers(tx, { groupId, memberIds: [memberId] });
    const rank = rankOf(caller, null, "limits");
    const change = { ...place, memberIds: [memberId], source, rank };
    const removed = await removeGroupMembers(tx, deps, group, change);
    const remaining = await restoreProvidedMember(tx, deps, place);
    return { result: undefined, audit: [...removed, ...remaining] };
  });
}

/** Rank of the caller, whose change eases no limit and no list of models of a higher rank. Null: a directory. */
type RankedChange = MembershipChange & { rank: Rank | null };

/**
 * Adds memberships of one source in the caller's transaction, and returns their audit events. Members who are not active
 * are left out. The caller has locked the organization's people. Throws a 403 for a default limit or a list of models of a
 * higher rank that would no longer apply.
 */
export async function addGroupMembers(
  tx: Tx,
  deps: SaveDeps,
  group: Pick<GroupRow, "id" | "name">,
  change: RankedChange,
): Promise<AuditEntry[]> {
  await checkListsAbove(tx, "added", change);
  const added = await insertMemberships(tx, { ...change, now: new Date(deps.nowMs()) });
  return auditMemberships(tx, deps, "added", { group, change, members: added });
}

/** Removes memberships of one source, like `addGroupMembers`. Memberships of other sources stay. */
export async function removeGroupMembers(
  tx: Tx,
  deps: SaveDeps,
  group: Pick<GroupRow, "id" | "name">,
  change: RankedChange,
): Promise<AuditEntry[]> {
  await checkListsAbove(tx, "removed", change);
  const removed = await deleteMemberships(tx, change);
  return auditMemberships(tx, deps, "removed", { group, change, members: removed });
}

/**
 * Adds an active member to the groups in which directories list the member, or to one of them, in the caller's transaction.
 * Returns the audit events.
 */
export async function restoreProvidedMember(
  tx: Tx,
  deps: SaveDeps & { rows: RowSigner },
  { organizationId, memberId, groupId }: ProvidedOf,
): Promise<AuditEntry[]> {
  const groups = await listProvidingGroups(tx, deps.rows, { organizationId, memberId });
  const audit: AuditEntry[] = [];
  for (const group of groups.filter(({ id }) => groupId === undefined || id === groupId)) {
    const place = { organizationId, groupId: group.id, memberIds: [memberId] };
    audit.push(
      ...(await addGroupMembers(tx, deps, group, { ...place, source: "scim", rank: null })),
    );
  }
  return audit;
}

interface ProvidedOf {
  organizationId: string;
  memberId: string;
  groupId?: string;
}

/** Computes the limits of the changed members again, and returns the audit events. */
async function auditMemberships(
  tx: Tx,
  deps: SaveDeps,
  verb: "added" | "removed",
  of: {
    group: Pick<GroupRow, "id" | "name">;
    change: RankedChange;
    members: readonly ChangedMember[];
  },
): Promise<AuditEntry[]> {
  const { group, members } = of;
  const { organizationId, rank, source } = of.change;
  const memberIds = members.map(({ id }) => id);
  const changed = await refreshLimitsOfMembers(tx, deps, { organizationId, memberIds, rank });
  return members.map((member) => {
    const limits = toAuditedLimits(limitsOfMember(changed, member.id));
    return auditOfMembership(verb, group, { ...member, limits }, source);
  });
}

/** True if the group gives the member more rights, or more models than its other groups. */
async function isAddingWider(tx: Tx, memberId: string, group: GroupRow): Promise<boolean> {
  const member = await findActiveMember(tx, memberId);
  if (member === null) return false;
  if (areRolesWider(member, group.workspaces)) return true;
  const others = await listModelsOfMember(tx, { memberId, exceptGroupId: group.id });
  return areMemberModelsWider(others, null, group);
}

async function getMemberId(
  tx: Tx,
  { organizationId }: Caller,
  { member_id: id, email }: { member_id?: string | undefined; email?: string | undefined },
): Promise<string> {
  if ((id === undefined) === (email === undefined)) {
    throw refuseFields("Expected either member_id or email, to name one member.", [
      "member_id",
      "email",
    ]);
  }
  const read = email === undefined ? null : readEmailAddress(email);
  const found =
    read === null
      ? await findMemberId(tx, { organizationId, id: id ?? "" })
      : read.kind === "invalid"
        ? null
        : await findMemberId(tx, { organizationId, email: read.email });
  if (found === null) throw memberNotFound(id ?? email ?? "");
  return found;
}

async function getRow(
  tx: Tx,
  place: { organizationId: string; groupId: string; memberId: string },
): Promise<GroupMemberRow> {
  const row = await findGroupMember(tx, place);
  if (row !== null) return row;
  throw new ApiError(
    "resource_not_found",
    `Group member not found: ${place.memberId}`,
    {},
    { resource: "group_member" },
  );
}
