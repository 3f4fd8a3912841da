import { formatPlural, formatUtcDay } from "../ui/format.ts";

// Effects of a shorter retention, as sentences.

const DAY_MS = 86_400_000;

/** Start of the first day that stays, in UTC. The server deletes whole days. */
export function findFirstKeptDay(days: number, nowMs: number): string {
  return new Date((Math.floor(nowMs / DAY_MS) - days) * DAY_MS).toISOString();
}

/** `for 90 days`, `without a time limit` */
export function formatRetention(days: number | null): string {
  return days === null ? "without a time limit" : `for ${formatPlural(days, "day")}`;
}

/** True if a new retention deletes data that the current one keeps. */
export function isShorter(days: number | null, currentDays: number | null): boolean {
  return days !== null && (currentDays === null || days < currentDays);
}

interface ShorterRetention {
  /** Name of one and of several: "request", "requests". */
  words: readonly [one: string, many: string];
  days: number;
  nowMs: number;
  /** Stored data before the first kept day. Undefined: unknown. */
  deleted: number | undefined;
  /** True: more may be stored than was counted. */
  isLeast?: boolean;
}

/** Effects of a retention that is shorter than the current one. */
export function describeShorterRetention(shorter: ShorterRetention): string[] {
  const { words, days, nowMs, deleted, isLeast = false } = shorter;
  const [one, many] = words;
  const firstKept = formatUtcDay(findFirstKeptDay(days, nowMs));
  if (deleted === 0 && !isLeast) {
    return [`No ${one} is older than ${firstKept}. Each later day deletes one more day.`];
  }
  const count = deleted === undefined ? `All ${many}` : formatPlural(deleted, one, many);
  const least = isLeast && deleted !== undefined ? "At least " : "";
  return [
    `${least}${count} from before ${firstKept} ${deleted === 1 && !isLeast ? "is" : "are"} deleted within a day.`,
    "This cannot be undone. A longer retention later restores nothing.",
  ];
}
