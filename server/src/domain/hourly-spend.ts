import { assert } from "#src/lib/assert.ts";

export const HOUR_MS = 3_600_000;
export const HOURS_PER_DAY = 24;
export const HOURS_PER_WEEK = 168;

/** Cost of consecutive hours, UTC. An hour without requests counts as 0. Integer nano-USD. */
export interface HourlySpend {
  /** Hour of `amounts[0]`, the first with a cost, in whole hours since the epoch. */
  firstHour: number;
  amounts: readonly bigint[];
}

/** Fills gaps with 0. Hours before the first cost are unknown. Null: no hour has a cost. */
export function toHourlySpend(
  hours: readonly { atMs: number; nanoUsd: bigint }[],
  lastMs: number,
): HourlySpend | null {
  const costly = hours.filter(({ nanoUsd }) => nanoUsd > 0n).map(({ atMs }) => hourOf(atMs));
  const lastHour = hourOf(lastMs);
  const firstHour = Math.min(...costly, lastHour + 1);
  if (firstHour > lastHour) return null;
  const amounts = Array<bigint>(lastHour - firstHour + 1).fill(0n);
  for (const { atMs, nanoUsd } of hours) {
    const index = hourOf(atMs) - firstHour;
    const amount = amounts[index];
    if (amount !== undefined) amounts[index] = amount + nanoUsd;
  }
  return { firstHour, amounts };
}

export function hourOf(atMs: number): number {
  return Math.floor(atMs / HOUR_MS);
}

/** Cost of an hour. Null: unknown. */
export function amountOfHour({ firstHour, amounts }: HourlySpend, hour: number): bigint | null {
  return amounts[hour - firstHour] ?? null;
}

/** Sum of the hours from `from` up to and excluding `to`. Unknown hours count as 0. */
export function sumOfHours({ firstHour, amounts }: HourlySpend, from: number, to: number): bigint {
  assert(to >= from, "hours are summed forwards");
  let sum = 0n;
  const end = Math.min(to - firstHour, amounts.length);
  for (let index = Math.max(from - firstHour, 0); index < end; index++) sum += amounts[index] ?? 0n;
  return sum;
}
