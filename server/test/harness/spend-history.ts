import { HOURS_PER_DAY, type HourlySpend } from "#src/domain/hourly-spend.ts";
import { seededRandom } from "./seeded-random.ts";

// Spend histories of typical companies, each with a known result. Generated from a seed, equal on every machine.

const HOURS_PER_WEEK = 168;
/** Monday 1 June 2026, 00:00 UTC. */
export const HISTORY_START_HOUR = Date.UTC(2026, 5, 1) / 3_600_000;
const NANO_PER_CENT = 10_000_000;

export interface HistoryShape {
  /** Dollars of a typical working hour. */
  hourUsd: number;
  /** Share of it that is spent at night, and at weekends. */
  night: number;
  weekend: number;
  /** Standard deviation of the logarithm of an hour, and of a day. */
  hourNoise: number;
  dayNoise: number;
  /** Growth per day: 0.02 is two percent. */
  growth: number;
  /** Factor on the first two days of a month. */
  monthStart: number;
  /** Share of hours without any cost: an outage, a holiday. */
  outages: number;
}

/** Shape of a business, derived from the seed. */
export function randomShape(seed: number): HistoryShape {
  const random = seededRandom(seed * 7_919 + 1);
  const between = (low: number, high: number) => low + (high - low) * random();
  const oneOf = (...values: number[]) => values[Math.floor(random() * values.length)] ?? 0;
  return {
    hourUsd: 10 ** between(0, 3),
    night: oneOf(0, 0.05, 0.3, 1),
    weekend: oneOf(0, 0.1, 0.4, 1),
    hourNoise: between(0.05, 0.35),
    dayNoise: between(0, 0.2),
    growth: oneOf(0, 0, 0.01, 0.03),
    monthStart: oneOf(1, 1, 1.25, 1.5),
    outages: oneOf(0, 0, 0.002),
  };
}

/** Hours of `days` days that begin on a Monday. `extraUsd` returns additional spend of an hour. */
export function makeHistory(
  seed: number,
  days: number,
  shape: HistoryShape,
  extraUsd: (hour: number) => number = () => 0,
): HourlySpend {
  const random = seededRandom(seed);
  const amounts: bigint[] = [];
  let dayFactor = 1;
  let outageUntil = -1;
  for (let hour = 0; hour < days * HOURS_PER_DAY; hour++) {
    if (hour % HOURS_PER_DAY === 0) dayFactor = Math.exp(shape.dayNoise * normal(random));
    if (random() < shape.outages) outageUntil = hour + 4;
    const noise = Math.exp(shape.hourNoise * normal(random));
    const usd = hour < outageUntil ? 0 : expectedUsd(shape, hour) * dayFactor * noise;
    amounts.push(BigInt(Math.round((usd + extraUsd(hour)) * 100)) * BigInt(NANO_PER_CENT));
  }
  return { firstHour: HISTORY_START_HOUR, amounts };
}

/** Spend of an hour of the history, without noise. */
export function expectedUsd(shape: HistoryShape, hour: number): number {
  const hourOfDay = hour % HOURS_PER_DAY;
  const isWeekend = Math.floor((hour % HOURS_PER_WEEK) / HOURS_PER_DAY) >= 5;
  const isNight = hourOfDay < 8 || hourOfDay >= 19;
  const date = new Date((HISTORY_START_HOUR + hour) * 3_600_000).getUTCDate();
  return (
    shape.hourUsd *
    (isNight ? shape.night : 1) *
    (isWeekend ? shape.weekend : 1) *
    (date <= 2 ? shape.monthStart : 1) *
    (1 + shape.growth) ** (hour / HOURS_PER_DAY)
  );
}

/** Box-Muller transform. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
