import type { Answer } from "../../api-client.ts";
import { useApi } from "../../queries.ts";
import type { Period } from "./search.ts";

const REFRESH_MS = 30_000;

export type MyUsage = Answer<"getMyUsage">;
export type MyLimit = Answer<"listMyLimits">["data"][number];

export const useMyUsage = (period: Period) =>
  useApi("getMyUsage", { query: { period } }, { everyMs: REFRESH_MS, isPreviousShown: true });
export const useMyLimits = () => useApi("listMyLimits", {}, { everyMs: REFRESH_MS });
