import type { Within } from "./report-input.ts";
import { filterNames, type ReportSearch } from "./search.ts";

/** Search parameters for the requests that a report counts. */
export function toRequestsSearch(
  search: ReportSearch,
  { workspaceId, apiKeyId }: Within,
): ReportSearch {
  const found: ReportSearch = {};
  for (const name of filterNames) {
    const values = search[name];
    if (values) found[name] = values;
  }
  if (search.without !== undefined) found.without = search.without;
  // A key belongs to one workspace, so the filter of the workspace is not needed.
  if (apiKeyId !== undefined) return { ...found, key: [apiKeyId], ...timesOf(search) };
  if (workspaceId !== undefined) found.workspace = [workspaceId];
  return { ...found, ...timesOf(search) };
}

function timesOf({ range = "7d", from, to, at, live }: ReportSearch): ReportSearch {
  if (live) return { range: "1h" };
  return { range, ...(from && { from }), ...(to && { to }), ...(at && { at }) };
}
