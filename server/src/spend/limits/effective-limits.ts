import type { Call } from "#src/access/call.ts";
import { getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { periodNames } from "#src/domain/spend-period.ts";
import { chainOf } from "#src/spend/ledger/charges.ts";
import { listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import { findPeopleOfKey } from "./people-of-key.sql.ts";
import { type LimitState, readLimitStates } from "./spend-limits.ts";
import { isBlocking, remainingOf } from "./to-wire.ts";

/** Limits that apply to requests of one key, narrowest scope first. */
export interface EffectiveLimits {
  apiKeyId: string;
  workspaceId: string;
  /** Limits that the caller can see. */
  limits: readonly LimitState[];
  /** Limit with the smallest remainder, also if the caller cannot see it. Null without a limit that refuses requests. */
  bindsFirst: (LimitState & { isVisible: boolean }) | null;
  isBlocked: boolean;
  /** Maximum cost of the next request, in nano-USD. Null: no maximum. */
  maxRequestNanoUsd: bigint | null;
}

/** Throws a 404 for a key that the caller cannot see. */
export async function getEffectiveLimits(
  deps: AuditDeps,
  { caller }: Call,
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
    limits: states.filter(isVisible),
    bindsFirst: first && { ...first, isVisible: isVisible(first) },
    isBlocked: states.some(({ limit, balance }) => isBlocking(limit, balance)),
    maxRequestNanoUsd: findSmallest(states.flatMap((state) => computeRequestBound(state) ?? [])),
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
