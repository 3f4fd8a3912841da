import { checkEverywhere } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { RateScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { modelGroupOf, modelGroups } from "#src/domain/model-groups.ts";
import { refuseFields } from "#src/domain/refuse-field.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { isOwnScope } from "#src/domain/wire-scope.ts";
import { listScopeRateLimits, type RateLimit } from "#src/rates/buckets/limits.sql.ts";
import { coversGroup } from "#src/rates/buckets/node-rates.ts";
import { findOwnerOfKey, findScopesOfMember } from "./member-rates.sql.ts";
import { type RateLimitState, readRateStates } from "./rate-limits.ts";

/** Limits that apply to requests of one key or one member, narrowest scope first. */
export interface EffectiveRateLimits {
  /** Null: the limits of a member. */
  apiKeyId: string | null;
  workspaceId: string | null;
  /** The member, or the owner of the key. */
  memberId: string | null;
  model: string | null;
  modelGroup: string | null;
  limits: readonly RateLimitState[];
  /** Limits that apply to each request. */
  common: readonly RateLimitState[];
}

interface Query {
  api_key_id?: string | undefined;
  member_id?: string | undefined;
  model?: string | undefined;
}

/**
 * Without `model`: the limits of every group of models. Throws a 400 unless one subject is sent, and what the reading of that
 * subject throws.
 */
export async function getEffectiveRateLimits(
  deps: AuditDeps,
  { caller }: Call,
  { api_key_id: apiKeyId, member_id: memberId, model }: Query,
): Promise<EffectiveRateLimits> {
  const modelGroup = model === undefined ? null : modelGroupOf(model);
  const of = { model: model ?? null, modelGroup };
  if (apiKeyId !== undefined && memberId === undefined) {
    return { ...of, ...(await getRatesOfKey(deps, caller, { apiKeyId, modelGroup })) };
  }
  if (memberId !== undefined && apiKeyId === undefined) {
    return { ...of, ...(await getRatesOfMember(deps, caller, { memberId, modelGroup })) };
  }
  const fields = ["api_key_id", "member_id"];
  throw refuseFields("api_key_id, member_id: send one of them.", fields);
}

type Found = Omit<EffectiveRateLimits, "model" | "modelGroup">;

const ofKey: readonly RateScopeType[] = ["api_key", "member", "group", "workspace", "organization"];

/** Throws a 404 for a key that the caller cannot see. */
async function getRatesOfKey(
  deps: AuditDeps,
  caller: Caller,
  { apiKeyId, modelGroup }: { apiKeyId: string; modelGroup: string | null },
): Promise<Found> {
  const { organizationId } = caller;
  const { database } = deps;
  const workspaceId = await getWorkspaceIdOfApiKey(database, caller, "rate_limits:read", apiKeyId);
  const owner = await findOwnerOfKey(database, { organizationId, apiKeyId });
  const own = owner.memberId === null ? [] : [owner.memberId];
  const scopeIds = [apiKeyId, ...own, ...owner.groupIds, workspaceId, organizationId];
  const canSeeAll = listPermittedWorkspaces(caller, "rate_limits:read") === null;
  const visible = canSeeAll ? ofKey : ofKey.filter(isOwnScope);
  const found = await listScopeRateLimits(database, { organizationId, scopeIds });
  const limits = await readRateStates(deps, sortApplying(found, visible, modelGroup));
  const memberId = canSeeAll ? owner.memberId : null;
  return { apiKeyId, workspaceId, memberId, limits, common: limits };
}

const ofMember: readonly RateScopeType[] = [
  "member",
  "api_key",
  "group",
  "workspace",
  "organization",
];
/** Keys and workspaces differ between the requests of a member. */
const ofEachRequest: readonly RateScopeType[] = ["member", "group", "organization"];

/** Throws a 403 without a role that sees all limits, and a 404 for an unknown or removed member. */
async function getRatesOfMember(
  deps: AuditDeps,
  caller: Caller,
  { memberId, modelGroup }: { memberId: string; modelGroup: string | null },
): Promise<Found> {
  checkEverywhere(caller, "rate_limits:read");
  const { organizationId } = caller;
  const scopes = await findScopesOfMember(deps.database, { organizationId, memberId });
  if (scopes === null) {
    throw new ApiError("resource_not_found", "Member not found", {}, { resource: "member" });
  }
  const { groupIds, apiKeyIds, workspaceIds } = scopes;
  const scopeIds = [memberId, ...apiKeyIds, ...groupIds, ...workspaceIds, organizationId];
  const found = await listScopeRateLimits(deps.database, { organizationId, scopeIds });
  const limits = await readRateStates(deps, sortApplying(found, ofMember, modelGroup));
  const common = limits.filter(({ limit }) => ofEachRequest.includes(limit.scopeType));
  return { apiKeyId: null, workspaceId: null, memberId, limits, common };
}

/** Limits of these scopes, in their order. Default rates of groups are left out. */
function sortApplying(
  limits: readonly RateLimit[],
  scopeTypes: readonly RateScopeType[],
  modelGroup: string | null,
): RateLimit[] {
  const placeOf = ({ scopeType, modelGroup: group }: RateLimit) =>
    scopeTypes.indexOf(scopeType) * modelGroups.length +
    modelGroups.findIndex(({ id }) => id === group);
  return limits
    .filter(({ scopeType }) => scopeTypes.includes(scopeType))
    .filter((limit) => modelGroup === null || coversGroup(limit, modelGroup))
    .toSorted((a, b) => placeOf(a) - placeOf(b) || (a.scopeId < b.scopeId ? -1 : 1));
}
