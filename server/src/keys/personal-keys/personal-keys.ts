import type { KeyPermission, WorkspaceRole } from "@bursar/contract/permissions.ts";
import { denied } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { isOwnApiKey } from "#src/access/own-api-key.ts";
import { apiKeyNotFound } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller, type MemberCaller } from "#src/domain/caller.ts";
import { combineGroupModels } from "#src/domain/group-models.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { listPermittedWorkspaces, listWorkspaceRoles } from "#src/domain/rights.ts";
import {
  type ApiKeyRow,
  findApiKeyForUpdate,
  listApiKeys as listRows,
} from "#src/keys/api-keys/api-keys.sql.ts";
import { pickStrongest } from "#src/keys/api-keys/api-keys.ts";
import { createKey, type NewSecretOfKey } from "#src/keys/api-keys/create-key.ts";
import { type ApiKeyView, describeApiKeys } from "#src/keys/api-keys/describe-api-keys.ts";
import type { KeyAuthority } from "#src/keys/api-keys/key-authority.ts";
import type { WaitingSecretDeps } from "#src/keys/waiting-secrets/waiting-secrets.ts";
import { assert } from "#src/lib/assert.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { listModelsOfMember } from "#src/people/groups/group-models.sql.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { canJoinWorkspaces } from "#src/people/workspace-members/join-workspace.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { pickShorterLifetime } from "./personal-key-ground.rule.ts";
import {
  findGround,
  findMaxDays,
  lockOwner,
  openPlace,
  refusePersonalKeys,
} from "./personal-key-place.ts";
import {
  type Contact,
  countLivingKeysByWorkspace,
  findPersonalKeyPlace,
  listContacts,
  listPersonalKeyPlaces,
  type PersonalKeyPlace,
} from "./personal-keys.sql.ts";

// Keys that members create for themselves. A workspace allows them by a setting, also to members whose role creates no keys.

export interface NewPersonalKey {
  name: string;
  workspace_id: string;
  permissions?: ("read" | "write")[] | undefined;
  expires_at?: string | null | undefined;
  allowed_models?: string[] | null | undefined;
  allowed_addresses?: string[] | null | undefined;
  allowed_origins?: string[] | null | undefined;
}

const DEFAULT_PERMISSION: KeyPermission = "write";

/**
 * Creates a key that belongs to the caller, with at most the permission `write`. A caller without a role joins a workspace
 * that allows everyone. Throws a 404 for a workspace that neither is visible nor allows everyone. Throws a 403 without a ground
 * for a personal key, and for a caller with the highest number of them. Throws a 400 for an archived workspace, and for
 * settings that the workspace or the organization does not allow.
 */
export function createPersonalKey(
  deps: WaitingSecretDeps,
  call: Call,
  input: NewPersonalKey,
): Promise<NewSecretOfKey> {
  const caller = getMemberCaller(call);
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, call.origin, async (tx) => {
    const { place, ground, joined } = await openPlace(tx, deps.rows, caller, input.workspace_id);
    await lockOwner(tx, caller, place.id);
    const isBound = ground !== "role";
    if (isBound) await checkCount(tx, caller, place, new Date(nowMs));
    const key = {
      ...input,
      owner_member_id: caller.id,
      permission: pickStrongest(input.permissions ?? [DEFAULT_PERMISSION]),
    };
    const rules = {
      maxDays: await findMaxDays(tx, caller, place, ground),
      workspaceModels: isBound ? place.personal_key_models : null,
    };
    const created = await createKey(tx, deps, caller, { key, rules, nowMs });
    return { result: created.result, audit: [...joined, ...created.audit] };
  });
}

async function checkCount(
  tx: Tx,
  { organizationId, id: memberId }: MemberCaller,
  place: PersonalKeyPlace,
  now: Date,
): Promise<void> {
  const highest = place.personal_keys_per_member;
  if (highest === null) return;
  const of = { organizationId, memberId, workspaceIds: [place.id], now };
  const counts = await countLivingKeysByWorkspace(tx, of);
  if ((counts.get(place.id) ?? 0) < highest) return;
  throw new ApiError(
    "key_count_reached",
    `Each member can have ${formatPlural(highest, "personal key")} in the workspace "${place.name}". Revoke one first.`,
  );
}

/**
 * Rights of the owner of a personal key. The owner can always revoke and restrict it. A new secret and an enabled key need the
 * rights for a new key.
 */
export function makeOwnerAuthority(rows: RowSigner): KeyAuthority {
  return {
    async getForUpdate(tx, caller, id) {
      const scope = { organizationId: caller.organizationId, onlyWorkspaceIds: null };
      const row = await findApiKeyForUpdate(tx, scope, id);
      if (row === null || !isOwnApiKey(caller, row)) throw apiKeyNotFound();
      return row;
    },
    async checkCanGrant(tx, caller, key) {
      const member = getMemberCaller({ caller });
      const place = await findPlaceOfKey(tx, rows, member, key);
      const ground = findGround(member, place);
      if (ground === null || ground === "joining") throw refusePersonalKeys(place);
      if (key.permission !== "admin") return;
      throw denied(
        'A personal key has at most the "write" permission. This key has "admin", so a Workspace Admin can rotate it.',
      );
    },
    async findMaxDays(tx, caller, key) {
      const member = getMemberCaller({ caller });
      const place = await findPlaceOfKey(tx, rows, member, key);
      return findMaxDays(tx, member, place, findGround(member, place) ?? "setting");
    },
  };
}

/** Returns the workspace of a key, which `getForUpdate` has locked with it. */
async function findPlaceOfKey(
  tx: Tx,
  rows: RowSigner,
  { organizationId }: MemberCaller,
  { workspace_id: workspaceId }: ApiKeyRow,
): Promise<PersonalKeyPlace> {
  const place = await findPersonalKeyPlace(tx, rows, { organizationId, workspaceId });
  assert(place !== null, "each key has a workspace");
  return place;
}

/** Lists the caller's own keys of all workspaces. */
export async function listPersonalKeys(
  deps: Pick<AuditDeps, "database" | "nowMs">,
  call: Call,
  request: PageRequest,
): Promise<PageOfRows<ApiKeyView>> {
  const { organizationId, id: ownerMemberId } = getMemberCaller(call);
  const nowMs = deps.nowMs();
  const filter = {
    organizationId,
    onlyWorkspaceIds: null,
    ownerMemberId,
    maxLifetimeDays: await findMaxKeyLifetimeDays(deps.database, organizationId),
    nowMs,
  };
  const page = toPage(await listRows(deps.database, filter, request), request);
  return { ...page, rows: await describeApiKeys(deps.database, organizationId, page.rows, nowMs) };
}

/** Highest number of workspaces in the options. */
const MAX_PLACES = 200;
const MAX_CONTACTS = 5;

export interface PersonalKeyOption {
  place: PersonalKeyPlace;
  role: WorkspaceRole | null;
  maxDays: number | null;
  maxKeys: number | null;
  models: string[] | null;
  keys: number;
}

export interface PersonalKeyOptions {
  options: PersonalKeyOption[];
  hasMore: boolean;
  /** Models that the groups of the caller allow. Null: all models. */
  groupModels: string[] | null;
  contacts: Contact[];
}

/** Returns the workspaces where the caller can create a key, and people who can change that. */
export async function findPersonalKeyOptions(
  deps: Pick<AuditDeps, "database" | "nowMs" | "rows">,
  call: Call,
  { name }: { name?: string | undefined },
): Promise<PersonalKeyOptions> {
  const caller = getMemberCaller(call);
  const { database } = deps;
  const { organizationId, id: memberId } = caller;
  const ownIds = [...caller.workspaceRoles.keys()];
  const listed = await listPersonalKeyPlaces(deps, {
    organizationId,
    writableIds: listPermittedWorkspaces(caller, "api_keys:write"),
    memberIds: ownIds,
    canJoin: canJoinWorkspaces(caller),
    name,
    limit: MAX_PLACES,
  });
  const places = listed.slice(0, MAX_PLACES);
  const now = new Date(deps.nowMs());
  const workspaceIds = places.map(({ id }) => id);
  const of = { organizationId, memberId, workspaceIds, now };
  const counts = await countLivingKeysByWorkspace(database, of);
  const maxDays = await findMaxKeyLifetimeDays(database, organizationId);
  const options = places.flatMap((place) => {
    const ground = findGround(caller, place);
    if (ground === null) return [];
    const isBound = ground !== "role";
    return {
      place,
      role: listWorkspaceRoles(caller, place.id)[0] ?? null,
      maxDays: isBound ? pickShorterLifetime(maxDays, place.personal_key_lifetime_days) : maxDays,
      maxKeys: isBound ? place.personal_keys_per_member : null,
      models: isBound ? place.personal_key_models : null,
      keys: counts.get(place.id) ?? 0,
    };
  });
  const asked = { organizationId, workspaceIds: ownIds, limit: MAX_CONTACTS };
  const contacts = await listContacts(database, asked);
  const groupModels = combineGroupModels(await listModelsOfMember(database, { memberId }));
  return { options, hasMore: listed.length > MAX_PLACES, groupModels, contacts };
}
