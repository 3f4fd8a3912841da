import { type PersonalKeyMode, personalKeyModes } from "@bursar/contract/admin/workspaces.ts";
import {
  findInheritedRole,
  findReach,
  hasRight,
  type OrganizationRole,
  organizationActions,
  type WorkspaceRole,
  workspaceActions,
} from "@bursar/contract/permissions.ts";
import { tokenPrices } from "@bursar/contract/usage-shape.ts";
import type { TokenPrices } from "./price-list.ts";

// Changes that give more access, or that let more money be spent. Members must step up for them. A change that only takes
// away needs no step-up, because people stop things in an emergency. Each function compares a state before and after.

/** Rules of a workspace for keys that members create for themselves. */
export interface PersonalKeyRules {
  personal_keys: PersonalKeyMode;
  /** Null: all models. */
  personal_key_models: readonly string[] | null;
  /** Days. Null: no maximum. */
  personal_key_lifetime_days: number | null;
  /** Null: no maximum. */
  personal_keys_per_member: number | null;
}

/** True if more members can create keys, or the keys can do more, last longer or be more. */
export function arePersonalKeysWider(before: PersonalKeyRules, after: PersonalKeyRules): boolean {
  if (after.personal_keys === "off") return false;
  const openness = (rules: PersonalKeyRules) => personalKeyModes.indexOf(rules.personal_keys);
  return (
    openness(after) > openness(before) ||
    isListWider(before.personal_key_models, after.personal_key_models, coversModel) ||
    isHigher(before.personal_key_lifetime_days, after.personal_key_lifetime_days) ||
    isHigher(before.personal_keys_per_member, after.personal_keys_per_member)
  );
}

/** Null is no maximum. */
function isHigher(before: number | null, after: number | null): boolean {
  if (before === null) return false;
  return after === null || after > before;
}

/** Milliseconds since the epoch. */
interface Moment {
  getTime(): number;
}

/** Restrictions of an API key. */
export interface KeyAccess {
  status: "active" | "inactive" | "archived";
  /** Names and prefixes such as `claude-haiku-*`. Null: all models. */
  allowed_models: readonly string[] | null;
  allowed_addresses: readonly string[] | null;
  /** Origins whose pages can use the key, or `*` for all. Null: no pages. */
  allowed_origins: readonly string[] | null;
  expires_at: Moment | null;
}

/** True if the key works again, longer, for more models, from more addresses or in more pages. An archived key never works again. */
export function isKeyWider(before: KeyAccess, after: KeyAccess): boolean {
  if (after.status === "archived") return false;
  return (
    (after.status === "active" && before.status !== "active") ||
    areModelsWider(before.allowed_models, after.allowed_models) ||
    isListWider(before.allowed_addresses, after.allowed_addresses, (a, b) => a === b) ||
    areOriginsWider(before.allowed_origins, after.allowed_origins) ||
    isLater(before.expires_at, after.expires_at)
  );
}

/** True if `after` allows a model that `before` does not. Null allows all. */
export function areModelsWider(
  before: readonly string[] | null,
  after: readonly string[] | null,
): boolean {
  return isListWider(before, after, coversModel);
}

/** True if `after` allows pages of an origin that `before` does not. Null allows none. */
export function areOriginsWider(
  before: readonly string[] | null,
  after: readonly string[] | null,
): boolean {
  return isListWider(before ?? [], after ?? [], coversOrigin);
}

/** True if something is in `after` that no entry of `before` covers. Null contains everything. */
function isListWider(
  before: readonly string[] | null,
  after: readonly string[] | null,
  covers: (allowed: string, added: string) => boolean,
): boolean {
  if (before === null) return false;
  if (after === null) return true;
  return !after.every((added) => before.some((allowed) => covers(allowed, added)));
}

function coversOrigin(allowed: string, added: string): boolean {
  return allowed === "*" || allowed === added;
}

function coversModel(allowed: string, added: string): boolean {
  if (!allowed.endsWith("*")) return allowed === added;
  return added.startsWith(allowed.slice(0, -1));
}

/** Null never ends. */
function isLater(before: Moment | null, after: Moment | null): boolean {
  if (before === null) return false;
  return after === null || after.getTime() > before.getTime();
}

/** True if the organization role has a right that the earlier role lacks, also in workspaces. */
export function isRoleWider(before: OrganizationRole, after: OrganizationRole): boolean {
  return (
    organizationActions.some((action) => hasRight(after, action) && !hasRight(before, action)) ||
    isWorkspaceRoleWider(findInheritedRole(before), findInheritedRole(after))
  );
}

/** True if the role has a right in its workspace that the earlier role lacks. Null: no role. */
export function isWorkspaceRoleWider(
  before: WorkspaceRole | null,
  after: WorkspaceRole | null,
): boolean {
  if (after === null) return false;
  return workspaceActions.some((action) => {
    const reach = findReach(after, action);
    const held = before && findReach(before, action);
    return reach !== null && held !== "all" && reach !== held;
  });
}

/** Roles that an invite can give without a step-up. */
const plainRole: OrganizationRole = "user";
const plainWorkspaceRole: WorkspaceRole = "workspace_user";

/** True if an invite gives more than the plainest roles. */
export function isInviteWide(role: OrganizationRole, workspaceRoles: readonly WorkspaceRole[]) {
  return (
    isRoleWider(plainRole, role) ||
    workspaceRoles.some((given) => isWorkspaceRoleWider(plainWorkspaceRole, given))
  );
}

/** True if some kind of token becomes cheaper, so that limits and reports count less. */
export function isPriceLower(before: TokenPrices, after: TokenPrices): boolean {
  return tokenPrices.some(({ cost }) => after[cost] < before[cost]);
}

/** Rotation policy of a workspace, in days. */
export interface RotationDemand {
  rotationDays: number;
  graceDays: number;
}

/** True if secrets may be used for longer. Null: no policy. */
export function isRotationLooser(before: RotationDemand | null, after: RotationDemand | null) {
  if (before === null) return false;
  if (after === null) return true;
  return (
    after.rotationDays > before.rotationDays ||
    after.rotationDays + after.graceDays > before.rotationDays + before.graceDays
  );
}

/** Strictest first. */
const enforcements = ["strict", "soft", "alert_only"] as const;

export interface SpendBound {
  amountNanoUsd: bigint;
  enforcement: (typeof enforcements)[number];
  /** Null: the whole worst case is held. */
  openEndedHoldNanoUsd: bigint | null;
  /** Rule for requests with unknown parts. */
  unknownFeatures: "hold" | "refuse";
  /** Rule for streams: held in steps of their output, or whole. */
  hold: "steps" | "whole";
}

/** True if more money can be spent. Null: no limit. */
export function isSpendLimitWider(before: SpendBound | null, after: SpendBound | null): boolean {
  if (before === null) return false;
  if (after === null) return true;
  return (
    after.amountNanoUsd > before.amountNanoUsd ||
    enforcements.indexOf(after.enforcement) > enforcements.indexOf(before.enforcement) ||
    isHoldLower(before.openEndedHoldNanoUsd, after.openEndedHoldNanoUsd) ||
    (before.unknownFeatures === "refuse" && after.unknownFeatures === "hold") ||
    (before.hold === "whole" && after.hold === "steps")
  );
}

function isHoldLower(before: bigint | null, after: bigint | null): boolean {
  if (after === null) return false;
  return before === null || after < before;
}

/** True if some rate is higher or no longer limited. Null: not limited. */
export function isRateLimitWider<Rate extends string>(
  before: Readonly<Record<Rate, number | null>> | null,
  after: Readonly<Record<Rate, number | null>> | null,
): boolean {
  if (before === null) return false;
  if (after === null) return true;
  return (Object.keys(before) as Rate[]).some((rate) => {
    const { [rate]: was } = before;
    const { [rate]: is } = after;
    return was !== null && (is === null || is > was);
  });
}
