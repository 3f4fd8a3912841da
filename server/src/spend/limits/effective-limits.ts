import type { Call } from "#src/access/call.ts";
import { getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { periodNames } from "#src/domain/spend-period.ts";
import { chainOf } from "#src/spend/ledger/charges.ts";
import { listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import { type LimitState, withBalances } from "./spend-limits.ts";
import { isBlocking, remainingOf } from "./to-wire.ts";

/** What the requests of one key must fit, narrowest scope first. */
export interface EffectiveLimits {
  apiKeyId: string;
  workspaceId: string;
  /** Those that the caller can see. */
  limits: readonly LimitState[];
  /** Of all that refuse, the one with the least left; `isVisible` false where the caller cannot see it. */
  bindsFirst: (LimitState & { isVisible: boolean }) | null;
  isBlocked: boolean;
  /** What one request may cost at most now, in nano-USD; null where no limit bounds it. */
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
  const scopes = chainOf({ organizationId, workspaceId, apiKeyId });
  const found = await Promise.all(
    scopes.map(([scopeType, scopeId]) =>
      listSpendLimits(deps.database, { organizationId, scopeType, scopeId }),
    ),
  );
  const inOrder = found.flatMap((limits) =>
    limits.toSorted((a, b) => periodNames.indexOf(a.period) - periodNames.indexOf(b.period)),
  );
  const states = await withBalances(deps, inOrder);
  const seesAll = listPermittedWorkspaces(caller, "spend_limits:read") === null;
  const isVisible = ({ limit }: LimitState) => seesAll || limit.scopeType !== "organization";
  const first = findFirstBinding(states);
  return {
    apiKeyId,
    workspaceId,
    limits: states.filter(isVisible),
    bindsFirst: first && { ...first, isVisible: isVisible(first) },
    isBlocked: states.some(({ limit, balance }) => isBlocking(limit, balance)),
    maxRequestNanoUsd: least(states.flatMap((state) => boundOf(state) ?? [])),
  };
}

/** Equal ones: the narrower scope and the shorter period, which come first, speak in a refusal. */
function findFirstBinding(states: readonly LimitState[]): LimitState | null {
  const refusing = states.filter(({ limit }) => limit.enforcement !== "alert_only");
  const left = refusing.map(leftOf);
  const smallest = least(left);
  return smallest === null ? null : (refusing[left.indexOf(smallest)] ?? null);
}

/** A strict limit counts what is held and unresolved, a soft one only what is spent. */
function leftOf({ limit, balance }: LimitState): bigint {
  if (limit.enforcement === "strict") return remainingOf(limit, balance);
  const left = limit.amountNanoUsd - (balance?.settledNanoUsd ?? 0n);
  return left > 0n ? left : 0n;
}

/** The most that the limit lets one request cost; a soft one that is not reached lets it cost anything. */
function boundOf({ limit, balance }: LimitState): bigint | null {
  if (isBlocking(limit, balance)) return 0n;
  return limit.enforcement === "strict" ? remainingOf(limit, balance) : null;
}

function least(amounts: readonly bigint[]): bigint | null {
  return amounts.reduce<bigint | null>(
    (smallest, each) => (smallest === null || each < smallest ? each : smallest),
    null,
  );
}
