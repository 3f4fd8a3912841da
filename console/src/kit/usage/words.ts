import type { GroupName, Metric } from "./search.ts";

// The words of reports and of the request log.

export const metricWords: Record<Metric, string> = {
  cost: "Cost",
  tokens: "Tokens",
  input: "Input",
  cache_write: "Cache write",
  cache_read: "Cache read",
  output: "Output",
  requests: "Requests",
  errors: "Errors",
};

export const groupWords: Record<GroupName, string> = {
  workspace: "Workspace",
  api_key: "API key",
  member: "Member",
  model: "Model",
  service_tier: "Service tier",
  context_window: "Context window",
  inference_geo: "Geography",
  speed: "Speed",
  client: "Client",
  status: "Status",
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

export const tokenTypeWords: Record<string, string> = {
  input: "Input",
  cache_write_5m: "Cache write, 5 minutes",
  cache_write_1h: "Cache write, 1 hour",
  cache_read: "Cache read",
  output: "Output",
  web_search: "Web searches",
};

/** What a label is called; itself, where it has no words. */
export function labelWords(group: GroupName, value: string): string {
  if (group === "status") return statusWords[value] ?? value;
  if (group === "token_type") return tokenTypeWords[value] ?? value;
  return value;
}
