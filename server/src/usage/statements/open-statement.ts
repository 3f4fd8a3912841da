import type { Database, Tx } from "#src/db/pool.ts";
import { findOpenHours } from "#src/recording/open-hours.sql.ts";
import { type LineSource, listLateMonths } from "./statement-lines.sql.ts";
import { listMonths, nextMonth, readMonth, type StatementMonth } from "./statement-month.rule.ts";
import { findFirstUsedMonth, findLastClosedMonth, listTerms } from "./statements.sql.ts";

export type OpenSource = Extract<LineSource, { kind: "open" }>;

/** Months of an organization. */
export interface Months {
  /** Oldest first, up to the current one. */
  all: StatementMonth[];
  /** First day of the newest closed month. Null: none is closed. */
  lastClosed: string | null;
}

export async function findMonths(
  db: Database | Tx,
  organizationId: string,
  nowMs: number,
): Promise<Months> {
  const lastClosed = await findLastClosedMonth(db, organizationId);
  const first = await findFirstUsedMonth(db, organizationId);
  return { all: listMonths(first, nowMs), lastClosed };
}

export function isClosed({ lastClosed }: Months, { month }: StatementMonth): boolean {
  return lastClosed !== null && month <= lastClosed;
}

/** Finds the first month that is not closed. Late arrivals of earlier months belong to it. */
export function findFirstOpen({ all, lastClosed }: Months): StatementMonth | undefined {
  return lastClosed === null ? all[0] : nextMonth(readMonth(lastClosed));
}

/** Finds the lines of a month, on one snapshot. */
export async function findSource(
  tx: Tx,
  organizationId: string,
  month: StatementMonth,
  months: Months,
): Promise<LineSource> {
  if (isClosed(months, month)) return { kind: "closed", organizationId, month: month.month };
  return findOpenSource(tx, organizationId, month, months);
}

export async function findOpenSource(
  tx: Tx,
  organizationId: string,
  { month, endMs }: StatementMonth,
  months: Months,
): Promise<OpenSource> {
  const isFirstOpen = findFirstOpen(months)?.month === month;
  return {
    kind: "open",
    organizationId,
    month,
    endMs,
    isFirstOpen,
    lateMonths: isFirstOpen ? await listLateMonths(tx, { organizationId, before: month }) : [],
    openHours: await findOpenHours(tx, organizationId),
    terms: await listTerms(tx, organizationId),
  };
}
