import type { SmallerHold } from "#src/domain/request-record.ts";
import { findHoldAmount, type HoldAmount, type HoldRefusal } from "./hold-refusal.ts";
import type { LeaseState } from "./lease-table.ts";

/** The request may be sent. */
export interface Held {
  kind: "held";
  /** The request always belongs to the periods of this moment. */
  startedAtMs: number;
  /** Largest hold of a limit in its chain. Null: no limit holds the request. */
  holdNanoUsd: bigint | null;
  /** Holds of limits that hold less. Null: none does. */
  smallerHolds: readonly SmallerHold[] | null;
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
    return { kind: "held", startedAtMs, holdNanoUsd: null, smallerHolds: null };
  }
  const { amountNanoUsd } = request;
  if (request.isOpenEnded !== true) {
    return { kind: "held", startedAtMs, holdNanoUsd: amountNanoUsd, smallerHolds: null };
  }
  const amounts = states.map(({ limit }) => findHoldAmount(limit, request));
  const most = amounts.reduce(larger);
  const smaller = states.flatMap(({ key: { scopeType, scopeId, period } }, at): SmallerHold[] => {
    const nanoUsd = amounts[at] ?? most;
    if (nanoUsd >= most) return [];
    const isOneOfSome = scopeType === "group" || scopeType === "tag";
    return [{ scopeType, period, nanoUsd, ...(isOneOfSome && { scopeId }) }];
  });
  const smallerHolds = smaller.length === 0 ? null : smaller;
  return { kind: "held", startedAtMs, holdNanoUsd: most, smallerHolds };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
