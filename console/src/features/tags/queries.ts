import { useQuery } from "@tanstack/react-query";
import { type Answer, call } from "../../api-client.ts";
import { resolveRange } from "../../kit/usage/range.ts";
import { useChange } from "../../queries.ts";

export type Tag = Answer<"listTags">["data"][number];
type CostAnswer = Answer<"getCost">;
export type CostRow = CostAnswer["data"][number];

/** Cost of this month. */
export interface TagCost {
  /** One row for each tag. A request is in the row of each of its tags. */
  rows: CostRow[];
  totals: Pick<CostAnswer["totals"], "cost_usd" | "simulated_cost_usd">;
}

const PAGE_SIZE = 1_000;
const MAX_PAGES = 10;
const EVERY_MS = 30_000;

/** Loads the cost of this month by tag. */
export function useTagCost(isEnabled: boolean) {
  return useQuery<TagCost, Error>({
    queryKey: ["getCost", "tags"],
    queryFn: ({ signal }) => loadTagCost(signal),
    enabled: isEnabled,
    refetchInterval: EVERY_MS,
  });
}

async function loadTagCost(signal: AbortSignal): Promise<TagCost> {
  const { startingAt, endingAt } = resolveRange("month", Date.now());
  const query = {
    starting_at: startingAt,
    ending_at: endingAt,
    bucket: "none" as const,
    group_by: ["tag" as const],
    limit: PAGE_SIZE,
  };
  const first = await call("getCost", { query }, { signal });
  const rows = [...first.data];
  let page = first.next_page;
  for (let count = 1; page !== null && count < MAX_PAGES; count += 1) {
    const next = await call("getCost", { query: { ...query, page } }, { signal });
    rows.push(...next.data);
    page = next.next_page;
  }
  return { rows, totals: first.totals };
}

export type TagImport = Answer<"importTags">;

/** Also shows the changes of a file without making them. */
export const useImportTags = () =>
  useChange("importTags", [
    "listTags",
    "listWorkspaces",
    "getWorkspace",
    "listApiKeys",
    "getApiKey",
  ]);
