export type RequestView = "pending" | "all";

/** What of the list of requests stands in the address. */
export interface RequestsSearch {
  show?: RequestView;
}

export function readRequestsSearch(raw: Record<string, unknown>): RequestsSearch {
  return raw["show"] === "all" ? { show: "all" } : {};
}

/** Which limit a new request is about: a refused caller gets such an address. */
export interface AskSearch {
  scope?: "organization" | "workspace" | "api_key";
  id?: string;
  period?: "daily" | "weekly" | "monthly";
}

const scopes = ["organization", "workspace", "api_key"] as const;
const periods = ["daily", "weekly", "monthly"] as const;

/** Reads the address; what makes no sense is as if it were not there. */
export function readAskSearch(raw: Record<string, unknown>): AskSearch {
  const scope = scopes.find((each) => each === raw["scope"]);
  const period = periods.find((each) => each === raw["period"]);
  const { id } = raw;
  return {
    ...(scope && { scope }),
    ...(typeof id === "string" && { id }),
    ...(period && { period }),
  };
}
