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
import type { Caller } from "#src/domain/caller.ts";
import { fromIds, type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { isKeyWider } from "#src/domain/wider-access.ts";
import { deleteHeldKeys } from "#src/key-lookup/held-keys.sql.ts";
import type { WaitingSecretDeps } from "#src/keys/waiting-secrets/waiting-secrets.ts";
import { isSame } from "#src/lib/is-same.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import {
  type ApiKeyFilter,
  type ApiKeyRow,
  findApiKey,
  findApiKeyPosition,
  listApiKeys as listRows,
  updateApiKey as updateRow,
} from "./api-keys.sql.ts";
import {
  type ApiKeyChange,
  applyKeyChange,
  checkKeyChange,
  isChangeOfArchived,
} from "./apply-key-change.ts";
import { auditOf } from "./audit-of-key.ts";
import { checkWithinCaller } from "./change-restrictions.ts";
import { createKey, type KeySettings, type NewSecretOfKey } from "./create-key.ts";
import {
  type ApiKeyStatus,
  type ApiKeyView,
  describeApiKey,
  describeApiKeys,
  statusOf,
} from "./describe-api-keys.ts";
import { type KeyAuthority, roleAuthority } from "./key-authority.ts";
import { decideOrigins } from "./key-origins.ts";
import { chooseOwner } from "./key-owner.ts";
import { checkCanGrantKey, scopeOf } from "./key-rights.ts";
import { decideKeyUsers, type KeyUsers } from "./key-users.ts";
import { readRankedKey } from "./ranked-restrictions.ts";
import { saveRestrictions } from "./restrictions.sql.ts";
import { setTagsOfKey } from "./tags-of-key.ts";

/** Settings of new keys, as a caller requests them. */
export interface NewKeySettings {
  workspace_id: string;
  owner_member_id?: string | null | undefined;
  permissions?: KeyPermission[] | undefined;
  expires_at?: string | null | undefined;
  allowed_models?: string[] | null | undefined;
  allowed_addresses?: string[] | null | undefined;
  allowed_origins?: string[] | null | undefined;
  tags?: Record<string, string> | undefined;
  user_directory_id?: string | null | undefined;
  requires_user?: boolean | undefined;
}

const DEFAULT_PERMISSION: KeyPermission = "write";

/**
 * Creates a key. The result contains the secret, unless it waits for another owner. Throws a 404 for an unknown workspace
 * or owner, and a 400 for an archived workspace or settings that the organization does not allow. Throws a 403 without
 * permission to create keys there, with this permission, or for this owner.
 */
export function createApiKey(
  deps: WaitingSecretDeps,
  { caller, origin }: Call,
  input: NewKeySettings & { name: string },
): Promise<NewSecretOfKey> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const { key, rules } = await decideNewKey(tx, caller, input);
    return createKey(tx, deps, caller, { key: { ...key, name: input.name }, rules, nowMs });
  });
}

/** Checks the rights of `createApiKey`, locks workspace and owner, and returns the settings of the new key. */
export async function decideNewKey(
  tx: Tx,
  caller: Caller,
  input: NewKeySettings,
): Promise<Pick<KeySettings, "key" | "rules">> {
  const { workspace_id } = input;
  const permission = pickStrongest(input.permissions ?? [DEFAULT_PERMISSION]);
  await getActiveWorkspaceForChange(tx, caller, "api_keys:write", workspace_id);
  checkCanGrantKey(caller, { workspace_id, permission });
  const owner_member_id = await chooseOwner(tx, caller, input);
  const maxDays = await findMaxKeyLifetimeDays(tx, caller.organizationId);
  return {
    key: { ...input, owner_member_id, permission },
    rules: { maxDays, workspaceModels: null },
  };
}

/** Returns the strongest of the permissions. */
export function pickStrongest(permissions: readonly KeyPermission[]): KeyPermission {
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
  needs_attention?: boolean | undefined;
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
    needsAttention: query.needs_attention,
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

/**
 * Updates a key. An omitted field stays as it is, and so does a name or status of null. A restriction of null is removed.
 * Only restrictions of the caller's rank change, or of the lower rank that it names. Throws a 404, and a 403 for a key that
 * the caller can only read. Throws a 400 for an archived key, for an expired key unless it is archived, and for enabling a
 * key whose owner is inactive. `changeRestrictions` lists the refusals by rank. `authority` is the source of the rights.
 */
export function updateApiKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  change: ApiKeyChange,
  authority: KeyAuthority = roleAuthority,
): Promise<ApiKeyView> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await authority.getForUpdate(tx, caller, id);
    const { organizationId } = caller;
    if (row.status === "archived") {
      if (isChangeOfArchived(row, change)) throw refuseArchivedKey();
      return { result: await describeApiKey(tx, organizationId, row, nowMs), audit: "unchanged" };
    }
    const before = await readRankedKey(tx, row);
    const maxDays = await authority.findMaxDays(tx, caller, row);
    const tags = await setTagsOfKey(tx, caller, row, change.tags);
    const users = await decideKeyUsers(tx, caller, row, change);
    const after = applyKeyChange(before, change, {
      caller,
      nowMs,
      maxDays,
      columns: { ...tags, ...users, allowed_origins: decideOrigins(row, change) },
    });
    if (isSame(before, after)) {
      return { result: await describeApiKey(tx, organizationId, row, nowMs), audit: "unchanged" };
    }
    checkKeyChange(statusOf(row, nowMs), before, after);
    if (after.row.status === "active" && row.status !== "active") {
      await authority.checkCanGrant(tx, caller, after.row);
    }
    if (isKeyWider(row, after.row) || !isSame(users, pickUsers(row))) checkStepUp(caller, nowMs);
    await checkWithinCaller(tx, caller, { before: before.restrictions, after });
    await updateRow(tx, organizationId, after.row);
    await saveRestrictions(tx, [{ apiKeyId: id, restrictions: after.restrictions }]);
    if (after.row.status !== row.status || after.row.is_held !== row.is_held) {
      await deleteHeldKeys(tx, [id]);
    }
    return {
      result: await describeApiKey(tx, organizationId, after.row, nowMs),
      audit: auditOf("api_key.updated", before, after),
    };
  });
}

function pickUsers({ user_directory_id, requires_user }: ApiKeyRow): KeyUsers {
  return { user_directory_id, requires_user };
}
