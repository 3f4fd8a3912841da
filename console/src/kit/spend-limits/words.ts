import type { SpendLimit } from "./queries.ts";

export type Enforcement = SpendLimit["enforcement"];
export type Period = SpendLimit["period"];

export const enforcementWords: Record<Enforcement, { label: string; hint: string }> = {
  strict: {
    label: "Strict",
    hint: "A request starts only if its worst case fits into what remains.",
  },
  soft: {
    label: "Soft",
    hint: "Requests stop once the limit is reached; those already running may finish above it.",
  },
  alert_only: { label: "Alert only", hint: "Nothing is refused: the limit only counts and warns." },
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
