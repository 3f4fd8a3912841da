import { findInheritedRole, organizationRoles, roleNames } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { getActiveWorkspaceForChange, getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  fromIds,
  type PageOfRows,
  type PageRequest,
  positionOfCreated,
  toPage,
} from "#src/domain/page-position.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import { canGrantWorkspaceRole } from "#src/domain/rights.ts";
import { isWorkspaceRoleWider } from "#src/domain/wider-access.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { readEmailAddress } from "#src/people/members/email-address.rule.ts";
import { memberNotFound } from "#src/people/members/member-not-found.ts";
import { auditOfWorkspaceMember } from "./audit-workspace-member.ts";
import { findMemberIdByEmail, listPeople, setAssignedRole } from "./workspace-members.sql.ts";
import { deleteAssignedRole, findPerson, type PersonRow } from "./workspace-people.sql.ts";
import { findRoleConflict, findShownRole } from "./workspace-role.rule.ts";

const READ = "workspace_members:read";
const WRITE = "workspace_members:write";
const inheritingRoles = organizationRoles.filter((role) => findInheritedRole(role) !== null);

/**
 * Returns a page of all members with an assigned or inherited role in the workspace. Throws a 404, and a 403 if the
 * caller's role cannot list members.
 */
export async function listWorkspaceMembers(
  deps: AuditDeps,
  { caller }: Call,
  workspaceId: string,
  page: PageRequest,
): Promise<PageOfRows<PersonRow>> {
  await getVisibleWorkspace(deps.database, caller, READ, workspaceId);
  return listPage(deps, caller, workspaceId, page);
}

/** Returns the same list, by ids. */
export async function listWorkspaceMembersByIds(
  deps: AuditDeps,
  { caller }: Call,
  workspaceId: string,
  query: { limit: number; after_id?: string | undefined; before_id?: string | undefined },
): Promise<PageOfRows<PersonRow>> {
  await getVisibleWorkspace(deps.database, caller, READ, workspaceId);
  const page = await fromIds(query, async (memberId) => {
    const row = await findPerson(deps.database, { ...placeOf(caller, workspaceId), memberId });
    return row && positionOfCreated(row);
  });
  return listPage(deps, caller, workspaceId, page);
}

async function listPage(
  deps: AuditDeps,
  caller: Caller,
  workspaceId: string,
  page: PageRequest,
): Promise<PageOfRows<PersonRow>> {
  const of = { ...placeOf(caller, workspaceId), inheritingRoles };
  return toPage(await listPeople(deps.database, of, page), page);
}

/** Throws a 404 for a member without a role in the workspace. */
export async function getWorkspaceMember(
  deps: AuditDeps,
  { caller }: Call,
  workspaceId: string,
  memberId: string,
): Promise<PersonRow> {
  await getVisibleWorkspace(deps.database, caller, READ, workspaceId);
  const row = await findPerson(deps.database, { ...placeOf(caller, workspaceId), memberId });
  if (row === null || findShownRole(row) === null) throw notInWorkspace(memberId);
  return row;
}

export interface NewWorkspaceMember {
  member_id?: string | undefined;
  email?: string | undefined;
  workspace_role: GivenWorkspaceRole;
}

/**
 * Assigns a workspace role to a member of the organization. Throws a 404 for an unknown workspace or member, and a 403
 * for a role above the caller's. Throws a 409 for a member with another role there, and a 400 if the organization role
 * rules the new role out.
 */
export function addWorkspaceMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  workspaceId: string,
  input: NewWorkspaceMember,
): Promise<PersonRow> {
  const role = input.workspace_role;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockForChange(tx, caller, workspaceId);
    const before = await getNewPerson(tx, caller, workspaceId, input);
    checkRoleAssignment(caller, workspaceId, before, role);
    if (before.given_role === role) return { result: before, audit: "unchanged" };
    if (before.given_role !== null) {
      throw new ApiError(
        "already_exists",
        `This member already has the role ${before.given_role} in the workspace. Change it instead of adding the member again.`,
      );
    }
    const after = { ...before, given_role: role };
    await setAssignedRole(tx, { workspaceId, memberId: before.id, role });
    return { result: after, audit: auditOfWorkspaceMember("added", workspaceId, before, after) };
  });
}

/** Changes the assigned role. Throws like `addWorkspaceMember`, and a 404 if none was assigned. */
export function updateWorkspaceMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  of: { workspaceId: string; memberId: string },
  role: GivenWorkspaceRole,
): Promise<PersonRow> {
  const { workspaceId, memberId } = of;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockForChange(tx, caller, workspaceId);
    const before = await getAssignedMember(tx, caller, of);
    checkRoleAssignment(caller, workspaceId, before, role);
    if (before.given_role === role) return { result: before, audit: "unchanged" };
    if (isWorkspaceRoleWider(before.given_role, role)) checkStepUp(caller, deps.nowMs());
    const after = { ...before, given_role: role };
    await setAssignedRole(tx, { workspaceId, memberId, role });
    return { result: after, audit: auditOfWorkspaceMember("updated", workspaceId, before, after) };
  });
}

/** Removes the assigned role. Throws a 404 if none was assigned, and a 400 if the role is inherited. */
export function removeWorkspaceMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  of: { workspaceId: string; memberId: string },
): Promise<void> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockForChange(tx, caller, of.workspaceId);
    const before = await getAssignedMember(tx, caller, of);
    await deleteAssignedRole(tx, of);
    const after = { ...before, given_role: null };
    return {
      result: undefined,
      audit: auditOfWorkspaceMember("removed", of.workspaceId, before, after),
    };
  });
}

/** Locks members first, then the workspace. All changes of members lock in this order. */
async function lockForChange(tx: Tx, caller: Caller, workspaceId: string): Promise<void> {
  await lockPeople(tx, caller.organizationId);
  await getActiveWorkspaceForChange(tx, caller, WRITE, workspaceId);
}

async function getNewPerson(
  tx: Tx,
  caller: Caller,
  workspaceId: string,
  { member_id: id, email }: NewWorkspaceMember,
): Promise<PersonRow> {
  if ((id === undefined) === (email === undefined)) {
    throw refuseFields("Expected either member_id or email, to name one member.", [
      "member_id",
      "email",
    ]);
  }
  const memberId = id ?? (await findIdByEmail(tx, caller, email ?? ""));
  const row =
    memberId === null ? null : await findPerson(tx, { ...placeOf(caller, workspaceId), memberId });
  if (row === null) throw memberNotFound(id ?? email ?? "");
  return row;
}

async function findIdByEmail(tx: Tx, caller: Caller, written: string): Promise<string | null> {
  const read = readEmailAddress(written);
  if (read.kind === "invalid") return null;
  return findMemberIdByEmail(tx, { organizationId: caller.organizationId, email: read.email });
}

/** Returns a member with an assigned role. */
async function getAssignedMember(
  tx: Tx,
  caller: Caller,
  { workspaceId, memberId }: { workspaceId: string; memberId: string },
): Promise<PersonRow> {
  const row = await findPerson(tx, { ...placeOf(caller, workspaceId), memberId });
  const counting = row && findShownRole(row);
  if (!row || !counting) throw notInWorkspace(memberId);
  if (counting.source === "organization") {
    throw new ApiError(
      "role_inherited",
      `This member has access to every workspace as ${roleNames[row.role]} of the organization. Change that role instead.`,
    );
  }
  if (row.given_role === null) {
    const groups = row.group_roles?.map(({ name }) => `“${name}”`).join(", ");
    throw new ApiError(
      "role_inherited",
      `This member has access to the workspace through a group: ${groups}. Change the group instead.`,
    );
  }
  return row;
}

function checkRoleAssignment(
  caller: Caller,
  workspaceId: string,
  person: PersonRow,
  role: GivenWorkspaceRole,
): void {
  if (!canGrantWorkspaceRole(caller, workspaceId, role)) {
    throw refuseField(
      "workspace_role",
      `you can assign roles up to your own, and ${role} is above yours in this workspace.`,
      "role_too_high",
    );
  }
  const refusal = findRoleConflict(person.role, role);
  if (refusal !== null) {
    throw refuseField(
      "workspace_role",
      `this member is ${roleNames[person.role]} of the organization and ${refusal}.`,
    );
  }
}

function placeOf(caller: Caller, workspaceId: string) {
  return { organizationId: caller.organizationId, workspaceId };
}

function notInWorkspace(memberId: string): ApiError {
  return new ApiError(
    "resource_not_found",
    `Workspace member not found: ${memberId}`,
    {},
    { resource: "workspace_member" },
  );
}
