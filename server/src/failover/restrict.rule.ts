import { type PersonalKeyMode, personalKeyModes } from "@bursar/contract/admin/workspaces.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { includesRank, keyPermissions } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import {
  combineGroupModels,
  type GroupModels,
  listModelLists,
  type RankedModels,
  toGroupModels,
} from "#src/domain/group-models.ts";
import {
  areModelsWider,
  areOriginsWider,
  type PersonalKeyRules,
} from "#src/domain/wider-access.ts";
import { isSame } from "#src/lib/is-same.ts";
import type {
  AdminKeyState,
  ApiKeyState,
  GroupState,
  MemberState,
  RankState,
  SecretState,
  WorkspaceState,
} from "./subject-state.rule.ts";

// Restrictions of a remembered state that the promoted database lacks. A remembered state never widens access.

/** Restricted fields with their new values. */
export type ApiKeyRestriction = Partial<
  Pick<
    ApiKeyState,
    | "status"
    | "permission"
    | "expiresAtMs"
    | "allowedModels"
    | "allowedAddresses"
    | "allowedOrigins"
    | "userDirectoryId"
    | "requiresUser"
  >
>;

const keyStatuses = ["active", "inactive", "archived"] as const;
const adminKeyStatuses = ["active", "inactive", "revoked"] as const;
const memberStatuses = ["active", "deactivated", "removed"] as const;

export function restrictApiKey(current: ApiKeyState, remembered: ApiKeyState): ApiKeyRestriction {
  const { status, permission, expiresAtMs } = remembered;
  const { allowedModels, allowedAddresses, allowedOrigins } = remembered;
  return {
    ...(isAfter(keyStatuses, status, current.status) && { status }),
    ...(isAfter(keyPermissions, current.permission, permission) && { permission }),
    ...(isEarlier(expiresAtMs, current.expiresAtMs) && { expiresAtMs }),
    ...(allowsLess(allowedModels, current.allowedModels) && { allowedModels }),
    ...(allowsLess(allowedAddresses, current.allowedAddresses) && { allowedAddresses }),
    ...(areOriginsWider(allowedOrigins, current.allowedOrigins) && { allowedOrigins }),
    ...restrictUsers(current, remembered),
  };
}

/** Users have limits of their own, so a key without a directory is freer. A directory that is lost too has no users. */
function restrictUsers(
  current: ApiKeyState,
  { userDirectoryId, requiresUser: lost }: ApiKeyState,
): Pick<ApiKeyRestriction, "userDirectoryId" | "requiresUser"> {
  if (userDirectoryId === null) return {};
  const requiresUser = lost === true || current.requiresUser === true;
  const isKept = [current.userDirectoryId, current.requiresUser];
  return isSame([userDirectoryId, requiresUser], isKept) ? {} : { userDirectoryId, requiresUser };
}

/** Restrictions of ranks that the current ones lack. The stricter one of two values stays. */
export function restrictRanks(
  current: readonly RankState[],
  remembered: readonly RankState[],
): RankState[] {
  return remembered.flatMap((lost) => {
    const held = current.find(({ rank }) => rank === lost.rank);
    if (held === undefined) return [lost];
    const isLess = {
      isDisabled: lost.isDisabled && !held.isDisabled,
      expiresAtMs: isEarlier(lost.expiresAtMs, held.expiresAtMs),
      allowedModels: allowsLess(lost.allowedModels, held.allowedModels),
      allowedAddresses: allowsLess(lost.allowedAddresses, held.allowedAddresses),
    };
    if (!Object.values(isLess).includes(true)) return [];
    return [
      {
        ...lost,
        isDisabled: lost.isDisabled || held.isDisabled,
        expiresAtMs: isLess.expiresAtMs ? lost.expiresAtMs : held.expiresAtMs,
        allowedModels: isLess.allowedModels ? lost.allowedModels : held.allowedModels,
        allowedAddresses: isLess.allowedAddresses ? lost.allowedAddresses : held.allowedAddresses,
      },
    ];
  });
}

/** Secrets that end earlier, and secrets that replace them. A key always has one current secret. */
export function restrictSecrets(
  current: readonly SecretState[],
  remembered: readonly SecretState[],
): { ended: SecretState[]; added: SecretState[] } {
  const byHash = new Map(current.map((secret) => [secret.hash, secret]));
  const ended = remembered.filter((secret) => {
    const found = byHash.get(secret.hash);
    return found !== undefined && isEarlier(secret.validUntilMs, found.validUntilMs);
  });
  const isReplaced = ended.some((secret) => byHash.get(secret.hash)?.validUntilMs === null);
  return { ended, added: isReplaced ? remembered.filter(({ hash }) => !byHash.has(hash)) : [] };
}

export function restrictAdminKey(
  current: AdminKeyState,
  remembered: AdminKeyState,
): Partial<Pick<AdminKeyState, "status" | "expiresAtMs">> {
  const { status, expiresAtMs } = remembered;
  return {
    ...(isAfter(adminKeyStatuses, status, current.status) && { status }),
    ...(isEarlier(expiresAtMs, current.expiresAtMs) && { expiresAtMs }),
  };
}

export interface WorkspaceRestriction {
  archivedAtMs?: number;
  /** Rules for personal keys: the stricter one of each. */
  personalKeys?: PersonalKeyRules;
}

export function restrictWorkspace(
  current: WorkspaceState,
  { archivedAtMs, personalKeys: lost }: WorkspaceState,
): WorkspaceRestriction {
  const { personalKeys: held } = current;
  const restricted: PersonalKeyRules = {
    personal_keys: pickEarlierMode(lost.personal_keys, held.personal_keys),
    personal_key_models: allowsLess(lost.personal_key_models, held.personal_key_models)
      ? lost.personal_key_models
      : held.personal_key_models,
    personal_key_lifetime_days: pickLower(
      lost.personal_key_lifetime_days,
      held.personal_key_lifetime_days,
    ),
    personal_keys_per_member: pickLower(
      lost.personal_keys_per_member,
      held.personal_keys_per_member,
    ),
  };
  return {
    ...(archivedAtMs !== null && current.archivedAtMs === null && { archivedAtMs }),
    ...(!isSame(restricted, held) && { personalKeys: restricted }),
  };
}

function pickEarlierMode(a: PersonalKeyMode, b: PersonalKeyMode): PersonalKeyMode {
  return isAfter(personalKeyModes, a, b) ? b : a;
}

/** Null: no maximum. */
function pickLower(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

export interface MemberRestriction {
  status?: MemberState["status"];
  role?: OrganizationRole;
  /** Role of the member in each workspace where it was lowered. Null: none. */
  workspaces: RoleRestriction[];
  /** Groups that the member had left. */
  leftGroupIds: string[];
  endedSessionIds: string[];
}

interface RoleRestriction {
  id: string;
  role: GivenWorkspaceRole | null;
}

export function restrictMember(current: MemberState, remembered: MemberState): MemberRestriction {
  const { status, role, sessionIds } = remembered;
  return {
    ...(isAfter(memberStatuses, status, current.status) && { status }),
    ...(isLowerRole(organizationRanks, role, current.role) && { role }),
    workspaces: restrictRoles(current.workspaces, remembered.workspaces),
    leftGroupIds: current.groupIds.filter((id) => !remembered.groupIds.includes(id)),
    endedSessionIds: current.sessionIds.filter((id) => !sessionIds.includes(id)),
  };
}

/** A group that the member had joined. */
export interface LostJoin {
  id: string;
  models: GroupModels;
  /** Has a limit for its members, alone or together. */
  isLimited: boolean;
}

/**
 * Returns the groups that the member joins again. They have a limit, or a list without which the member could use more models.
 * Lists add up, so all groups with a list are joined, or none. `held`: lists of other groups.
 */
export function pickLostJoins(held: readonly GroupModels[], joins: readonly LostJoin[]): string[] {
  const hasList = ({ models }: LostJoin) => models.allowed_models !== null;
  const before = combineGroupModels([...held, ...joins.map(({ models }) => models)]);
  const needsLists =
    areModelsWider(before, combineGroupModels(held)) ||
    joins.some((join) => join.isLimited && hasList(join));
  return joins
    .filter((join) => join.isLimited || (needsLists && hasList(join)))
    .map(({ id }) => id);
}

export interface GroupRestriction {
  models?: GroupModels;
  /** Workspaces where the role was lowered. Null: none. */
  workspaces: RoleRestriction[];
}

export function restrictGroup(current: GroupState, remembered: GroupState): GroupRestriction {
  const models = restrictModels(current.models, remembered.models);
  return {
    ...(models !== null && { models }),
    workspaces: restrictRoles(current.workspaces, remembered.workspaces),
  };
}

/** Each rank keeps its list, unless the lost one allows less. Lower lists then are those of the lost change. */
function restrictModels(current: GroupModels, remembered: GroupModels): GroupModels | null {
  const [held, lost] = [listModelLists(current), listModelLists(remembered)];
  const first = lost.find((list) => {
    const own = held.find(({ rank }) => rank === list.rank);
    return allowsLess(list.allowed_models, own?.allowed_models ?? null);
  });
  if (first === undefined) return null;
  const isAbove = ({ rank }: RankedModels) => !includesRank(first.rank, rank);
  return toGroupModels([...held.filter(isAbove), ...lost.filter((list) => !isAbove(list))]);
}

function restrictRoles(
  current: GroupState["workspaces"],
  remembered: GroupState["workspaces"],
): RoleRestriction[] {
  const given = new Map(remembered.map((each) => [each.id, each.role]));
  return current.flatMap(({ id, role: held }) => {
    const left = given.get(id) ?? null;
    return left === null || isLowerRole(workspaceRanks, left, held) ? [{ id, role: left }] : [];
  });
}

/** Roles of one rank have different rights, so a change between them is a restriction too. */
const organizationRanks: Readonly<Record<OrganizationRole, number>> = {
  owner: 4,
  admin: 3,
  developer: 2,
  billing: 2,
  user: 1,
  claude_code_user: 0,
};
const workspaceRanks: Readonly<Record<GivenWorkspaceRole, number>> = {
  workspace_admin: 3,
  workspace_developer: 2,
  workspace_restricted_developer: 1,
  workspace_user: 0,
};

function isLowerRole<Role extends string>(
  ranks: Readonly<Record<Role, number>>,
  role: Role,
  than: Role,
): boolean {
  return role !== than && ranks[role] <= ranks[than];
}

function isAfter<Value>(order: readonly Value[], value: Value, than: Value): boolean {
  return order.indexOf(value) > order.indexOf(than);
}

/** Null: never. */
function isEarlier(timeMs: number | null, thanMs: number | null): boolean {
  return timeMs !== null && (thanMs === null || timeMs < thanMs);
}

/** Null: no restriction. */
function allowsLess(list: readonly string[] | null, than: readonly string[] | null): boolean {
  return list !== null && (than === null || than.some((value) => !list.includes(value)));
}
