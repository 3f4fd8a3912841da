export type RequestView = "pending" | "all";

/** Parameters of the list in the address. */
export interface IncreaseRequestsSearch {
  show?: RequestView;
}

export function readIncreaseRequestsSearch(raw: Record<string, unknown>): IncreaseRequestsSearch {
  return raw["show"] === "all" ? { show: "all" } : {};
}

/** Limit that a new increase request is about. The link in a refusal names it. */
export interface NewIncreaseRequestSearch {
  scope?: "organization" | "workspace" | "api_key";
  id?: string;
  period?: "daily" | "weekly" | "monthly";
}

const scopes = ["organization", "workspace", "api_key"] as const;
const periods = ["daily", "weekly", "monthly"] as const;

/** Reads the address; what makes no sense is as if it were not there. */
export function readNewIncreaseRequestSearch(
  raw: Record<string, unknown>,
): NewIncreaseRequestSearch {
  const scope = scopes.find((each) => each === raw["scope"]);
  const period = periods.find((each) => each === raw["period"]);
  const { id } = raw;
  return {
    ...(scope && { scope }),
    ...(typeof id === "string" && { id }),
    ...(period && { period }),
  };
}
