import { requestDoubts } from "@bursar/contract/usage-shape.ts";
import { toFilterQuery } from "../../kit/usage/report-input.ts";
import type { ReportSearch } from "../../kit/usage/search.ts";
import { resolveSearchRange } from "../../kit/usage/search-range.ts";

export type RequestsQuery = ReturnType<typeof toRequestsQuery>;

/** Converts the address to filters of the API. Omits an end in the future. */
export function toRequestsQuery(search: ReportSearch, nowMs: number) {
  const { range, at, live, request, upstream, session, prompt, cost, doubt, unbilled, cut } =
    search;
  const { served } = search;
  const hasTimes = range !== undefined || at !== undefined || live !== undefined;
  const times = hasTimes ? resolveSearchRange(search, nowMs) : null;
  return {
    ...toFilterQuery(search),
    starting_at: times?.startingAt,
    ending_at: times && Date.parse(times.endingAt) <= nowMs ? times.endingAt : undefined,
    upstream_id: served,
    request_id: request,
    upstream_request_id: upstream,
    agent_session_id: session,
    prompt_id: prompt,
    min_cost_usd: cost,
    ...(doubt !== undefined && { doubt: [...requestDoubts] }),
    ...(doubt === "open" && { is_resolved: false }),
    ...(unbilled && { has_unbilled_parts: true }),
    ...(cut && { is_cut: true }),
  };
}

/** Converts the address to filters of refusals. `hasCode`: with the selected error codes. */
export function toRefusalsQuery(search: ReportSearch, nowMs: number, hasCode: boolean) {
  const { workspace, key, model, code } = search;
  const { starting_at, ending_at } = toRequestsQuery(search, nowMs);
  return {
    starting_at,
    ending_at,
    workspace_id: workspace,
    api_key_id: key,
    model,
    error_code: hasCode ? code : undefined,
  };
}
