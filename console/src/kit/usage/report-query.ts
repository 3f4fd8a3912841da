import { useQuery } from "@tanstack/react-query";
import { type Answer, call, findEarlyAnswer, takeEarlyAnswer } from "../../api-client.ts";
import type { Range } from "./range.ts";
import {
  listReportQueries,
  type Query,
  type ReportInput,
  type ReportKind,
} from "./report-input.ts";
import { resolveSearchRange } from "./search-range.ts";

type UsageAnswer = Answer<"getUsage">;
type CostAnswer = Answer<"getCost">;
export type Row = UsageAnswer["data"][number] | CostAnswer["data"][number];
export type Totals = UsageAnswer["totals"] | CostAnswer["totals"];

export interface Report {
  range: Range;
  /** Rows by bucket and group. Groups beyond `top` share one row. */
  rows: Row[];
  /** Sums of the whole range by group, the largest first. */
  groups: Row[];
  /** `groups` is incomplete. */
  areGroupsCut: boolean;
  totals: Totals;
  /** A request can be in several groups. */
  hasOverlappingRows: boolean;
  refreshedAt: string;
}

/** More than enough for 31 days in hours by six token types. */
const MAX_PAGES = 20;
export const LIVE_MS = 5_000;
const CALM_MS = 30_000;

/**
 * Loads the report of the address. Each refresh computes the times again, under the same query key, so that the last
 * data stays if a refresh fails.
 */
export function useReport(asked: ReportInput) {
  const isPast = Date.parse(resolveSearchRange(asked.times, Date.now()).endingAt) <= Date.now();
  return useQuery<Report, Error>({
    queryKey: [asked.kind === "usage" ? "getUsage" : "getCost", "report", asked],
    queryFn: ({ signal }) => loadReport(asked, resolveSearchRange(asked.times, Date.now()), signal),
    initialData: () => takeEarlyReport(asked, resolveSearchRange(asked.times, Date.now())),
    placeholderData: (previous) => previous,
    refetchInterval: asked.times.live ? LIVE_MS : isPast ? false : CALM_MS,
  });
}

async function loadReport(asked: ReportInput, range: Range, signal: AbortSignal): Promise<Report> {
  const { kind } = asked;
  const queries = listReportQueries(asked, range);
  const [drawn, sums] = await Promise.all([
    loadAll(kind, queries.drawn, signal),
    queries.sums && ask(kind, queries.sums, signal),
  ]);
  return toReport(range, drawn, sums);
}

/** The report, if early.ts has received all of it. */
function takeEarlyReport(asked: ReportInput, range: Range): Report | undefined {
  const operation = asked.kind === "usage" ? "getUsage" : "getCost";
  const queries = listReportQueries(asked, range);
  const first = findEarlyAnswer(operation, { query: queries.drawn });
  const sums = queries.sums && findEarlyAnswer(operation, { query: queries.sums });
  if (first?.next_page !== null || sums === undefined) return undefined;
  takeEarlyAnswer(operation, { query: queries.drawn });
  if (queries.sums) takeEarlyAnswer(operation, { query: queries.sums });
  return toReport(range, toDrawn(first, first.data), sums);
}

function toReport(range: Range, drawn: Drawn, sums: UsageAnswer | CostAnswer | null): Report {
  return {
    range,
    rows: drawn.rows,
    groups: sums?.data ?? [],
    areGroupsCut: sums?.next_page != null,
    totals: sums?.totals ?? drawn.totals,
    hasOverlappingRows: drawn.hasOverlappingRows,
    refreshedAt: drawn.refreshedAt,
  };
}

function ask(
  kind: ReportKind,
  query: Query,
  signal: AbortSignal,
): Promise<UsageAnswer | CostAnswer> {
  return kind === "usage"
    ? call("getUsage", { query }, { signal })
    : call("getCost", { query }, { signal });
}

type Drawn = Pick<Report, "rows" | "totals" | "hasOverlappingRows" | "refreshedAt">;

async function loadAll(kind: ReportKind, query: Query, signal: AbortSignal): Promise<Drawn> {
  const first = await ask(kind, query, signal);
  const rows: Row[] = [...first.data];
  let page = first.next_page;
  for (let count = 1; page !== null && count < MAX_PAGES; count += 1) {
    const next = await ask(kind, { ...query, page }, signal);
    rows.push(...next.data);
    page = next.next_page;
  }
  return toDrawn(first, rows);
}

function toDrawn(first: UsageAnswer | CostAnswer, rows: Row[]): Drawn {
  return {
    rows,
    totals: first.totals,
    hasOverlappingRows: first.has_overlapping_rows,
    refreshedAt: first.data_refreshed_at,
  };
}
