import {
  formatCount,
  formatCountShort,
  formatUsd,
  formatUsdShort,
  nanoToUsdText,
} from "../../ui/format.ts";
import type { Metric } from "./search.ts";

/** Text of a measure: US dollars, or a whole number. */
export function figure(value: bigint, metric: Metric): string {
  return metric === "cost" ? formatUsd(nanoToUsdText(value)) : formatCount(Number(value));
}

/** Height of a bar: US dollars, tokens or a count. */
export function toHeight(value: bigint, metric: Metric): number {
  return metric === "cost" ? Number(value) / 1e9 : Number(value);
}

export function axisFigure(height: number, metric: Metric): string {
  return metric === "cost" ? formatUsdShort(height) : formatCountShort(height);
}

const TICKS = 4;
const roundSteps = [1, 2, 2.5, 5, 10];

/** Round numbers from 0 to at least the highest bar. */
export function makeTicks(height: number, metric: Metric): number[] {
  if (height <= 0) return [0, 1];
  const rough = height / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const exact = (roundSteps.find((step) => step * power >= rough) ?? 10) * power;
  // Tokens and counts are whole numbers.
  const step = metric === "cost" ? exact : Math.ceil(exact);
  const count = Math.ceil(height / step);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
