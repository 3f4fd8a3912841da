import type { GatewayDeps } from "#src/gateway/handle-request.ts";
import type { HoldAmount, HoldRefusal, StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import type { Figures } from "#src/spend/ledger/lease-rules.ts";
import { ORGANIZATION_ID, WORKSPACE_ID } from "./gateway.ts";

// Leases of a node with one strict limit that holds streams in steps, in memory.

export const steppedLimit: StrictLimit = {
  id: "spl_steps",
  organizationId: ORGANIZATION_ID,
  scopeType: "workspace",
  scopeId: WORKSPACE_ID,
  period: "monthly",
  amountNanoUsd: 10_000_000_000n,
  hold: "steps",
};

export interface SteppedLeases {
  leases: GatewayDeps["leases"];
  /** Requests that were held, in their order. */
  asked: HoldAmount[];
  /** Holds of the stream in their order: the first one, and each change. */
  holds: bigint[];
  /** Larger holds that were not granted. */
  waits: number;
  /** Largest hold that the limit grants, nano-USD. */
  budgetNanoUsd: bigint;
  /** Reason why a larger hold waits. */
  lackReason: HoldRefusal["reason"];
  /** Amounts of the limit that explain it. */
  figures: Figures;
}

/** Grants holds of one request up to a budget. */
export function makeSteppedLeases(): SteppedLeases {
  let currentNanoUsd = 0n;
  const state: Omit<SteppedLeases, "leases"> = {
    asked: [],
    holds: [],
    waits: 0,
    budgetNanoUsd: steppedLimit.amountNanoUsd,
    lackReason: "spent",
    figures: {
      limitNanoUsd: steppedLimit.amountNanoUsd,
      settledNanoUsd: 9_000_000_000n,
      leasedNanoUsd: 1_000_000_000n,
      unresolvedNanoUsd: 0n,
    },
  };
  const set = (nanoUsd: bigint) => {
    currentNanoUsd = nanoUsd;
    state.holds.push(nanoUsd);
  };
  const leases: GatewayDeps["leases"] = {
    isHoldRequired: () => true,
    hasSteps: () => true,
    findLimit: () => steppedLimit,
    findUnknownRefusal: () => null,
    hold(request) {
      state.asked.push(request);
      set(request.stream?.firstNanoUsd ?? request.amountNanoUsd);
      return {
        kind: "held",
        startedAtMs: Date.now(),
        holdNanoUsd: request.amountNanoUsd,
        smallerHolds: null,
        isStepped: request.stream !== undefined,
      };
    },
    drop: () => undefined,
    lowerHold: () => undefined,
    resizeHold(_, nanoUsd) {
      if (nanoUsd > currentNanoUsd && nanoUsd > state.budgetNanoUsd) {
        state.waits += 1;
        return "waiting";
      }
      set(nanoUsd);
      return "held";
    },
    findStreamHold: () => {
      return { currentNanoUsd, highest: { holdNanoUsd: largest(state.holds), smallerHolds: null } };
    },
    findLack: () => ({
      kind: "refused",
      reason: state.lackReason,
      amountNanoUsd: 1n,
      maxCostNanoUsd: 1n,
      limit: steppedLimit,
      figures: state.figures,
      regainAtMs: Date.UTC(2026, 11, 1),
    }),
  };
  return Object.assign(state, { leases });
}

export function largest(amounts: readonly bigint[]): bigint {
  const [most = 0n] = amounts.toSorted((a, b) => (a > b ? -1 : 1));
  return most;
}
