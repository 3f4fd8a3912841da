import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { holdUnderLimit } from "#src/domain/worst-case.ts";
import { type AwaitedNode, type Figures, leastOf, usedOf } from "./lease-rules.ts";

/** A strict spend limit: at most `amountNanoUsd` in each period. */
export interface StrictLimit {
  id: string;
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
  /** Highest hold for an open-ended request. Null: its whole worst case. */
  openEndedHoldNanoUsd?: bigint | null;
  /** Rule for requests with unknown parts. Absent: hold. */
  unknownFeatures?: "hold" | "refuse";
  /** Hold of a stream: in steps, or its whole worst case. Absent: whole. */
  hold?: "steps" | "whole";
  /** Name of a group or tag. */
  scopeName?: string | null;
}

/** Hold of a stream under limits with steps. */
export interface StreamHold {
  /** Hold at the start: input, and the first step of output. At most the worst case. */
  firstNanoUsd: bigint;
  /**
   * Largest hold of nearly all recent streams with the same key and model. Admission leaves the part above the current hold to
   * this stream.
   */
  usualNanoUsd: bigint;
}

/** The worst case of a request. */
export interface HoldAmount {
  amountNanoUsd: bigint;
  /** The request has no bound of its own. A limit can be configured to hold less than the worst case. */
  isOpenEnded?: boolean;
  /** Present for a stream that can be held in steps. Absent: every limit holds the whole worst case. */
  stream?: StreamHold | undefined;
}

/** True if the limit holds the stream in steps. A hold of 0 does not keep its lease, so such a stream is held whole. */
export function isHeldInSteps(
  limit: StrictLimit | null,
  stream: StreamHold | undefined,
): stream is StreamHold {
  return stream !== undefined && limit?.hold === "steps" && stream.firstNanoUsd > 0n;
}

/** Amount that one limit holds for a request at its start. */
export function findHoldAmount(limit: StrictLimit | null, request: HoldAmount): bigint {
  const { stream } = request;
  if (isHeldInSteps(limit, stream)) return stream.firstNanoUsd;
  return findWholeAmount(limit, request);
}

/** Amount that one limit holds for a request that is not held in steps. */
export function findWholeAmount(
  limit: StrictLimit | null,
  { amountNanoUsd, isOpenEnded }: HoldAmount,
): bigint {
  const chosen = limit?.openEndedHoldNanoUsd ?? null;
  if (isOpenEnded !== true || chosen === null) return amountNanoUsd;
  return holdUnderLimit({ kind: "open_ended", nanoUsd: amountNanoUsd }, chosen) ?? amountNanoUsd;
}

/**
 * Budget that must be free before a request starts, nano-USD: its hold, and for a stream its usual hold too. A limit whose
 * whole rest is below that cost uses its rest up with first holds.
 */
export function findNeed(
  { limit, seen }: Pick<LimitState, "limit" | "seen">,
  request: HoldAmount,
): bigint {
  const holdNanoUsd = findHoldAmount(limit, request);
  const { amountNanoUsd, stream } = request;
  if (limit === null || !isHeldInSteps(limit, stream)) return holdNanoUsd;
  const usual = leastOf(stream.usualNanoUsd, amountNanoUsd);
  if (usual <= holdNanoUsd) return holdNanoUsd;
  const isReachable = seen === null || restOf(limit, seen) >= usual;
  return isReachable ? usual : holdNanoUsd;
}

/** Rest of a limit if all leases were returned, nano-USD. */
function restOf({ amountNanoUsd }: StrictLimit, seen: Figures): bigint {
  return amountNanoUsd - seen.settledNanoUsd - seen.unresolvedNanoUsd;
}

/** Scope whose places in the queue are taken, and its number of waiting requests. Scope null: those of the node. */
export interface FullQueue {
  scope: { scopeType: ScopeType; scopeId: string } | null;
  waiting: number;
}

/**
 * Reason of a refused hold:
 * - `spent`: the limit has nothing left until its period ends.
 * - `too_large`: the limit has less left than it would have to hold.
 * - `held`: the limit has enough left, but it is held for other requests.
 * - `queue_full`: too many requests of a scope wait for budget.
 * - `queue_slow`: every limit of the chain has room, but the request did not get its budget in time.
 * - `uncounted`: the spend under a limit is not known yet: the limit is new or was changed, or the database failed over.
 * - `node_awaited`: the database failed over, and grants wait for the report of a node.
 * - `unavailable`: the database does not respond, or the node's leases have expired.
 */
export interface HoldRefusal {
  kind: "refused";
  reason:
    | "spent"
    | "too_large"
    | "held"
    | "queue_full"
    | "queue_slow"
    | "uncounted"
    | "node_awaited"
    | "unavailable";
  /** Amount that the limit would have to hold: for a stream in steps, the first hold. */
  amountNanoUsd: bigint;
  /** Highest possible cost of the request. */
  maxCostNanoUsd: bigint;
  limit: StrictLimit | null;
  figures: Figures | null;
  /** End of the limit's period, milliseconds since the epoch. */
  regainAtMs: number | null;
  /** Present for `queue_full`. */
  queue?: FullQueue;
  /** Present for `node_awaited`. */
  awaited?: AwaitedNode;
}

/** One limit of a chain, and the last known numbers of its balance. */
export interface LimitState {
  limit: StrictLimit | null;
  seen: Figures | null;
  endMs: number;
}

/** A limit that is in force, and the last known numbers of its balance. */
export interface LimitInForce extends LimitState {
  limit: StrictLimit;
}

/**
 * Finds a limit that refuses the request for the rest of its period. Spent limits are checked first, then limits that are
 * too small, each from the narrowest scope. Leased amounts do not count, because other holders may return them.
 * Unresolved amounts count, because they stay.
 */
export function findRefusal(request: HoldAmount, chain: readonly LimitState[]): HoldRefusal | null {
  return findSpent(request, chain) ?? findTooSmall(request, chain);
}

export function findSpent(request: HoldAmount, chain: readonly LimitState[]): HoldRefusal | null {
  for (const { limit, seen, endMs } of chain) {
    if (limit === null || seen === null || seen.settledNanoUsd < limit.amountNanoUsd) continue;
    return { kind: "refused", reason: "spent", ...describeHold(request, { limit, seen, endMs }) };
  }
  return null;
}

/** Facts of a refusal about a request and one limit. Undefined: no limit is known. */
export function describeHold(
  request: HoldAmount,
  state: LimitState | undefined,
): Omit<HoldRefusal, "kind" | "reason"> {
  const limit = state?.limit ?? null;
  return {
    amountNanoUsd: findHoldAmount(limit, request),
    maxCostNanoUsd: findWholeAmount(limit, request),
    limit,
    figures: state?.seen ?? null,
    regainAtMs: state?.endMs ?? null,
  };
}

/** True if enough of the limit is neither spent nor leased, by its last known numbers. `firstNanoUsd`: needed before. */
export function hasRoom(
  request: HoldAmount,
  { limit, seen }: LimitState,
  firstNanoUsd = 0n,
): boolean {
  if (limit === null || seen === null) return false;
  return limit.amountNanoUsd - usedOf(seen) - firstNanoUsd >= findNeed({ limit, seen }, request);
}

function findTooSmall(request: HoldAmount, chain: readonly LimitState[]): HoldRefusal | null {
  for (const { limit, seen, endMs } of chain) {
    if (limit === null || seen === null) continue;
    if (restOf(limit, seen) >= findHoldAmount(limit, request)) continue;
    return {
      kind: "refused",
      reason: "too_large",
      ...describeHold(request, { limit, seen, endMs }),
    };
  }
  return null;
}
