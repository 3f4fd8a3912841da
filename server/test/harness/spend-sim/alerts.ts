import { findOverrunThreshold } from "#src/alerts/firing/overrun-growth.rule.ts";

// Messages about overruns, one list for each balance, under the rule of the product.

/** Firings about the overrun of one balance in one episode. */
export interface ToldOverrun {
  /** Overrun of each firing, oldest first, nano-USD. */
  firings: readonly bigint[];
}

const NOTHING_TOLD: ToldOverrun = { firings: [] };

/** Firings after an overrun has grown. `told`: those before. */
export function fireOverrun(
  told: ToldOverrun = NOTHING_TOLD,
  { overrunNanoUsd, limitNanoUsd }: { overrunNanoUsd: bigint; limitNanoUsd: bigint },
): ToldOverrun {
  const { firings } = told;
  const threshold = findOverrunThreshold({
    overrunNanoUsd,
    limitNanoUsd,
    firings: firings.length,
    toldNanoUsd: firings.at(-1) ?? null,
    isToldLongAgo: false,
  });
  return threshold === null ? told : { firings: [...firings, overrunNanoUsd] };
}
