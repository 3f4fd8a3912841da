import type { Answer } from "../../api-client.ts";
import { LIVE_MS } from "../../kit/usage/report-query.ts";
import { useApi, useChange, usePages } from "../../queries.ts";
import { useMay } from "../../session.ts";
import type { RequestsQuery, toRefusalsQuery } from "./log-query.ts";

export type RequestDetail = Answer<"getRequest">;

export const useRequests = (query: RequestsQuery, isLive: boolean) =>
  usePages("listRequests", query, { everyMs: isLive ? LIVE_MS : null });

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
