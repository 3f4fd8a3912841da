import { denied } from "#src/access/authorize.ts";
import {
  canSeeWorkspace,
  refuseArchivedWorkspace,
  workspaceNotFound,
} from "#src/access/visible-workspace.ts";
import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { findWorkspaceReach } from "#src/domain/rights.ts";
import { findOwnerForKey } from "#src/keys/api-keys/key-owner.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { canJoinWorkspaces, joinWorkspace } from "#src/people/workspace-members/join-workspace.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import {
  findPersonalKeyGround,
  type PersonalKeyGround,
  pickShorterLifetime,
} from "./personal-key-ground.rule.ts";
import { lockPersonalKeyPlace, type PersonalKeyPlace } from "./personal-keys.sql.ts";

/** Place of a key, and the ground for it. */
export interface OpenPlace {
  place: PersonalKeyPlace;
  ground: PersonalKeyGround;
  /** Audit entry of a new role there. Empty: the caller has one already. */
  joined: AuditEntry[];
}

/** Locks the workspace, and adds the caller to it if the ground is a new role. Members are locked first, as always. */
export async function openPlace(
  tx: Tx,
  rows: RowSigner,
  caller: MemberCaller,
  workspaceId: string,
): Promise<OpenPlace> {
  if (!hasKeyRole(caller, workspaceId)) await lockPeople(tx, caller.organizationId);
  const { organizationId } = caller;
  const place = await lockPersonalKeyPlace(tx, rows, { organizationId, workspaceId });
  const isOpen = place?.personal_keys === "everyone" && canJoinWorkspaces(caller);
  if (place === null || !(isOpen || canSeeWorkspace(caller, workspaceId))) {
    throw workspaceNotFound(workspaceId);
  }
  const ground = findGround(caller, place);
  if (ground === null) throw refusePersonalKeys(place);
  if (place.archived_at !== null) throw refuseArchivedWorkspace(workspaceId);
  const entry = ground === "joining" ? await joinWorkspace(tx, caller, workspaceId) : null;
  return { place, ground, joined: entry === null ? [] : [entry] };
}

/** Locks the caller, so that concurrent creations count one another and the member cannot be removed meanwhile. */
export async function lockOwner(tx: Tx, caller: MemberCaller, workspaceId: string): Promise<void> {
  const { organizationId, id: memberId } = caller;
  const state = await findOwnerForKey(tx, { organizationId, memberId, workspaceId });
  if (state !== "active") throw workspaceNotFound(workspaceId);
}

export function findGround(
  caller: MemberCaller,
  place: PersonalKeyPlace,
): PersonalKeyGround | null {
  return findPersonalKeyGround({
    mode: place.personal_keys,
    canWriteKeys: findWorkspaceReach(caller, "api_keys:write", place.id) !== null,
    hasRole: hasKeyRole(caller, place.id),
    canJoin: canJoinWorkspaces(caller),
  });
}

/** Whether the member has a role under which a personal key works. Keys of an inherited Billing role would not. */
function hasKeyRole(caller: MemberCaller, workspaceId: string): boolean {
  return (
    caller.workspaceRoles.has(workspaceId) ||
    findWorkspaceReach(caller, "api_keys:write", workspaceId) !== null
  );
}

export function refusePersonalKeys({ name }: PersonalKeyPlace): ApiError {
  return denied(
    `The workspace "${name}" does not allow you to create API keys. Ask a Workspace Admin to allow personal keys or to create a key for you.`,
  );
}

export async function findMaxDays(
  tx: Tx,
  { organizationId }: MemberCaller,
  place: PersonalKeyPlace,
  ground: PersonalKeyGround,
): Promise<number | null> {
  const ofOrganization = await findMaxKeyLifetimeDays(tx, organizationId);
  return ground === "role"
    ? ofOrganization
    : pickShorterLifetime(ofOrganization, place.personal_key_lifetime_days);
}
