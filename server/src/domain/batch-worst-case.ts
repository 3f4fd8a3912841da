import type { Rate, WorstCase } from "./worst-case.ts";

/**
 * Highest cost of a request in a batch: tokens cost half, and fees the same. A batch never has fast mode, so no price above
 * half applies.
 */
export function halveWorstCase(worstCase: WorstCase): WorstCase {
  const { drivers, nanoUsd } = worstCase;
  const { feesNanoUsd } = drivers;
  const tokens = nanoUsd > feesNanoUsd ? nanoUsd - feesNanoUsd : 0n;
  return {
    ...worstCase,
    // Rounded up.
    nanoUsd: (tokens + 1n) / 2n + feesNanoUsd,
    drivers: {
      ...drivers,
      inputRate: halveRate(drivers.inputRate),
      plainRate: halveRate(drivers.plainRate),
      readRate: halveRate(drivers.readRate),
      writeRate: halveRate(drivers.writeRate),
      outputRate: halveRate(drivers.outputRate),
    },
  };
}

/** Multipliers are whole and even numbers of twentieths. */
function halveRate(rate: Rate): Rate {
  return { ...rate, twentieths: rate.twentieths / 2n };
}
