import {
  formatCount,
  formatCountShort,
  formatUsd,
  formatUsdShort,
  nanoToUsdText,
} from "../../ui/format.ts";
import type { Metric } from "./search.ts";

/** A measure as it is written: dollars, or a whole number. */
export function figure(value: bigint, metric: Metric): string {
  return metric === "cost" ? formatUsd(nanoToUsdText(value)) : formatCount(Number(value));
}

/** A measure as it is drawn: dollars, tokens or a count as a double. */
export function toHeight(value: bigint, metric: Metric): number {
  return metric === "cost" ? Number(value) / 1e9 : Number(value);
}

export function axisFigure(height: number, metric: Metric): string {
  return metric === "cost" ? formatUsdShort(height) : formatCountShort(height);
}
