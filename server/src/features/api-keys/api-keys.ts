import { idPrefixes } from "@bursar/contract/ids.ts";
import { includesPermission, type KeyPermission } from "@bursar/contract/permissions.ts";
import { denied, deniedInWorkspace } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { isOwnApiKey } from "#src/access/own-api-key.ts";
import {
  apiKeyNotFound,
  getActiveWorkspaceForChange,
  getWorkspaceFor,
} from "#src/access/visible-workspace.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { expiryOfNewKey } from "#src/domain/key-expiry.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { fromCursor, fromIds, type PageOfRows, toPage } from "#src/domain/page-position.ts";
import {
  mayGiveKeyPermission,
  reachIn,
  strongestKeyPermission,
  workspacesWhere,
} from "#src/domain/rights.ts";
import { newId } from "#src/lib/ids.ts";
import {
  type ApiKeyRow,
  type ApiKeyScope,
  findApiKey,
  findApiKeyForUpdate,
  findApiKeyPosition,
  insertApiKey,
  listApiKeys as listRows,
  type StoredStatus,
  updateApiKey as updateRow,
} from "./api-keys.sql.ts";

export type ApiKeyStatus = StoredStatus | "expired";

/** Expiry is a fact of the clock, not of a job: no moment passes in which an expired key reads as active. */
export function statusOf(row: ApiKeyRow, nowMs: number): ApiKeyStatus {
  if (row.status === "archived") return "archived";
  return row.expires_at !== null && row.expires_at.getTime() <= nowMs ? "expired" : row.status;
}

function scopeOf(caller: Caller): ApiKeyScope {
  return {
    organizationId: caller.organizationId,
    onlyWorkspaceIds: workspacesWhere(caller, "api_keys:read"),
  };
}

export interface NewApiKey {
  name: string;
  workspace_id: string;
  permissions?: KeyPermission[] | undefined;
  expires_at?: string | null | undefined;
}

const DEFAULT_PERMISSION: KeyPermission = "write";

/**
 * Makes a key; the secret is in the answer and nowhere else. Throws a 404 for an unknown workspace, a 400 for an archived
 * one, a 403 for a caller that may not make keys there, or none of this permission.
 */
export function createApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewApiKey,
): Promise<{ row: ApiKeyRow; secret: string }> {
  const nowMs = Math.floor(deps.nowMs());
  const expiresAtMs = expiryOfNewKey(input.expires_at ? Date.parse(input.expires_at) : null, nowMs);
  const permission = strongest(input.permissions ?? [DEFAULT_PERMISSION]);
  const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
  const row: ApiKeyRow = {
    id: newId(idPrefixes.apiKey, nowMs, deps.randomBytes),
    workspace_id: input.workspace_id,
    name: input.name,
    permission,
    status: "active",
    partial_key_hint: hint,
    created_by_type: caller.kind,
    created_by_id: caller.id,
    created_at: new Date(nowMs),
    expires_at: expiresAtMs === null ? null : new Date(expiresAtMs),
  };
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await getActiveWorkspaceForChange(tx, caller, "api_keys:write", input.workspace_id);
    checkMayGive(caller, row);
    await insertApiKey(tx, {
      ...row,
      organization_id: caller.organizationId,
      secret_hash: hash,
    });
    return { result: { row, secret }, audit: auditOf("api_key.created", null, row) };
  });
}

function strongest(permissions: readonly KeyPermission[]): KeyPermission {
  return permissions.reduce<KeyPermission>(
    (kept, next) => (includesPermission(kept, next) ? kept : next),
    "read",
  );
}

/** Nobody makes a key, or brings one back to life, that may do more in the workspace than the caller may. */
function checkMayGive(caller: Caller, { workspace_id, permission }: ApiKeyRow): void {
  if (mayGiveKeyPermission(caller, workspace_id, permission)) return;
  const strongest = strongestKeyPermission(caller, workspace_id);
  const held = strongest === null ? "with no permission at all" : `with at most "${strongest}"`;
  throw denied(
    caller.kind === "api_key"
      ? `This API key has the permission "${caller.permission}" and cannot make a key with "${permission}".`
      : `Your role in this workspace is for keys ${held}; this would be one with "${permission}".`,
  );
}

/** Somebody who may change own keys only sees the others too: changing those is forbidden, not unknown. */
function checkMayChange(caller: Caller, key: ApiKeyRow): void {
  const reach = reachIn(caller, "api_keys:write", key.workspace_id);
  if (reach === "all" || (reach === "own" && isOwnApiKey(caller, key))) return;
  if (reach === null) throw deniedInWorkspace(caller, "api_keys:write", key.workspace_id);
  throw denied(
    "Your role in this workspace is for your own API keys; this one is not yours. Ask a Workspace Admin.",
  );
}

export interface ApiKeyQuery {
  workspace_id?: string | undefined;
  status?: ApiKeyStatus | undefined;
  name?: string | undefined;
}

/** Filters that a cursor of the company list is bound to. */
export function filtersOf({ workspace_id, status, name }: ApiKeyQuery): unknown {
  return { list: "api_keys", workspace_id, status, name };
}

/** A page of the company's list, by opaque cursor. Throws a 404 for an unknown workspace. */
export async function listApiKeys(
  deps: AuditDeps,
  { caller }: Call,
  query: ApiKeyQuery & { limit: number; page?: string | undefined },
): Promise<PageOfRows<ApiKeyRow>> {
  const page = fromCursor(query.page, query.limit, filtersOf(query));
  const filter = await readFilter(deps, caller, query);
  return toPage(await listRows(deps.database, filter, page), page);
}

/** A page of the official list, by ids. Throws a 404 for an unknown workspace. */
export async function listApiKeysByIds(
  deps: AuditDeps,
  { caller }: Call,
  query: Omit<ApiKeyQuery, "name"> & {
    limit: number;
    after_id?: string | undefined;
    before_id?: string | undefined;
    created_by_user_id?: string | undefined;
  },
): Promise<PageOfRows<ApiKeyRow>> {
  const createdByMemberId = query.created_by_user_id;
  const filter = { ...(await readFilter(deps, caller, query)), createdByMemberId };
  const page = await fromIds(query, (id) => findApiKeyPosition(deps.database, filter, id));
  return toPage(await listRows(deps.database, filter, page), page);
}

async function readFilter(deps: AuditDeps, caller: Caller, query: ApiKeyQuery) {
  if (query.workspace_id !== undefined) {
    await getWorkspaceFor(deps.database, caller, "api_keys:read", query.workspace_id);
  }
  return {
    ...scopeOf(caller),
    workspaceId: query.workspace_id,
    status: query.status,
    name: query.name,
    nowMs: deps.nowMs(),
  };
}

export async function getApiKey(deps: AuditDeps, { caller }: Call, id: string): Promise<ApiKeyRow> {
  const row = await findApiKey(deps.database, scopeOf(caller), id);
  if (row === null) throw apiKeyNotFound();
  return row;
}

export interface ApiKeyChange {
  name?: string | null | undefined;
  status?: StoredStatus | null | undefined;
}

/** Leaves what is omitted or null. Throws a 404, a 403 for a key that the caller may only see, and a 400 for what an archived or expired key does not allow. */
export function updateApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  change: ApiKeyChange,
): Promise<ApiKeyRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findApiKeyForUpdate(tx, scopeOf(caller), id);
    if (before === null) throw apiKeyNotFound();
    checkMayChange(caller, before);
    const after = {
      ...before,
      name: change.name ?? before.name,
      status: change.status ?? before.status,
    };
    if (after.name === before.name && after.status === before.status) {
      return { result: before, audit: "unchanged" };
    }
    checkChange(statusOf(before, deps.nowMs()), before, after);
    if (after.status === "active" && before.status !== "active") checkMayGive(caller, after);
    await updateRow(tx, {
      organizationId: caller.organizationId,
      id,
      name: after.name,
      status: after.status,
    });
    return { result: after, audit: auditOf("api_key.updated", before, after) };
  });
}

function checkChange(status: ApiKeyStatus, before: ApiKeyRow, after: ApiKeyRow): void {
  if (status === "archived") {
    throw new ApiError(
      "invalid_request",
      "This API key is archived. That cannot be undone, and nothing of it can be changed.",
    );
  }
  const isArchivedOnly = after.status === "archived" && after.name === before.name;
  if (status === "expired" && !isArchivedOnly) {
    throw new ApiError(
      "invalid_request",
      "This API key has expired: it can only be archived. Create another one.",
    );
  }
}

function auditOf(
  event: `api_key.${string}`,
  before: ApiKeyRow | null,
  after: ApiKeyRow,
): AuditEntry {
  return {
    event,
    subject: { type: "api_key", id: after.id },
    workspaceId: after.workspace_id,
    before: before && toAudit(before),
    after: toAudit(after),
  };
}

function toAudit(row: ApiKeyRow) {
  return {
    name: row.name,
    permission: row.permission,
    status: row.status,
    partial_key_hint: row.partial_key_hint,
    expires_at: row.expires_at?.toISOString() ?? null,
  };
}
