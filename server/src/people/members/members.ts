import { type OrganizationRole, roleNames } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { fromIds, type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { canGrantOrganizationRole, listPermittedWorkspaces } from "#src/domain/rights.ts";
import { isRoleWider } from "#src/domain/wider-access.ts";
import { endLaptops } from "#src/key-lookup/end-laptops.sql.ts";
import { restoreProvidedMember } from "#src/people/groups/group-members.ts";
import { endSessions } from "#src/people/identity/people.ts";
import {
  auditOfMember,
  deactivate,
  isLastOwner,
  removeFromOrganization,
} from "#src/people/leaving/deactivate.ts";
import { type Ending, findEnding } from "#src/people/leaving/end-access.ts";
import {
  findMember,
  type MemberRow,
  type MemberStatus,
  updateMember as updateRow,
} from "#src/people/leaving/members.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { forgetSuspension } from "#src/people/scim/users.sql.ts";
import { normalizeEmail } from "./email-address.rule.ts";
import { memberNotFound } from "./member-not-found.ts";
import { listRolesOfMembers, type RoleInWorkspace } from "./member-roles.sql.ts";
import { findMemberPosition, listMembers as listRows } from "./members.sql.ts";

/** The member, with the roles assigned in workspaces that the caller can see. */
export interface ShownMember extends CountedMember {
  workspaces: RoleInWorkspace[];
}

/** `workspaces`: null if the caller asked for their number only. */
export interface ListedMember extends CountedMember {
  workspaces: RoleInWorkspace[] | null;
}

interface CountedMember {
  row: MemberRow;
  workspaceCount: number;
}

export interface MemberQuery {
  search?: string | undefined;
  roles?: OrganizationRole[] | undefined;
  statuses?: MemberStatus[] | undefined;
  workspace_id?: string | undefined;
  omit_workspaces?: boolean | undefined;
}

const notRemoved: readonly MemberStatus[] = ["active", "deactivated"];

/** Returns a page of the Bursar list. Throws a 404 for a workspace that the caller cannot see. */
export async function listMembers(
  deps: AuditDeps,
  { caller }: Call,
  query: MemberQuery,
  request: PageRequest,
): Promise<PageOfRows<ListedMember>> {
  if (query.workspace_id !== undefined) {
    await getVisibleWorkspace(deps.database, caller, "workspaces:read", query.workspace_id);
  }
  const filter = {
    organizationId: caller.organizationId,
    statuses: query.statuses ?? notRemoved,
    roles: query.roles,
    search: query.search,
    workspaceId: query.workspace_id,
  };
  const page = toPage(await listRows(deps.database, filter, request), request);
  const isOnlyCounted = query.omit_workspaces === true;
  return { ...page, rows: await show(deps.database, caller, page.rows, isOnlyCounted) };
}

/** Returns a page of the official list, by ids: all members who were not removed. */
export async function listMembersByIds(
  deps: AuditDeps,
  { caller }: Call,
  query: {
    limit: number;
    after_id?: string | undefined;
    before_id?: string | undefined;
    email?: string | undefined;
    roles?: OrganizationRole[] | undefined;
  },
): Promise<PageOfRows<MemberRow>> {
  const { organizationId } = caller;
  const page = await fromIds(query, (id) =>
    findMemberPosition(deps.database, { organizationId, id }),
  );
  const filter = {
    organizationId,
    statuses: notRemoved,
    roles: query.roles,
    ...(query.email !== undefined && { email: normalizeEmail(query.email) }),
  };
  return toPage(await listRows(deps.database, filter, page), page);
}

/** Throws a 404. */
export async function getMember(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<ShownMember> {
  return showOne(deps.database, caller, await getRow(deps.database, caller, id));
}

/** Returns the member in the official shape, which omits removed members. Throws a 404. */
export async function getPresentMember(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<MemberRow> {
  const row = await getRow(deps.database, caller, id);
  if (row.status === "removed") throw memberNotFound(id);
  return row;
}

/**
 * Changes the member's role. Throws a 404, and a 403 if the old or new role is above the caller's. Throws a 400 for the
 * last active owner and for removed members.
 */
export function updateMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  role: OrganizationRole,
): Promise<ShownMember> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getMemberForChange(tx, caller, id);
    if (!canGrantOrganizationRole(caller, role)) {
      throw refuseField(
        "role",
        `you can assign roles up to your own, and ${roleNames[role]} is above yours. Ask an Owner.`,
        "role_too_high",
      );
    }
    if (isRoleWider(before.role, role)) checkStepUp(caller, deps.nowMs());
    if (role !== "owner") await checkOwnerRemains(tx, caller, before);
    const after = { ...before, role };
    if (role === before.role)
      return { result: await showOne(tx, caller, after), audit: "unchanged" };
    await updateRow(tx, { organizationId: caller.organizationId, id }, after);
    return {
      result: await showOne(tx, caller, after),
      audit: auditOfMember("member.updated", before, after),
    };
  });
}

/**
 * Throws a 404, a 403 for a member above the caller, and a 400 for the caller, the last active owner and removed
 * members.
 */
export function deactivateMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ShownMember> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getMemberForChange(tx, caller, id);
    if (before.status === "deactivated") {
      return { result: await showOne(tx, caller, before), audit: "unchanged" };
    }
    checkNotSelf(caller, id, "deactivate");
    await checkOwnerRemains(tx, caller, before);
    const { after, ending } = await deactivate(tx, before, endingOf(deps, caller, id));
    return {
      result: await showOne(tx, caller, after),
      audit: auditOfMember("member.deactivated", before, after, ending),
    };
  });
}

/**
 * Restores the sign-in, and memberships in groups that a directory provides. Throws a 404, a 403 for a member above the caller,
 * and a 400 for removed members.
 */
export function reactivateMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ShownMember> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getMemberForChange(tx, caller, id);
    if (before.status === "active") {
      return { result: await showOne(tx, caller, before), audit: "unchanged" };
    }
    const after: MemberRow = { ...before, status: "active" };
    await updateRow(tx, { organizationId: caller.organizationId, id }, after);
    await forgetSuspension(tx, id);
    const { organizationId } = caller;
    const groups = await restoreProvidedMember(tx, deps, { organizationId, memberId: id });
    return {
      result: await showOne(tx, caller, after),
      audit: [auditOfMember("member.reactivated", before, after), ...groups],
    };
  });
}

/**
 * Ends all sessions of the member. Throws a 404, a 400 for the caller and for removed members, and a 403 for a member above
 * the caller.
 */
export function signOutMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ShownMember> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockPeople(tx, caller.organizationId);
    const row = await getMemberForSignOut(tx, caller, id);
    const count = await endSessions(tx, id);
    const now = new Date(deps.nowMs());
    const laptops = await endLaptops(tx, { memberId: id, now, reason: "signed_out" });
    const entry = auditOfMember("member.signed_out", row, row);
    return {
      result: await showOne(tx, caller, row),
      audit: { ...entry, after: { ...entry.after, ended_sessions: count, ended_laptops: laptops } },
    };
  });
}

/** Throws a 404, a 400 for a removed member and for the caller, and a 403 for a member above the caller. */
export async function getMemberForSignOut(
  db: Database | Tx,
  caller: Caller,
  id: string,
): Promise<MemberRow> {
  const row = await getRow(db, caller, id);
  checkNotRemoved(row);
  if (caller.kind === "member" && caller.id === id) {
    throw new ApiError("cannot_sign_out_self", "Sign out with your own account instead.");
  }
  if (!canGrantOrganizationRole(caller, row.role)) {
    throw new ApiError(
      "cannot_sign_out_owner",
      `This member is ${roleNames[row.role]}, which is above your role. Ask an Owner.`,
    );
  }
  return row;
}

/** Ends the member's access for good, and returns what ended. Throws like `deactivateMember`. */
export function removeMember(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<Ending> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getMemberForChange(tx, caller, id);
    checkNotSelf(caller, id, "remove");
    await checkOwnerRemains(tx, caller, before);
    const { after, ending } = await removeFromOrganization(tx, before, endingOf(deps, caller, id));
    return { result: ending, audit: auditOfMember("member.removed", before, after, ending) };
  });
}

/** Returns what `removeMember` would end, and its refusal if there is one. Throws a 404. */
export async function previewRemoval(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<{ refusal: string | null; ending: Ending }> {
  const { database } = deps;
  const row = await getRow(database, caller, id);
  const ending = await findEnding(database, endingOf(deps, caller, id));
  try {
    checkChangeable(caller, row);
    checkNotSelf(caller, id, "remove");
    await checkOwnerRemains(database, caller, row);
    return { refusal: null, ending };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { refusal: error.message, ending };
  }
}

function endingOf(deps: AuditDeps, caller: Caller, id: string) {
  return { organizationId: caller.organizationId, id, nowMs: deps.nowMs() };
}

/**
 * Returns the member for a change, and blocks other changes of members. Throws a 404, a 400 for removed members, and a 403 for
 * a member above the caller.
 */
export async function getMemberForChange(tx: Tx, caller: Caller, id: string): Promise<MemberRow> {
  await lockPeople(tx, caller.organizationId);
  const row = await getRow(tx, caller, id);
  checkChangeable(caller, row);
  return row;
}

async function getRow(db: Database | Tx, caller: Caller, id: string): Promise<MemberRow> {
  const row = await findMember(db, { organizationId: caller.organizationId, id });
  if (row === null) throw memberNotFound(id);
  return row;
}

function checkNotRemoved(row: MemberRow): void {
  if (row.status !== "removed") return;
  throw new ApiError(
    "member_removed",
    "This member was removed for good. Invite the address again.",
  );
}

function checkChangeable(caller: Caller, row: MemberRow): void {
  checkNotRemoved(row);
  if (!canGrantOrganizationRole(caller, row.role)) {
    throw new ApiError(
      "role_too_high",
      `This member is ${roleNames[row.role]}, which is above your role. Ask an Owner.`,
    );
  }
}

function checkNotSelf(caller: Caller, id: string, verb: "deactivate" | "remove"): void {
  if (caller.kind !== "member" || caller.id !== id) return;
  throw new ApiError(
    "cannot_change_self",
    `You cannot ${verb} yourself. Ask another Owner or Admin.`,
  );
}

/** Throws a 400 if the organization would be left without an active owner. */
async function checkOwnerRemains(db: Database | Tx, caller: Caller, row: MemberRow): Promise<void> {
  if (!(await isLastOwner(db, caller.organizationId, row))) return;
  throw new ApiError(
    "cannot_remove_last_member",
    "This is the last active Owner of the organization. Make another member an Owner first.",
  );
}

async function show(
  db: Database | Tx,
  caller: Caller,
  rows: readonly MemberRow[],
  isOnlyCounted: boolean,
): Promise<ListedMember[]> {
  const given = await listRolesOfMembers(db, {
    organizationId: caller.organizationId,
    memberIds: rows.map(({ id }) => id),
    onlyIds: listPermittedWorkspaces(caller, "workspaces:read"),
    isOnlyCounted,
  });
  const byMember = new Map(given.map((roles) => [roles.memberId, roles]));
  return rows.map((row) => {
    const { count = 0, roles = null } = byMember.get(row.id) ?? {};
    const workspaces = isOnlyCounted ? null : (roles ?? []);
    return { row, workspaceCount: count, workspaces };
  });
}

async function showOne(db: Database | Tx, caller: Caller, row: MemberRow): Promise<ShownMember> {
  const [shown] = await show(db, caller, [row], false);
  return { row, workspaceCount: shown?.workspaceCount ?? 0, workspaces: shown?.workspaces ?? [] };
}
