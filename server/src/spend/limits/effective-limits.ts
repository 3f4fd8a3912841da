import { checkEverywhere } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { isBlocking } from "#src/domain/blocking-limit.ts";
import type { Caller } from "#src/domain/caller.ts";
import { refuseFields } from "#src/domain/refuse-field.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { periodNames } from "#src/domain/spend-period.ts";
import { chainOf } from "#src/spend/ledger/charges.ts";
import { listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import { hasMember, listKeyWorkspaces, listLimitsOfMember } from "./my-limits.sql.ts";
import { findPeopleOfKey } from "./people-of-key.sql.ts";
import { type LimitState, readLimitStates } from "./spend-limits.ts";
import { remainingOf } from "./to-wire.ts";

/** Limits that apply to requests of one key or one member, narrowest scope first. */
export interface EffectiveLimits {
  /** Null: the limits of a member. */
  apiKeyId: string | null;
  workspaceId: string | null;
  /** The member, or the owner of the key. */
  memberId: string | null;
  /** Limits that the caller can see. */
  limits: readonly LimitState[];
  /** Limit with the smallest remainder, also if the caller cannot see it. Null without a limit that refuses requests. */
  bindsFirst: (LimitState & { isVisible: boolean }) | null;
  isBlocked: boolean;
  /** Maximum cost of the next request that is held whole, in nano-USD. Null: no maximum. */
  maxRequestNanoUsd: bigint | null;
  /** Maximum cost of the next stream, by the limits that hold streams whole. Null: no maximum. */
  maxStreamNanoUsd: bigint | null;
  /** Maximum first hold of the next stream, by the limits that hold streams in steps. Null: no maximum. */
  maxFirstHoldNanoUsd: bigint | null;
}

/** Throws a 400 unless one subject is sent, and what the reading of that subject throws. */
export function getEffectiveLimits(
  deps: AuditDeps,
  { caller }: Call,
  of: { api_key_id?: string | undefined; member_id?: string | undefined },
): Promise<EffectiveLimits> {
  const { api_key_id: apiKeyId, member_id: memberId } = of;
  if (apiKeyId !== undefined && memberId === undefined) {
    return getLimitsOfKey(deps, caller, apiKeyId);
  }
  if (memberId !== undefined && apiKeyId === undefined) {
    return getLimitsOfMember(deps, caller, memberId);
  }
  const fields = ["api_key_id", "member_id"];
  throw refuseFields("api_key_id, member_id: send one of them.", fields);
}

/** Throws a 404 for a key that the caller cannot see. */
async function getLimitsOfKey(
  deps: AuditDeps,
  caller: Caller,
  apiKeyId: string,
): Promise<EffectiveLimits> {
  const { organizationId } = caller;
  const workspaceId = await getWorkspaceIdOfApiKey(
    deps.database,
    caller,
    "spend_limits:read",
    apiKeyId,
  );
  const people = await findPeopleOfKey(deps.database, { organizationId, apiKeyId });
  const scopes = chainOf({ organizationId, workspaceId, apiKeyId, ...people });
  const found = await Promise.all(
    scopes.map(([scopeType, scopeId]) =>
      listSpendLimits(deps.database, { organizationId, scopeType, scopeId }),
    ),
  );
  const inOrder = found.flatMap((limits) =>
    limits.toSorted((a, b) => periodNames.indexOf(a.period) - periodNames.indexOf(b.period)),
  );
  const states = await readLimitStates(deps, inOrder);
  const canSeeAll = listPermittedWorkspaces(caller, "spend_limits:read") === null;
  const isVisible = ({ limit: { scopeType } }: LimitState) =>
    canSeeAll || scopeType === "workspace" || scopeType === "api_key";
  const first = findFirstBinding(states);
  return {
    apiKeyId,
    workspaceId,
    memberId: canSeeAll ? (people.memberId ?? null) : null,
    limits: states.filter(isVisible),
    bindsFirst: first && { ...first, isVisible: isVisible(first) },
    ...summarize(states),
  };
}

/** Scopes of all requests of a member. Keys, tags and workspaces differ between the member's requests. */
const ofEachRequest: readonly ScopeType[] = ["member", "group", "organization"];

/** Throws a 403 without a role that sees all limits, and a 404 for an unknown or removed member. */
async function getLimitsOfMember(
  deps: AuditDeps,
  caller: Caller,
  memberId: string,
): Promise<EffectiveLimits> {
  checkEverywhere(caller, "spend_limits:read");
  const { organizationId } = caller;
  const of = { organizationId, memberId };
  if (!(await hasMember(deps.database, of))) {
    throw new ApiError("resource_not_found", "Member not found", {}, { resource: "member" });
  }
  const limits = await listLimitsOfMember(deps.database, {
    ...of,
    workspaceIds: await listKeyWorkspaces(deps.database, of),
    withOrganization: true,
  });
  const states = await readLimitStates(deps, limits);
  const common = states.filter(({ limit }) => ofEachRequest.includes(limit.scopeType));
  const first = findFirstBinding(common);
  return {
    ...{ apiKeyId: null, workspaceId: null, memberId },
    limits: states,
    bindsFirst: first && { ...first, isVisible: true },
    ...summarize(common),
  };
}

function summarize(
  states: readonly LimitState[],
): Pick<
  EffectiveLimits,
  "isBlocked" | "maxRequestNanoUsd" | "maxStreamNanoUsd" | "maxFirstHoldNanoUsd"
> {
  const boundBy = (counted: readonly LimitState[]) =>
    findSmallest(counted.flatMap((state) => computeRequestBound(state) ?? []));
  // A soft limit that is reached refuses streams by either rule.
  const byRule = Object.groupBy(states, ({ limit }) =>
    limit.enforcement === "strict" ? limit.hold : "whole",
  );
  return {
    isBlocked: states.some(({ limit, balance }) => isBlocking(limit, balance)),
    maxRequestNanoUsd: boundBy(states),
    maxStreamNanoUsd: boundBy(byRule.whole ?? []),
    maxFirstHoldNanoUsd: boundBy(byRule.steps ?? []),
  };
}

/** Returns the limit with the smallest remainder. If several are equal: the narrowest scope, then the shortest period. */
function findFirstBinding(states: readonly LimitState[]): LimitState | null {
  const refusing = states.filter(({ limit }) => limit.enforcement !== "alert_only");
  const left = refusing.map(computeRemaining);
  const smallest = findSmallest(left);
  return smallest === null ? null : (refusing[left.indexOf(smallest)] ?? null);
}

/** Remaining amount. Strict limits also subtract held and unresolved amounts. */
function computeRemaining({ limit, balance }: LimitState): bigint {
  if (limit.enforcement === "strict") return remainingOf(limit, balance);
  const left = limit.amountNanoUsd - (balance?.settledNanoUsd ?? 0n);
  return left > 0n ? left : 0n;
}

/** Maximum cost of one request under the limit. Null for a soft limit before it is reached. */
function computeRequestBound({ limit, balance }: LimitState): bigint | null {
  if (isBlocking(limit, balance)) return 0n;
  return limit.enforcement === "strict" ? remainingOf(limit, balance) : null;
}

function findSmallest(amounts: readonly bigint[]): bigint | null {
  return amounts.reduce<bigint | null>(
    (smallest, each) => (smallest === null || each < smallest ? each : smallest),
    null,
  );
}
