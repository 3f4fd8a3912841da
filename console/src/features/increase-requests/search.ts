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
  workspace_id?: string;
  api_key_id?: string;
  period?: "daily" | "weekly" | "monthly";
}

const periods = ["daily", "weekly", "monthly"] as const;

/** Reads the address; what makes no sense is as if it were not there. */
export function readAskSearch(raw: Record<string, unknown>): AskSearch {
  const period = periods.find((each) => each === raw["period"]);
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const [workspaceId, keyId] = [text(raw["workspace_id"]), text(raw["api_key_id"])];
  return {
    ...(workspaceId !== undefined && { workspace_id: workspaceId }),
    ...(keyId !== undefined && { api_key_id: keyId }),
    ...(period && { period }),
  };
}
