import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Rank } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { getActiveWorkspaceForChange } from "#src/access/visible-workspace.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type GroupModels, listModelLists } from "#src/domain/group-models.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { rankOf } from "#src/domain/rank.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { isWorkspaceRoleWider } from "#src/domain/wider-access.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import { listMemberIds } from "#src/limits/limited-groups.sql.ts";
import { refreshLimitsOfMembers, toAuditedLimits } from "#src/people/leaving/member-limits.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { removeGroupRates } from "#src/rates/limits/remove-group-rates.ts";
import { invalidateScopeName } from "#src/spend/ledger/limits.sql.ts";
import { removeGroupLimits } from "#src/spend/limits/remove-group-limits.ts";
import { auditOfGroup, auditOfGroupRole } from "./audit-group.ts";
import { areMemberModelsWider, findRoleAbove } from "./group-access.rule.ts";
import { listOtherModels } from "./group-models.sql.ts";
import { changeModels, checkDeletion } from "./group-models.ts";
import {
  deleteGroupRole,
  deleteGroup as deleteRow,
  findGroup,
  type GroupRow,
  insertGroup,
  listGroups as listRows,
  setGroupRole,
  updateGroup as updateRow,
} from "./groups.sql.ts";

/** Returns a page. Roles in workspaces that the caller cannot see are left out, here and below. */
export async function listGroups(
  deps: AuditDeps,
  { caller }: Pick<Call, "caller">,
  query: { search?: string | undefined; member_id?: string | undefined },
  request: PageRequest,
): Promise<PageOfRows<GroupRow>> {
  const { organizationId } = caller;
  const filter = { organizationId, search: query.search, memberId: query.member_id };
  const page = toPage(await listRows(deps.database, filter, request), request);
  return { ...page, rows: page.rows.map((row) => withVisibleRoles(caller, row)) };
}

/** Throws a 404. */
export async function getGroup(
  deps: AuditDeps,
  { caller }: Pick<Call, "caller">,
  id: string,
): Promise<GroupRow> {
  return withVisibleRoles(caller, await getRow(deps.database, caller, id));
}

const noModels: GroupModels = { allowed_models: null, model_lists: null };

export function createGroup(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: { name: string; allowed_models?: string[] | null | undefined },
): Promise<GroupRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const nowMs = deps.nowMs();
    const createdAt = new Date(nowMs);
    const row: GroupRow = {
      id: newId(idPrefixes.group, nowMs, deps.randomBytes),
      name: input.name,
      source: "direct",
      directory_id: null,
      is_managed: false,
      ...changeModels(caller, noModels, { models: input.allowed_models, nowMs }),
      created_at: createdAt,
      updated_at: createdAt,
      member_count: 0,
      workspaces: [],
    };
    await insertGroup(tx, { ...row, organizationId: caller.organizationId });
    return { result: row, audit: auditOfGroup("group.created", null, row) };
  });
}

/**
 * Changes the given fields. Throws a 404, and a 400 for the name of a directory's group. Throws a 403 for models that a higher
 * rank refuses, and without a step-up if a member gets more models.
 */
export function updateGroup(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  input: { name?: string | undefined; allowed_models?: string[] | null | undefined },
): Promise<GroupRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockGroup(tx, caller, id);
    const nowMs = deps.nowMs();
    const { name = before.name } = input;
    if (name !== before.name && before.is_managed) throw refuseDirectory("group");
    const models = changeModels(caller, before, { models: input.allowed_models, nowMs });
    const after = { ...before, name, ...models, updated_at: new Date(nowMs) };
    if (name === before.name && isSame(listRanks(before), listRanks(after))) {
      return { result: withVisibleRoles(caller, before), audit: "unchanged" };
    }
    if (await areModelsWiderForMembers(tx, before, models)) checkStepUp(caller, nowMs);
    await updateRow(tx, { organizationId: caller.organizationId, id }, after);
    if (name !== before.name) await invalidateScopeName(tx, { scopeType: "group", scopeId: id });
    const result = withVisibleRoles(caller, after);
    return { result, audit: auditOfGroup("group.updated", before, after) };
  });
}

/**
 * Throws a 404, and a 400 for a group of a directory. Throws a 403 for a list of models of a higher rank, and without a step-up
 * if a member gets more models.
 */
export function deleteGroup(deps: AuditDeps, { caller, origin }: Call, id: string): Promise<void> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockGroup(tx, caller, id);
    if (before.is_managed) throw refuseDirectory("group");
    checkDeletion(before, rankOf(caller, null, "keys"));
    if (await areModelsWiderForMembers(tx, before, null)) checkStepUp(caller, deps.nowMs());
    const { organizationId } = caller;
    const by = { organizationId, rank: rankOf(caller, null, "limits") };
    return { result: undefined, audit: await removeGroup(tx, deps, before, by) };
  });
}

/**
 * Deletes the group in the caller's transaction, and returns the audit event. The caller has locked the organization's people.
 * Throws a 403 for a limit of a higher rank. Rank null: a directory.
 */
export async function removeGroup(
  tx: Tx,
  deps: SaveDeps,
  before: GroupRow,
  { organizationId, rank }: { organizationId: string; rank: Rank | null },
): Promise<AuditEntry> {
  const { id } = before;
  const memberIds = await listMemberIds(tx, id);
  await removeGroupLimits(tx, { organizationId, groupId: id, rank });
  await removeGroupRates(tx, { organizationId, groupId: id, rank });
  await deleteRow(tx, { organizationId, id });
  const changed = await refreshLimitsOfMembers(tx, deps, { organizationId, memberIds, rank });
  return auditOfGroup("group.deleted", before, null, toAuditedLimits(changed));
}

/**
 * Sets the role of the members in a workspace. Throws a 404 for an unknown group or workspace, and a 400 for a role above
 * the caller's. A wider role needs a step-up.
 */
export function setGroupWorkspace(
  deps: AuditDeps,
  { caller, origin }: Call,
  { groupId, workspaceId }: { groupId: string; workspaceId: string },
  role: GivenWorkspaceRole,
): Promise<GroupRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockGroup(tx, caller, groupId);
    await getActiveWorkspaceForChange(tx, caller, "workspace_members:write", workspaceId);
    const held = before.workspaces.find(({ workspace_id }) => workspace_id === workspaceId);
    const given = { workspace_id: workspaceId, workspace_role: role };
    if (findRoleAbove(caller, [given]) !== null) {
      throw refuseField(
        "workspace_role",
        `you can assign roles up to your own, and ${role} is above yours in this workspace.`,
        "role_too_high",
      );
    }
    if (held?.workspace_role === role) {
      return { result: withVisibleRoles(caller, before), audit: "unchanged" };
    }
    if (isWorkspaceRoleWider(held?.workspace_role ?? null, role)) {
      checkStepUp(caller, deps.nowMs());
    }
    await setGroupRole(tx, { groupId, workspaceId, role });
    const after = await getRow(tx, caller, groupId);
    const audit = auditOfGroupRole("set", workspaceId, before, after);
    return { result: withVisibleRoles(caller, after), audit };
  });
}

/** Ends the role of the members in a workspace. Throws a 404 for an unknown group or workspace. */
export function removeGroupWorkspace(
  deps: AuditDeps,
  { caller, origin }: Call,
  { groupId, workspaceId }: { groupId: string; workspaceId: string },
): Promise<GroupRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockGroup(tx, caller, groupId);
    await getActiveWorkspaceForChange(tx, caller, "workspace_members:write", workspaceId);
    if (!before.workspaces.some(({ workspace_id }) => workspace_id === workspaceId)) {
      return { result: withVisibleRoles(caller, before), audit: "unchanged" };
    }
    await deleteGroupRole(tx, { groupId, workspaceId });
    const after = await getRow(tx, caller, groupId);
    const audit = auditOfGroupRole("removed", workspaceId, before, after);
    return { result: withVisibleRoles(caller, after), audit };
  });
}

/** Returns the group, and blocks other changes of groups and members. Throws a 404. */
export async function lockGroup(tx: Tx, caller: Caller, id: string): Promise<GroupRow> {
  await lockPeople(tx, caller.organizationId);
  return getRow(tx, caller, id);
}

async function getRow(db: Database | Tx, caller: Caller, id: string): Promise<GroupRow> {
  const row = await findGroup(db, { organizationId: caller.organizationId, id });
  if (row !== null) return row;
  throw new ApiError("resource_not_found", `Group not found: ${id}`, {}, { resource: "group" });
}

/** A 400. */
export function refuseDirectory(subject: "group" | "membership"): ApiError {
  return new ApiError(
    "managed_by_directory",
    `This ${subject} comes from your company's directory. Change it there.`,
  );
}

function withVisibleRoles(caller: Caller, row: GroupRow): GroupRow {
  const visible = listPermittedWorkspaces(caller, "workspaces:read");
  if (visible === null) return row;
  return {
    ...row,
    workspaces: row.workspaces.filter(({ workspace_id }) => visible.includes(workspace_id)),
  };
}

/** True if a member of the group can use more models when its list changes. */
async function areModelsWiderForMembers(
  tx: Tx,
  before: GroupRow,
  after: GroupModels | null,
): Promise<boolean> {
  const others = await listOtherModels(tx, { groupId: before.id });
  return others.some(({ lists }) => areMemberModelsWider(lists, before, after));
}

/** Lists without their setters. */
function listRanks(group: GroupModels) {
  return listModelLists(group).map(({ rank, allowed_models }) => ({ rank, allowed_models }));
}
