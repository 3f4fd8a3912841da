import type { ObservedExcess } from "#src/spend/exceeded-bounds/change-exceeded-bounds.ts";
import { startBoth } from "./gateway-calls.ts";
import { makeSteppedLeases } from "./stepped-leases.ts";

/**
 * Starts a gateway with a limit that holds streams in steps. A test moves its clock. Models and tools with an excess are
 * held whole from then on.
 */
export async function startSteppedGateway() {
  const ledger = makeSteppedLeases();
  const clock = { atMs: 1_000_000 };
  const excesses: ObservedExcess[] = [];
  const { upstream, gateway } = await startBoth({
    script: () => undefined,
    leases: ledger.leases,
    clock: { nowMs: () => Date.now(), monotonicMs: () => clock.atMs },
    exceededBounds: {
      isHeldWhole: (_, kind, name) =>
        excesses.some((one) => one.kind === kind && one.name === name),
      report: (excess) => void excesses.push(excess),
    },
  });
  return { ledger, clock, excesses, upstream, gateway };
}
