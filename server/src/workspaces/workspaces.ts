import type { PersonalKeyMode } from "@bursar/contract/admin/workspaces.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { lockOrganization } from "#src/access/limited-scope.sql.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { archiveApiKeysOfWorkspace } from "#src/access/stop-keys.sql.ts";
import {
  checkWorkspaceReach,
  refuseArchivedWorkspace,
  workspaceNotFound,
} from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { defaultDisplayColor } from "#src/domain/display-color.ts";
import { fromIds, type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { arePersonalKeysWider, type PersonalKeyRules } from "#src/domain/wider-access.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import { changeTags } from "#src/tags/change-tags.ts";
import type { TagChange } from "#src/tags/tag-changes.rule.ts";
import { auditOf } from "./audit-of-workspace.ts";
import { scopeOf } from "./workspace-scope.ts";
import {
  findWorkspace,
  findWorkspaceForUpdate,
  findWorkspacePosition,
  insertWorkspace,
  listWorkspaces as listRows,
  savePersonalKeyRules,
  updateWorkspace as updateRow,
  type WorkspaceRow,
} from "./workspaces.sql.ts";

/** Returns a page of the Bursar list, by opaque cursor, including the default workspace. */
export async function listWorkspaces(
  deps: AuditDeps,
  { caller }: Call,
  query: { include_archived?: boolean | undefined },
  page: PageRequest,
): Promise<PageOfRows<WorkspaceRow>> {
  const filter = {
    ...scopeOf(caller),
    includeArchived: query.include_archived ?? false,
    includeDefault: true,
  };
  return toPage(await listRows(deps.database, filter, page), page);
}

/** Returns a page of the official list, by ids. */
export async function listWorkspacesByIds(
  deps: AuditDeps,
  { caller }: Call,
  query: {
    limit: number;
    after_id?: string | undefined;
    before_id?: string | undefined;
    ids?: string[] | undefined;
    include_archived?: boolean | undefined;
    include_default?: boolean | undefined;
  },
): Promise<PageOfRows<WorkspaceRow>> {
  const scope = scopeOf(caller);
  const page = await fromIds(query, (id) => findWorkspacePosition(deps.database, scope, id));
  const filter = {
    ...scope,
    ids: query.ids,
    includeArchived: query.include_archived ?? false,
    includeDefault: query.include_default ?? false,
  };
  return toPage(await listRows(deps.database, filter, page), page);
}

export async function getWorkspace(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<WorkspaceRow> {
  const row = await findWorkspace(deps.database, scopeOf(caller), id);
  if (row === null) throw workspaceNotFound(id);
  return row;
}

export interface NewWorkspace {
  name: string;
  description?: string | null | undefined;
  display_color?: string | null | undefined;
  tags?: Record<string, string> | null | undefined;
}

/** Throws a 409 if an active workspace already has the name. */
export async function createWorkspace(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewWorkspace,
): Promise<WorkspaceRow> {
  const nowMs = deps.nowMs();
  const id = newId(idPrefixes.workspace, nowMs, deps.randomBytes);
  const row: WorkspaceRow = {
    id,
    name: input.name,
    description: input.description || null,
    display_color: input.display_color ?? defaultDisplayColor(id),
    personal_keys: "off",
    personal_key_models: null,
    personal_key_lifetime_days: null,
    personal_keys_per_member: null,
    tags: {},
    tag_ranks: {},
    is_default: false,
    created_at: new Date(nowMs),
    archived_at: null,
  };
  return withUniqueName(row.name, () =>
    auditedTransaction(deps, caller, origin, async (tx) => {
      const tagged = { ...row, ...(await setTags(tx, caller, row, input.tags ?? {})) };
      await insertWorkspace(tx, caller.organizationId, tagged);
      return { result: tagged, audit: auditOf("workspace.created", null, tagged) };
    }),
  );
}

export interface WorkspaceChange {
  name?: string | undefined;
  description?: string | null | undefined;
  display_color?: string | undefined;
  /** A null tag is deleted. Null instead of tags deletes all. */
  tags?: TagChange | undefined;
  personal_keys?: PersonalKeyMode | undefined;
  personal_key_models?: string[] | null | undefined;
  personal_key_lifetime_days?: number | null | undefined;
  personal_keys_per_member?: number | null | undefined;
}

/**
 * Keeps omitted fields. Throws a 404, a 400 for an archived or a renamed default workspace, and a 409 for a taken name. Throws
 * a 403 for a tag that a higher rank set or limits. Wider rules for personal keys need a step-up.
 */
export async function updateWorkspace(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  change: WorkspaceChange,
): Promise<WorkspaceRow> {
  return withUniqueName(change.name ?? "", () =>
    auditedTransaction(deps, caller, origin, async (tx) => {
      // Two workspaces that swap their names would wait for each other.
      if (change.name !== undefined) await lockOrganization(tx, caller.organizationId);
      const before = await getForUpdate(tx, caller, id);
      if (before.archived_at !== null) throw refuseArchivedWorkspace(id);
      const tags = change.tags === undefined ? {} : await setTags(tx, caller, before, change.tags);
      const after = { ...applyChange(before, change), ...tags };
      if (before.is_default && after.name !== before.name) {
        throw refuseField(
          "name",
          "the default workspace cannot be renamed.",
          "default_workspace_protected",
        );
      }
      if (isSame(before, after)) return { result: before, audit: "unchanged" };
      if (arePersonalKeysWider(before, after)) checkStepUp(caller, deps.nowMs());
      await updateRow(tx, caller.organizationId, after);
      if (!isSame(rulesOf(before), rulesOf(after))) await savePersonalKeyRules(tx, after);
      return { result: after, audit: auditOf("workspace.updated", before, after) };
    }),
  );
}

/** Archives the workspace and all its keys in one transaction. A second call changes nothing. */
export async function archiveWorkspace(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<WorkspaceRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, caller, id);
    if (before.archived_at !== null) return { result: before, audit: "unchanged" };
    if (before.is_default) {
      throw new ApiError(
        "default_workspace_protected",
        "The default workspace cannot be archived.",
      );
    }
    const archivedAt = new Date(deps.nowMs());
    const after = { ...before, archived_at: archivedAt };
    await updateRow(tx, caller.organizationId, after);
    const archivedKeys = await archiveApiKeysOfWorkspace(tx, {
      organizationId: caller.organizationId,
      workspaceId: id,
      archivedAt,
    });
    const audit = auditOf("workspace.archived", before, after);
    return {
      result: after,
      audit: { ...audit, after: { ...audit.after, archived_api_keys: archivedKeys } },
    };
  });
}

async function getForUpdate(tx: Tx, caller: Caller, id: string): Promise<WorkspaceRow> {
  const row = await findWorkspaceForUpdate(tx, scopeOf(caller), id);
  if (row === null) throw workspaceNotFound(id);
  checkWorkspaceReach(caller, "workspaces:write", id);
  return row;
}

function applyChange(before: WorkspaceRow, change: WorkspaceChange): WorkspaceRow {
  return {
    ...before,
    name: change.name ?? before.name,
    description: change.description === undefined ? before.description : change.description || null,
    display_color: change.display_color ?? before.display_color,
    personal_keys: change.personal_keys ?? before.personal_keys,
    personal_key_models: pick(change.personal_key_models, before.personal_key_models),
    personal_key_lifetime_days: pick(
      change.personal_key_lifetime_days,
      before.personal_key_lifetime_days,
    ),
    personal_keys_per_member: pick(
      change.personal_keys_per_member,
      before.personal_keys_per_member,
    ),
  };
}

/** Rules for personal keys. */
function rulesOf(row: WorkspaceRow): PersonalKeyRules {
  const { personal_keys, personal_key_models } = row;
  const { personal_key_lifetime_days, personal_keys_per_member } = row;
  return {
    ...{ personal_keys, personal_key_models },
    ...{ personal_key_lifetime_days, personal_keys_per_member },
  };
}

/** Null is a value of its own: no rule. */
function pick<Value>(changed: Value | undefined, before: Value): Value {
  return changed === undefined ? before : changed;
}

async function setTags(
  tx: Tx,
  caller: Caller,
  { id, tags, tag_ranks }: WorkspaceRow,
  change: TagChange,
): Promise<Pick<WorkspaceRow, "tags" | "tag_ranks">> {
  const before = { tags, ranks: tag_ranks };
  const after = await changeTags(tx, caller, before, { workspaceId: id, inherited: null, change });
  return { tags: { ...after.tags }, tag_ranks: { ...after.ranks } };
}

async function withUniqueName<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error, "workspace_active_name")) throw error;
    throw refuseField("name", `an active workspace is already called "${name}".`, "name_taken");
  }
}
