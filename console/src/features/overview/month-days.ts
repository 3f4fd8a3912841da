import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import type { Answer } from "../../api-client.ts";
import type { Point, Series } from "../../kit/usage/series.ts";
import { toNanoUsd } from "../../ui/format.ts";

// Cost of the last 30 days beside the 30 days before, and the forecast of the days that are left in the month. Amounts are
// integer nano-dollars.

const DAY_MS = 86_400_000;
export const DAYS = 30;

/** Groups of a day. `before`: the day 30 days earlier, which is drawn beside the others and never added. */
export const REAL = "real";
export const SIMULATED = "simulated";
export const BEFORE = "before";

type CostRow = Pick<Answer<"getCost">["data"][number], "starting_at" | "service_tier" | "cost_usd">;

export interface MonthDays {
  /** One point per day. Future days have no values. */
  series: Series;
  realNano: bigint;
  simulatedNano: bigint;
  /** Real cost of the 30 days before. Null: these days began before the usage. */
  beforeNano: bigint | null;
  /** Forecast of each day that is left in the month. Null: no forecast, or no day left. */
  perDayNano: bigint | null;
}

/** Range of the query: both halves of the chart. */
export function toCostRange(nowMs: number): { starting_at: string; ending_at: string } {
  const todayMs = startOfDay(nowMs);
  return {
    starting_at: new Date(todayMs - (2 * DAYS - 1) * DAY_MS).toISOString(),
    ending_at: new Date(todayMs + DAY_MS).toISOString(),
  };
}

interface MonthInput {
  rows: readonly CostRow[];
  nowMs: number;
  /** Forecast of the month, its cost so far and its end, without simulated cost. Null: unknown. */
  month: { forecastUsd: string; toDateUsd: string; endingAt: string } | null;
}

export function toMonthDays({ rows, nowMs, month }: MonthInput): MonthDays {
  const todayMs = startOfDay(nowMs);
  const costs = sumDays(rows);
  const ofDay = (dayMs: number) => costs.get(dayMs) ?? { real: 0n, simulated: 0n };
  const points: Point[] = Array.from({ length: DAYS }, (_, index) => {
    const dayMs = todayMs - (DAYS - 1 - index) * DAY_MS;
    const { real, simulated } = ofDay(dayMs);
    return {
      at: new Date(dayMs).toISOString(),
      isRunning: dayMs === todayMs,
      isFuture: false,
      values: { [REAL]: real, [SIMULATED]: simulated, [BEFORE]: ofDay(dayMs - DAYS * DAY_MS).real },
      total: real + simulated,
    };
  });
  const left = listDaysLeft(todayMs, month);
  const sumOf = (key: string) => points.reduce((sum, { values }) => sum + (values[key] ?? 0n), 0n);
  return {
    series: {
      keys: [REAL, SIMULATED, BEFORE],
      names: {
        [REAL]: "Cost",
        [SIMULATED]: "Simulated, not billed",
        [BEFORE]: `${DAYS} days before`,
      },
      points: [...points, ...left.map(toFuturePoint)],
    },
    realNano: sumOf(REAL),
    simulatedNano: sumOf(SIMULATED),
    beforeNano: hasWholeBefore(points) ? sumOf(BEFORE) : null,
    perDayNano: perDayOf(month, left.length),
  };
}

/** Days at the start of the 30 days before, of which one must have a cost. A comparison with less misleads. */
const FIRST_DAYS = 7;

function hasWholeBefore(points: readonly Point[]): boolean {
  return points.slice(0, FIRST_DAYS).some(({ values }) => (values[BEFORE] ?? 0n) > 0n);
}

/** Change against the 30 days before, such as "+12%". Null: nothing to compare with. */
export function formatChange(nowNano: bigint, beforeNano: bigint | null): string | null {
  if (beforeNano === null || beforeNano <= 0n) return null;
  const percent = Number(((nowNano - beforeNano) * 1_000n) / beforeNano) / 10;
  const text = Math.abs(percent) < 10 ? percent.toFixed(1) : String(Math.round(percent));
  return `${percent > 0 ? "+" : ""}${text.replace("-", "−")}%`;
}

function sumDays(rows: readonly CostRow[]) {
  const days = new Map<number, { real: bigint; simulated: bigint }>();
  for (const { starting_at, service_tier, cost_usd } of rows) {
    const dayMs = startOfDay(Date.parse(starting_at));
    const sums = days.get(dayMs) ?? { real: 0n, simulated: 0n };
    days.set(dayMs, sums);
    sums[service_tier === SIMULATED_TIER ? "simulated" : "real"] += toNanoUsd(cost_usd);
  }
  return days;
}

/** Days after today until the month ends. Empty without a forecast. */
function listDaysLeft(todayMs: number, month: MonthInput["month"]): number[] {
  if (month === null) return [];
  const days = Math.max(0, Math.round((Date.parse(month.endingAt) - todayMs) / DAY_MS) - 1);
  return Array.from({ length: days }, (_, index) => todayMs + (index + 1) * DAY_MS);
}

function toFuturePoint(dayMs: number): Point {
  const at = new Date(dayMs).toISOString();
  return { at, isRunning: false, isFuture: true, values: {}, total: 0n };
}

function perDayOf(month: MonthInput["month"], days: number): bigint | null {
  if (month === null || days === 0) return null;
  const rest = toNanoUsd(month.forecastUsd) - toNanoUsd(month.toDateUsd);
  return rest > 0n ? rest / BigInt(days) : 0n;
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
