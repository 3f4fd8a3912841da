import { formatUsd, toUsdText } from "../../ui/format.ts";
import type { SpendLimit } from "./queries.ts";

export type Enforcement = SpendLimit["enforcement"];
export type Period = SpendLimit["period"];

export const enforcementWords: Record<Enforcement, { label: string; hint: string }> = {
  strict: {
    label: "Strict",
    hint: "A request starts only if its worst-case cost fits in the remaining budget.",
  },
  soft: {
    label: "Soft",
    hint: "New requests stop when the limit is reached. Running requests can finish above the limit.",
  },
  alert_only: {
    label: "Alert only",
    hint: "Requests are never refused. The limit only sends alerts.",
  },
};

export const currentPeriodWords: Record<Period, string> = {
  daily: "today",
  weekly: "this week",
  monthly: "this month",
};

export const periodWords: Record<Period, string> = {
  daily: "per day",
  weekly: "per week, from Monday",
  monthly: "per calendar month",
};

/** "$100.00, strict" */
export function describeValue(of: Pick<SpendLimit, "limit_usd" | "enforcement">): string {
  const { label } = enforcementWords[of.enforcement];
  return `${formatUsd(toUsdText(of.limit_usd))}, ${label.toLowerCase()}`;
}
