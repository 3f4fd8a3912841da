import { toNanoUsd } from "../../ui/format.ts";
import type { PeriodSpend } from "./queries.ts";
import type { Enforcement } from "./words.ts";

interface WantedLimit {
  /** Decimal text of US dollars. Other text is an unfinished amount. */
  amount: string;
  enforcement: Enforcement;
}

/** Number of keys that a new limit blocks at once. Null: it blocks no requests. */
export function countBlockedKeys(
  { amount, enforcement }: WantedLimit,
  spend: Pick<PeriodSpend, "spent_usd" | "working_keys">,
): number | null {
  if (enforcement === "alert_only" || !/^\d+(\.\d{1,9})?$/.test(amount)) return null;
  return toNanoUsd(spend.spent_usd) >= toNanoUsd(amount) ? spend.working_keys : null;
}
