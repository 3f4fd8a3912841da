import {
  attributionLabels,
  billedMeasures,
  mapKeys,
  toRecord,
  usageLabels,
} from "@bursar/contract/usage-shape.ts";
import { type GroupName, metricNames } from "./search.ts";

// Labels of reports and of the request log.

/** `cache_write` becomes "Cache write". */
const toTitle = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

export const metricWords = mapKeys(metricNames, toTitle);

export const groupWords: Record<GroupName, string> = {
  ...toRecord([...usageLabels, ...attributionLabels], "name", ({ title }) => title),
  token_type: "Token type",
};

export const statusWords: Record<string, string> = {
  answered: "Answered",
  aborted: "Aborted by the client",
  rate_limited: "Rate limited (429)",
  client_error: "Client error (4xx)",
  server_error: "Server error (5xx)",
  unreached: "Upstream not reached",
  interrupted: "Interrupted",
};

export const tokenTypeWords: Record<string, string> = toRecord(
  billedMeasures,
  "part",
  ({ title }) => title,
);

/** Text for a value of a label. An unknown value is its own text. */
export function labelWords(group: GroupName, value: string): string {
  if (group === "status") return statusWords[value] ?? value;
  if (group === "token_type") return tokenTypeWords[value] ?? value;
  return value;
}
