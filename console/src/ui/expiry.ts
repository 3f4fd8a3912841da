const DAY_MS = 86_400_000;

/** Lifetimes of a new key: days, or "never". */
export const expiryChoices: readonly (readonly [value: string, label: string])[] = [
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
  ["never", "Never"],
];

/** Expiry of a choice, as the API expects it. */
export function toExpiry(choice: string, nowMs: number): string | null {
  return choice === "never" ? null : new Date(nowMs + Number(choice) * DAY_MS).toISOString();
}
