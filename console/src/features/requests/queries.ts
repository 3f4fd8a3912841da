import { requestDoubts } from "@bursar/contract/usage-shape.ts";
import type { Answer } from "../../api-client.ts";
import { resolveSearchRange } from "../../kit/usage/drill.ts";
import { LIVE_MS, toFilterQuery } from "../../kit/usage/report-query.ts";
import type { ReportSearch } from "../../kit/usage/search.ts";
import { useApi, useChange, usePages } from "../../queries.ts";
import { useMay } from "../../session.ts";

export type RequestDetail = Answer<"getRequest">;

export type RequestsQuery = ReturnType<typeof toRequestsQuery>;

/** Converts the address to filters of the API. Omits an end in the future. */
export function toRequestsQuery(search: ReportSearch, nowMs: number) {
  const { range, at, live, request, upstream, session, prompt, cost, doubt, unbilled, cut } =
    search;
  const hasTimes = range !== undefined || at !== undefined || live !== undefined;
  const times = hasTimes ? resolveSearchRange(search, nowMs) : null;
  return {
    ...toFilterQuery(search),
    starting_at: times?.startingAt,
    ending_at: times && Date.parse(times.endingAt) <= nowMs ? times.endingAt : undefined,
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

export const useRequests = (query: RequestsQuery, isLive: boolean) =>
  usePages("listRequests", query, { everyMs: isLive ? LIVE_MS : null });

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

export const useRefusals = (query: object, isLive: boolean) =>
  usePages("listRecentRefusals", query, { everyMs: isLive ? LIVE_MS : null });

/** Counts by error code, of the last 24 hours without a range. */
export const useRefusalCounts = (query: ReturnType<typeof toRefusalsQuery>, isLive: boolean) =>
  useApi(
    "getRefusals",
    { query: { ...query, group_by: ["error_code"], limit: MAX_CODES } },
    { everyMs: isLive ? LIVE_MS : null, isPreviousShown: true },
  );
const MAX_CODES = 100;

export const useRequest = (id: string) => useApi("getRequest", { params: { request_id: id } });

export const useSetRequestCost = () =>
  useChange("setRequestCost", [
    "getRequest",
    "listRequests",
    "listUnresolvedSpend",
    "listSpendLimits",
    "getEffectiveSpendLimits",
    "listSpendAdjustments",
  ]);

/** Start of the company, milliseconds. Undefined: unknown. */
export function useOrganizationStart() {
  const query = useApi("getOrganizationSettings", {});
  return { query, startMs: query.data && Date.parse(query.data.created_at) };
}

const neverMs = { startMs: 0, endMs: 0 };
/** Requests of a time of one year at most. Null: none is asked for. */
export function useRequestCount(range: { startMs: number; endMs: number } | null) {
  const may = useMay();
  const { startMs, endMs } = range ?? neverMs;
  return useApi(
    "getUsage",
    {
      query: {
        starting_at: new Date(startMs).toISOString(),
        ending_at: new Date(endMs).toISOString(),
        bucket: "none",
        limit: 1,
      },
    },
    { isEnabled: range !== null && may("usage:read") },
  );
}

export const useRequestLogSettings = (isEnabled: boolean) =>
  useApi("getRequestLogSettings", {}, { isEnabled });
export const useSetRequestRetention = () =>
  useChange("updateRequestLogSettings", ["getRequestLogSettings", "listRequests"]);
