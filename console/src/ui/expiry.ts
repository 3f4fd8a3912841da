const DAY_MS = 86_400_000;

/** How long a new key may live: days, or "never". */
export const expiryChoices: readonly (readonly [value: string, label: string])[] = [
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
  ["never", "Never"],
];

/** The moment of a choice, as the wire has it. */
export function toExpiry(choice: string, nowMs: number): string | null {
  return choice === "never" ? null : new Date(nowMs + Number(choice) * DAY_MS).toISOString();
}
