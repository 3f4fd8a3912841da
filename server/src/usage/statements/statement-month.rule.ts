import { msFromIsoDate, periodOf } from "#src/domain/spend-period.ts";

// Months of statements. A month is its first day, "YYYY-MM-DD", as the database stores it.

const DAY_MS = 86_400_000;
/** Time from the end of a month to its closing. Journals of a node that was away hold requests for two days. */
export const CLOSED_AFTER_MS = 3 * DAY_MS;

export interface StatementMonth {
  /** First day. */
  month: string;
  startMs: number;
  endMs: number;
  /** Earliest time of the closing, milliseconds since the epoch. */
  closesAfterMs: number;
}

export function monthAt(atMs: number): StatementMonth {
  const { start, startMs, endMs } = periodOf("monthly", atMs);
  return { month: start, startMs, endMs, closesAfterMs: endMs + CLOSED_AFTER_MS };
}

/** Reads "YYYY-MM" or a first day. */
export function readMonth(text: string): StatementMonth {
  return monthAt(msFromIsoDate(`${text.slice(0, 7)}-01`));
}

export function nextMonth({ endMs }: Pick<StatementMonth, "endMs">): StatementMonth {
  return monthAt(endMs);
}

export function previousMonth({ startMs }: Pick<StatementMonth, "startMs">): StatementMonth {
  return monthAt(startMs - 1);
}

export type StatementState = "open" | "ended" | "closed";

export function stateOf(month: StatementMonth, isClosed: boolean, nowMs: number): StatementState {
  if (isClosed) return "closed";
  return nowMs < month.endMs ? "open" : "ended";
}

/** Months of the statements, oldest first: from the first one with usage to the current one. */
export function listMonths(first: string | null, nowMs: number): StatementMonth[] {
  const current = monthAt(nowMs);
  const months: StatementMonth[] = [];
  let each = first === null ? current : readMonth(first);
  for (; each.startMs < current.startMs; each = nextMonth(each)) months.push(each);
  return [...months, current];
}
