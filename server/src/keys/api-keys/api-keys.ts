import { idPrefixes } from "@bursar/contract/ids.ts";
import type { KeyIssue } from "@bursar/contract/key-issues.ts";
import { includesPermission, type KeyPermission } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
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
import { rankOf } from "#src/domain/rank.ts";
import { isKeyWider } from "#src/domain/wider-access.ts";
import { deleteHeldKey } from "#src/key-lookup/held-keys.sql.ts";
import {
  type Handover,
  handOverSecret,
  type WaitingSecretDeps,
} from "#src/keys/waiting-secrets/waiting-secrets.ts";
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
  updateApiKey as updateRow,
} from "./api-keys.sql.ts";
import { auditOf } from "./audit-of-key.ts";
import {
  changeRestrictions,
  checkWithinCaller,
  findOwnRank,
  type RestrictionChange,
  type RestrictionContext,
} from "./change-restrictions.ts";
import { copyLimits } from "./copy-limits.ts";
import {
  type ApiKeyStatus,
  type ApiKeyView,
  describeApiKey,
  describeApiKeys,
  statusOf,
} from "./describe-api-keys.ts";
import { type RankedRestrictions, setRestrictions } from "./effective-restrictions.rule.ts";
import { checkKeyCount, type Inherited, inheritRestrictions } from "./inherit-restrictions.ts";
import { decideExpiry } from "./key-expiry.rule.ts";
import { chooseOwner } from "./key-owner.ts";
import { readAllowedAddresses, readAllowedModels } from "./key-restrictions.ts";
import { checkCanChangeKey, checkCanGrantKey, scopeOf } from "./key-rights.ts";
import { parseTime, toDate } from "./key-times.ts";
import {
  mergeRestrictions,
  putInForce,
  type RankedKey,
  readRankedKey,
} from "./ranked-restrictions.ts";
import { saveRestrictions } from "./restrictions.sql.ts";
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

/** A key with its new secret, which is null where it waits for the owner. */
export type NewSecretOfKey = { view: ApiKeyView } & Handover;

const DEFAULT_PERMISSION: KeyPermission = "write";

/**
 * Creates a key. The result contains the secret, unless it waits for another owner. Throws a 404 for an unknown workspace
 * or owner, and a 400 for an archived workspace or settings that the organization does not allow. Throws a 403 without
 * permission to create keys there, with this permission, or for this owner.
 */
export function createApiKey(
  deps: WaitingSecretDeps,
  { caller, origin }: Call,
  input: NewApiKey,
): Promise<NewSecretOfKey> {
  const nowMs = deps.nowMs();
  const permission = pickStrongest(input.permissions ?? [DEFAULT_PERMISSION]);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await getActiveWorkspaceForChange(tx, caller, "api_keys:write", input.workspace_id);
    checkCanGrantKey(caller, { workspace_id: input.workspace_id, permission });
    const now = new Date(nowMs);
    const owner_member_id = await chooseOwner(tx, caller, input);
    const { organizationId } = caller;
    await checkKeyCount(tx, { organizationId, memberId: owner_member_id, now });
    const { restrictions, lifetime_ends_at, limits } = await decideRestrictions(tx, caller, input, {
      owner_member_id,
      now,
    });
    const row = {
      id: newId(idPrefixes.apiKey, nowMs, deps.randomBytes),
      organization_id: organizationId,
      workspace_id: input.workspace_id,
      name: input.name,
      permission,
      owner_member_id,
      created_by_type: caller.kind,
      created_by_id: caller.id,
      created_at: now,
    };
    const { is_held: _, ...inForce } = putInForce(
      { status: "active", is_held: false, lifetime_ends_at },
      restrictions,
    );
    const { secret, view } = await insertKeyWithSecret(
      tx,
      deps,
      { ...row, ...inForce },
      restrictions,
    );
    const key = { organizationId, workspaceId: row.workspace_id, id: row.id };
    const copied = await copyLimits(tx, deps, key, limits);
    const audit = [auditOf("api_key.created", null, view), ...copied];
    const of = { key: view.row, secret, reason: "created" } as const;
    return { result: { view, ...(await handOverSecret(tx, deps, caller, of)) }, audit };
  });
}

/** Restrictions of a new key: the inherited ones, and those of the request at the caller's rank. */
async function decideRestrictions(
  tx: Tx,
  caller: Caller,
  input: NewApiKey,
  { owner_member_id, now }: { owner_member_id: string | null; now: Date },
): Promise<Pick<Inherited, "restrictions" | "limits"> & { lifetime_ends_at: Date | null }> {
  const { workspace_id: workspaceId } = input;
  const nowMs = now.getTime();
  const maxDays = await findMaxKeyLifetimeDays(tx, caller.organizationId);
  const requestedMs = parseTime(input.expires_at);
  const expiresAt = toDate(decideExpiry(requestedMs, { fromMs: nowMs, nowMs, maxDays }));
  const values = {
    allowed_models: readAllowedModels(input.allowed_models) ?? null,
    allowed_addresses: readAllowedAddresses(input.allowed_addresses) ?? null,
    expires_at: requestedMs === undefined ? null : expiresAt,
  };
  const by = { set_by_type: caller.kind, set_by_id: caller.id, set_at: now };
  const rank = findOwnRank(caller, { workspace_id: workspaceId, owner_member_id });
  const requested = setRestrictions([], rank, values, by);
  const place = { workspaceId, memberId: owner_member_id };
  const inherited = await inheritRestrictions(tx, caller, place, now);
  return {
    restrictions: mergeRestrictions([...inherited.restrictions, ...requested]),
    limits: inherited.limits,
    lifetime_ends_at: requestedMs === undefined ? expiresAt : null,
  };
}

async function insertKeyWithSecret(
  tx: Tx,
  deps: AuditDeps,
  row: NewApiKeyRow,
  restrictions: readonly RankedRestrictions[],
) {
  const { secret, hash, hint } = makeSecret("api", deps.randomBytes);
  await insertApiKey(tx, row);
  await saveRestrictions(tx, row.id, restrictions);
  await insertSecret(tx, { api_key_id: row.id, hash, hint, created_at: row.created_at });
  const scope = { organizationId: row.organization_id, onlyWorkspaceIds: null };
  const created = await findApiKey(tx, scope, row.id);
  if (created === null) throw apiKeyNotFound();
  const view = await describeApiKey(tx, row.organization_id, created, row.created_at.getTime());
  return { secret, view };
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

export interface ApiKeyChange extends RestrictionChange {
  name?: string | null | undefined;
}

/**
 * Updates a key. An omitted field stays as it is, and so does a name or status of null. A restriction of null is removed.
 * Only restrictions of the caller's rank change, or of the lower rank that it names. Throws a 404, and a 403 for a key that
 * the caller can only read. Throws a 400 for an archived key, for an expired key unless it is archived, and for enabling a
 * key whose owner is inactive. `changeRestrictions` lists the refusals by rank.
 */
export function updateApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  change: ApiKeyChange,
): Promise<ApiKeyView> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await findApiKeyForUpdate(tx, scopeOf(caller), id);
    if (row === null) throw apiKeyNotFound();
    checkCanChangeKey(caller, row);
    const { organizationId } = caller;
    if (row.status === "archived") {
      if (isChangeOfArchived(row, change)) throw refuseArchivedKey();
      return { result: await describeApiKey(tx, organizationId, row, nowMs), audit: "unchanged" };
    }
    const before = await readRankedKey(tx, row);
    const maxDays = await findMaxKeyLifetimeDays(tx, organizationId);
    const after = applyChange(before, change, { caller, nowMs, maxDays });
    if (isSame(before, after)) {
      return { result: await describeApiKey(tx, organizationId, row, nowMs), audit: "unchanged" };
    }
    checkChange(statusOf(row, nowMs), before, after);
    if (after.row.status === "active" && row.status !== "active") {
      checkCanGrantKey(caller, after.row);
    }
    if (isKeyWider(row, after.row)) checkStepUp(caller, nowMs);
    await checkWithinCaller(tx, caller, { before: before.restrictions, after });
    await updateRow(tx, organizationId, after.row);
    await saveRestrictions(tx, id, after.restrictions);
    if (after.row.status !== row.status || after.row.is_held !== row.is_held) {
      await deleteHeldKey(tx, id);
    }
    return {
      result: await describeApiKey(tx, organizationId, after.row, nowMs),
      audit: auditOf("api_key.updated", before, after),
    };
  });
}

function applyChange(
  before: RankedKey,
  change: ApiKeyChange,
  context: RestrictionContext,
): RankedKey {
  const { row } = before;
  const { row: changed, restrictions } = changeRestrictions(before, change, context);
  const named = { ...changed, name: change.name ?? row.name };
  if (change.status !== "archived") return { row: named, restrictions };
  const archived_rank = rankOf(context.caller, row.workspace_id, "keys");
  const archived_at = new Date(context.nowMs);
  return { row: { ...named, status: "archived", archived_at, archived_rank }, restrictions };
}

/** True if the request names a value that an archived key does not have. */
function isChangeOfArchived(row: ApiKeyRow, change: ApiKeyChange): boolean {
  return (
    (change.name ?? row.name) !== row.name ||
    (change.status ?? "archived") !== "archived" ||
    [change.expires_at, change.allowed_models, change.allowed_addresses].some(
      (value) => value !== undefined,
    )
  );
}

function checkChange(status: ApiKeyStatus, before: RankedKey, after: RankedKey): void {
  const { archived_at, archived_rank } = after.row;
  const archived = { ...before.row, status: "archived", archived_at, archived_rank };
  const isArchivedOnly = isSame<object>(
    { row: archived, restrictions: before.restrictions },
    { row: after.row, restrictions: after.restrictions },
  );
  if (status === "expired" && !isArchivedOnly) throw refuseExpiredKey("it can only be archived");
  const isEnabled = after.row.status === "active" && before.row.status === "inactive";
  const { owner_state } = before.row;
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
