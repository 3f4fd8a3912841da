import { useQuery } from "@tanstack/react-query";
import { type Answer, call } from "../../api-client.ts";

export type UsageAnswer = Answer<"getUsage">;
export type UsageRow = UsageAnswer["data"][number];
export type UsageTotals = UsageAnswer["totals"];
export type Group = "workspace" | "api_key" | "model";

export interface UsageInput {
  startingAt: string;
  endingAt: string;
  bucket: "1m" | "1h" | "1d";
  groupBy: Group | null;
  workspaceIds: readonly string[];
  apiKeyIds: readonly string[];
  models: readonly string[];
}

export interface Usage {
  rows: UsageRow[];
  totals: UsageTotals;
  startingAt: string;
  endingAt: string;
  bucket: UsageInput["bucket"];
  /** The rows are incomplete, because there are too many groups. The totals are complete. */
  isCut: boolean;
}

const PAGE_SIZE = 1000;
const MAX_ROWS = 20_000;

/** Loads all pages of the usage in a range, every 30 seconds while the page is visible. */
export function useUsage(asked: UsageInput, { isEnabled = true, everyMs = 30_000 } = {}) {
  return useQuery<Usage, Error>({
    queryKey: ["getUsage", asked],
    queryFn: ({ signal }) => loadUsage(asked, signal),
    enabled: isEnabled,
    placeholderData: (previous) => previous,
    refetchInterval: everyMs,
  });
}

async function loadUsage(asked: UsageInput, signal: AbortSignal): Promise<Usage> {
  const query = {
    starting_at: asked.startingAt,
    ending_at: asked.endingAt,
    bucket: asked.bucket,
    limit: PAGE_SIZE,
    ...(asked.groupBy && { group_by: [asked.groupBy] }),
    ...(asked.workspaceIds.length > 0 && { workspace_id: [...asked.workspaceIds] }),
    ...(asked.apiKeyIds.length > 0 && { api_key_id: [...asked.apiKeyIds] }),
    ...(asked.models.length > 0 && { model: [...asked.models] }),
  };
  const first = await call("getUsage", { query }, { signal });
  const rows = [...first.data];
  let page = first.next_page;
  while (page !== null && rows.length < MAX_ROWS) {
    const next = await call("getUsage", { query: { ...query, page } }, { signal });
    rows.push(...next.data);
    page = next.next_page;
  }
  return {
    rows,
    totals: first.totals,
    startingAt: first.starting_at,
    endingAt: first.ending_at,
    bucket: asked.bucket,
    isCut: page !== null,
  };
}
