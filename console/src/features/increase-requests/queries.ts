import { type ItemOf, useApi, useChange, usePages } from "../../queries.ts";
import type { RequestView } from "./search.ts";

export type IncreaseRequest = ItemOf<"listIncreaseRequests">;

const EVERY_MS = 15_000;

export const useIncreaseRequests = (view: RequestView) =>
  usePages("listIncreaseRequests", view === "all" ? {} : { statuses: ["pending"] }, {
    everyMs: EVERY_MS,
  });
export const useIncreaseRequest = (requestId: string) =>
  useApi(
    "getIncreaseRequest",
    { params: { spend_limit_increase_request_id: requestId } },
    { everyMs: EVERY_MS },
  );

const stale = [
  "listIncreaseRequests",
  "getIncreaseRequest",
  "listSpendLimits",
  "listWorkspaceLimits",
] as const;

export const useCreateIncreaseRequest = () => useChange("createIncreaseRequest", stale);
export const useWithdrawIncreaseRequest = () => useChange("withdrawIncreaseRequest", stale);
export const useApproveIncreaseRequest = () => useChange("approveIncreaseRequest", stale);
export const useDenyIncreaseRequest = () => useChange("denyIncreaseRequest", stale);
