import type { SmallerHold } from "#src/domain/request-record.ts";
import {
  findWholeAmount,
  type HoldAmount,
  type HoldRefusal,
  isHeldInSteps,
  type StreamHold,
} from "./hold-refusal.ts";
import type { LeaseState } from "./lease-state.ts";

/** Amounts that the limits of a chain hold for one request. */
export interface LimitHolds {
  /** Largest hold of a limit in its chain. Null: no limit holds the request. */
  holdNanoUsd: bigint | null;
  /** Holds of limits that hold less. Null: none does. */
  smallerHolds: readonly SmallerHold[] | null;
}

/** The request may be sent. Its holds are those of the whole worst case, also for a stream that is held in steps. */
export interface Held extends LimitHolds {
  kind: "held";
  /** The request always belongs to the periods of this moment. */
  startedAtMs: number;
  /** A limit of the chain holds this stream in steps. */
  isStepped: boolean;
}

export type HoldDecided = Held | HoldRefusal;

/** The client of the request left during the wait. */
export interface Dropped {
  kind: "dropped";
}

export type HoldDecision = Held | { kind: "waiting" } | HoldRefusal;

/** Returns the decision for a request that the limits of all `states` hold. The first state is the narrowest one. */
export function makeHeld(
  request: HoldAmount,
  states: readonly LeaseState[],
  startedAtMs: number,
): Held {
  const [first] = states;
  if (first === undefined) {
    return {
      kind: "held",
      startedAtMs,
      holdNanoUsd: null,
      smallerHolds: null,
      isStepped: false,
    };
  }
  const { amountNanoUsd, stream } = request;
  const isStepped = stream !== undefined && isStreamInSteps(states, stream);
  if (request.isOpenEnded !== true) {
    return { kind: "held", startedAtMs, holdNanoUsd: amountNanoUsd, smallerHolds: null, isStepped };
  }
  const { holdNanoUsd, smallerHolds } = listWholeHolds(request, states);
  return { kind: "held", startedAtMs, holdNanoUsd, smallerHolds, isStepped };
}

function isStreamInSteps(states: readonly LeaseState[], stream: StreamHold): boolean {
  return states.some(({ limit }) => isHeldInSteps(limit, stream));
}

function listWholeHolds(request: HoldAmount, states: readonly LeaseState[]) {
  return listHolds(
    states,
    states.map(({ limit }) => findWholeAmount(limit, request)),
  );
}

/** `amounts`: hold in each of `states`, in their order. At least one. */
export function listHolds(
  states: readonly Pick<LeaseState, "key">[],
  amounts: readonly bigint[],
): { holdNanoUsd: bigint; smallerHolds: readonly SmallerHold[] | null } {
  const most = amounts.reduce(larger);
  const smaller = states.flatMap(({ key: { scopeType, scopeId, period } }, at): SmallerHold[] => {
    const nanoUsd = amounts[at] ?? most;
    if (nanoUsd >= most) return [];
    const isOneOfSome = scopeType === "group" || scopeType === "tag";
    return [{ scopeType, period, nanoUsd, ...(isOneOfSome && { scopeId }) }];
  });
  return { holdNanoUsd: most, smallerHolds: smaller.length === 0 ? null : smaller };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
