import type { Answer } from "../../api-client.ts";
import { type ItemOf, useApi, useList } from "../../queries.ts";

const REFRESH_MS = 5_000;
/** The capacity is computed from up to 5,000 requests. */
const CAPACITY_REFRESH_MS = 30_000;

export function useSpendLimit(spendLimitId: string) {
  return useApi(
    "getSpendLimit",
    { params: { spend_limit_id: spendLimitId } },
    { everyMs: REFRESH_MS, isPreviousShown: true },
  );
}

export type Capacity = Answer<"getSpendLimitCapacity">;

export function useLimitCapacity(spendLimitId: string) {
  return useApi(
    "getSpendLimitCapacity",
    { params: { spend_limit_id: spendLimitId } },
    { everyMs: CAPACITY_REFRESH_MS, isPreviousShown: true },
  );
}

export type Overrun = ItemOf<"listLimitOverruns">;

export function useLimitOverruns(spendLimitId: string) {
  return useList("listLimitOverruns", { params: { spend_limit_id: spendLimitId } });
}
