import { idPrefixes } from "@bursar/contract/ids.ts";
import type { KeyIssue } from "@bursar/contract/key-issues.ts";
import { includesPermission, type KeyPermission } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import {
  apiKeyNotFound,
  getActiveWorkspaceForChange,
  getVisibleWorkspace,
  refuseArchivedKey,
} from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { fromIds, type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { deleteHeldKey } from "#src/key-lookup/held-keys.sql.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import {
  type ApiKeyFilter,
  type ApiKeyRow,
  findApiKey,
  findApiKeyForUpdate,
  findApiKeyPosition,
  insertApiKey,
  listApiKeys as listRows,
  type NewApiKeyRow,
  type StoredStatus,
  updateApiKey as updateRow,
} from "./api-keys.sql.ts";
import { auditOf } from "./audit-of-key.ts";
import {
  type ApiKeyStatus,
  type ApiKeyView,
  describeApiKey,
  describeApiKeys,
  statusOf,
} from "./describe-api-keys.ts";
import { decideExpiry } from "./key-expiry.rule.ts";
import { chooseOwner } from "./key-owner.ts";
import { readAllowedAddresses, readAllowedModels } from "./key-restrictions.ts";
import { checkCanChangeKey, checkCanGrantKey, scopeOf } from "./key-rights.ts";
import { insertSecret } from "./secrets.sql.ts";

export interface NewApiKey {
  name: string;
  workspace_id: string;
  owner_member_id?: string | null | undefined;
  permissions?: KeyPermission[] | undefined;
  expires_at?: string | null | undefined;
  allowed_models?: string[] | null | undefined;
  allowed_addresses?: string[] | null | undefined;
}

const DEFAULT_PERMISSION: KeyPermission = "write";

/**
 * Creates a key. Only this result contains the secret. Throws a 404 for an unknown workspace or owner, and a 400 for an
 * archived workspace or settings that the organization does not allow. Throws a 403 without permission to create keys
 * there, with this permission, or for this owner.
 */
export function createApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewApiKey,
): Promise<{ view: ApiKeyView; secret: string }> {
  const nowMs = deps.nowMs();
  const permission = pickStrongest(input.permissions ?? [DEFAULT_PERMISSION]);
  const restrictions = {
    allowed_models: readAllowedModels(input.allowed_models) ?? null,
    allowed_addresses: readAllowedAddresses(input.allowed_addresses) ?? null,
  };
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await getActiveWorkspaceForChange(tx, caller, "api_keys:write", input.workspace_id);
    checkCanGrantKey(caller, { workspace_id: input.workspace_id, permission });
    const maxDays = await findMaxKeyLifetimeDays(tx, caller.organizationId);
    const row = {
      id: newId(idPrefixes.apiKey, nowMs, deps.randomBytes),
      organization_id: caller.organizationId,
      workspace_id: input.workspace_id,
      name: input.name,
      permission,
      status: "active" as const,
      owner_member_id: await chooseOwner(tx, caller, input),
      created_by_type: caller.kind,
      created_by_id: caller.id,
      created_at: new Date(nowMs),
      expires_at: toDate(
        decideExpiry(parseTime(input.expires_at), { fromMs: nowMs, nowMs, maxDays }),
      ),
      ...restrictions,
    };
    const { secret, view } = await insertKeyWithSecret(tx, deps, row);
    const audit = auditOf("api_key.created", null, view.row);
    return { result: { view, secret }, audit };
  });
}

async function insertKeyWithSecret(tx: Tx, deps: AuditDeps, row: NewApiKeyRow) {
  const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
  await insertApiKey(tx, row);
  await insertSecret(tx, { api_key_id: row.id, hash, hint, created_at: row.created_at });
  const scope = { organizationId: row.organization_id, onlyWorkspaceIds: null };
  const created = await findApiKey(tx, scope, row.id);
  if (created === null) throw apiKeyNotFound();
  const view = await describeApiKey(tx, row.organization_id, created, row.created_at.getTime());
  return { secret, view };
}

/** Milliseconds since the epoch. NaN for invalid text. Returns null and undefined unchanged. */
export function parseTime(text: string | null | undefined): number | null | undefined {
  return text === null || text === undefined ? text : Date.parse(text);
}

export function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

function pickStrongest(permissions: readonly KeyPermission[]): KeyPermission {
  return permissions.reduce<KeyPermission>(
    (strongest, next) => (includesPermission(strongest, next) ? strongest : next),
    "read",
  );
}

export interface ApiKeyQuery {
  workspace_id?: string | undefined;
  status?: ApiKeyStatus | undefined;
  name?: string | undefined;
  search?: string | undefined;
  owner_type?: "workspace" | "member" | undefined;
  owner_member_id?: string | undefined;
  expiring_within_days?: number | undefined;
  unused_days?: number | undefined;
  exceeds_max_lifetime?: boolean | undefined;
  issue?: KeyIssue | undefined;
}

type ListDeps = Pick<AuditDeps, "database" | "nowMs">;

/** Lists keys by opaque cursor. Throws a 404 for an unknown workspace. */
export async function listApiKeys(
  deps: ListDeps,
  { caller }: Call,
  query: ApiKeyQuery,
  request: PageRequest,
): Promise<PageOfRows<ApiKeyView>> {
  const filter = await readFilter(deps, caller, query);
  const page = toPage(await listRows(deps.database, filter, request), request);
  const { organizationId } = caller;
  const rows = await describeApiKeys(deps.database, organizationId, page.rows, deps.nowMs());
  return { ...page, rows };
}

/** Lists keys by ids, as the official API does. Throws a 404 for an unknown workspace. */
export async function listApiKeysByIds(
  deps: AuditDeps,
  { caller }: Call,
  query: Pick<ApiKeyQuery, "workspace_id" | "status"> & {
    limit: number;
    after_id?: string | undefined;
    before_id?: string | undefined;
    created_by_user_id?: string | undefined;
  },
): Promise<PageOfRows<ApiKeyRow>> {
  const filter = {
    ...(await readFilter(deps, caller, query)),
    createdByMemberId: query.created_by_user_id,
  };
  const page = await fromIds(query, (id) => findApiKeyPosition(deps.database, filter, id));
  return toPage(await listRows(deps.database, filter, page), page);
}

async function readFilter(
  deps: ListDeps,
  caller: Caller,
  query: ApiKeyQuery,
): Promise<ApiKeyFilter> {
  if (query.workspace_id !== undefined) {
    await getVisibleWorkspace(deps.database, caller, "api_keys:read", query.workspace_id);
  }
  return {
    ...scopeOf(caller),
    workspaceId: query.workspace_id,
    status: query.status,
    name: query.name,
    search: query.search,
    ownerType: query.owner_type,
    ownerMemberId: query.owner_member_id,
    expiringWithinDays: query.expiring_within_days,
    unusedDays: query.unused_days,
    exceedsMaxLifetime: query.exceeds_max_lifetime,
    issue: query.issue,
    maxLifetimeDays: await findMaxKeyLifetimeDays(deps.database, caller.organizationId),
    nowMs: deps.nowMs(),
  };
}

/** Returns a key with its secrets, spend and rotation times. Throws a 404. */
export async function getApiKey(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<ApiKeyView> {
  const row = await findApiKey(deps.database, scopeOf(caller), id);
  if (row === null) throw apiKeyNotFound();
  return describeApiKey(deps.database, caller.organizationId, row, deps.nowMs());
}

export interface ApiKeyChange {
  name?: string | null | undefined;
  status?: StoredStatus | null | undefined;
  expires_at?: string | null | undefined;
  allowed_models?: string[] | null | undefined;
  allowed_addresses?: string[] | null | undefined;
}

/**
 * Updates a key. An omitted field stays as it is, and so does a name or status of null. A restriction of null is removed.
 * Throws a 404, and a 403 for a key that the caller can only read. Throws a 400 for an archived key, for an expired key
 * unless it is archived, and for enabling a key whose owner is inactive.
 */
export function updateApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  change: ApiKeyChange,
): Promise<ApiKeyView> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findApiKeyForUpdate(tx, scopeOf(caller), id);
    if (before === null) throw apiKeyNotFound();
    checkCanChangeKey(caller, before);
    const { organizationId } = caller;
    const maxDays = await findMaxKeyLifetimeDays(tx, organizationId);
    const after = applyChange(before, change, { nowMs, maxDays });
    if (isSame(before, after)) {
      return {
        result: await describeApiKey(tx, organizationId, before, nowMs),
        audit: "unchanged",
      };
    }
    checkChange(statusOf(before, nowMs), before, after);
    if (after.status === "active" && before.status !== "active") checkCanGrantKey(caller, after);
    await updateRow(tx, organizationId, after);
    if (after.status !== before.status) await deleteHeldKey(tx, after.id);
    return {
      result: await describeApiKey(tx, organizationId, after, nowMs),
      audit: auditOf("api_key.updated", before, after),
    };
  });
}

function applyChange(
  before: ApiKeyRow,
  change: ApiKeyChange,
  { nowMs, maxDays }: { nowMs: number; maxDays: number | null },
): ApiKeyRow {
  const models = readAllowedModels(change.allowed_models);
  const addresses = readAllowedAddresses(change.allowed_addresses);
  const fromMs = before.secret_created_at.getTime();
  const requestedMs = parseTime(change.expires_at);
  const isExpiryUnchanged =
    requestedMs === undefined || requestedMs === (before.expires_at?.getTime() ?? null);
  const status = change.status ?? before.status;
  return {
    ...before,
    name: change.name ?? before.name,
    status,
    archived_at: status === "archived" ? (before.archived_at ?? new Date(nowMs)) : null,
    allowed_models: models === undefined ? before.allowed_models : models,
    allowed_addresses: addresses === undefined ? before.allowed_addresses : addresses,
    expires_at: isExpiryUnchanged
      ? before.expires_at
      : toDate(decideExpiry(requestedMs, { fromMs, nowMs, maxDays })),
  };
}

function checkChange(status: ApiKeyStatus, before: ApiKeyRow, after: ApiKeyRow): void {
  if (status === "archived") throw refuseArchivedKey();
  const { archived_at } = after;
  const isArchivedOnly = isSame({ ...before, status: "archived", archived_at }, after);
  if (status === "expired" && !isArchivedOnly) throw refuseExpiredKey("it can only be archived");
  const isEnabled = after.status === "active" && before.status === "inactive";
  const { owner_state } = before;
  if (isEnabled && owner_state !== null && owner_state !== "active") {
    const reason =
      owner_state === "outside" ? "has no role in the workspace any more" : `is ${owner_state}`;
    throw new ApiError(
      "owner_inactive",
      `The owner of this API key ${reason}, so the key cannot be enabled.`,
    );
  }
}

export function refuseExpiredKey(consequence: string): ApiError {
  return new ApiError(
    "resource_expired",
    `This API key has expired: ${consequence}. Create another one.`,
    {},
    { resource: "api_key" },
  );
}
