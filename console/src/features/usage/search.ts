import { type RangeName, rangeNames } from "./range.ts";
import { type Metric, metrics } from "./sum-usage.ts";

/** What of a report stands in the address. Everything may be absent. */
export interface ReportSearch {
  range?: RangeName;
  /** Days of a range of one's own, the last one included. */
  from?: string;
  to?: string;
  by?: "workspace" | "api_key" | "model" | "none";
  metric?: Metric;
  workspace?: string[];
  key?: string[];
  model?: string[];
}

/** Reads the address; what makes no sense is as if it were not there. */
export function readReportSearch(raw: Record<string, unknown>): ReportSearch {
  const found: ReportSearch = {};
  const range = rangeNames.find((name) => name === raw["range"]);
  if (range) found.range = range;
  for (const name of ["from", "to"] as const) {
    const day = raw[name];
    if (typeof day === "string" && /^\d{4}-\d{2}-\d{2}$/.test(day)) found[name] = day;
  }
  const by = (["workspace", "api_key", "model", "none"] as const).find(
    (name) => name === raw["by"],
  );
  if (by) found.by = by;
  const metric = Object.keys(metrics).find((name) => name === raw["metric"]);
  if (metric) found.metric = metric as Metric;
  for (const name of ["workspace", "key", "model"] as const) {
    const values = raw[name];
    if (!Array.isArray(values)) continue;
    const texts = values.filter((value) => typeof value === "string").slice(0, 100);
    if (texts.length > 0) found[name] = texts;
  }
  return found;
}
