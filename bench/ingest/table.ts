import type { CaseResult } from "./run-case.ts";

export type Side = "before" | "now";
export type Turn<Result> = Result & { side: Side; turn: number };

/** Best and median of the turns. Other load on the machine only lowers a rate and only raises a cost. */
export interface Summary {
  best: number;
  median: number;
}

export function summarize(values: readonly number[], better: "higher" | "lower"): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    best: better === "higher" ? at(sorted.length - 1) : at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
  };
}

interface Column {
  title: string;
  /** Null: the case has no such value. */
  pick: (result: CaseResult) => number | null;
  better: "higher" | "lower";
  format: (value: number) => string;
}

const whole = (value: number) => Math.round(value).toLocaleString("en");
const percent = (value: number) => `${(value * 100).toFixed(0)} %`;

const columns: readonly Column[] = [
  column("settled/s", (result) => result.settledPerSecond, whole, "higher"),
  column("PostgreSQL µs", (result) => result.databaseCpuMicros, whole),
  column("nodes µs", (result) => result.nodesCpuMicros, whole),
  column("PostgreSQL core", (result) => result.databaseBusyShare, percent),
  column("node cores", (result) => result.nodesBusyShare, percent),
  column("that core allows/s", (result) => 1e6 / result.databaseCpuMicros, whole, "higher"),
  column("WAL bytes", (result) => result.walBytes, whole),
  column("stored bytes", (result) => result.storedBytes, whole),
  column("refused", countRefused, whole),
  column("holds that waited", (result) => result.grants?.waitedShare ?? null, percent),
  column("wait p50 ms", (result) => result.grants?.waitMs.p50 ?? null, whole),
  column("wait p99 ms", (result) => result.grants?.waitMs.p99 ?? null, whole),
];

function column(
  title: string,
  pick: Column["pick"],
  format: Column["format"],
  better: Column["better"] = "lower",
): Column {
  return { title, pick, format, better };
}

function countRefused({ refused }: CaseResult): number | null {
  const counts = Object.values(refused);
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}

/** Markdown table with a row for each case and side. Cells have the best turn and the median. */
export function formatCases(turns: readonly Turn<CaseResult>[]): string {
  const groups = Map.groupBy(
    turns,
    ({ keys, nodes, limits, side }) =>
      `| ${keys.toLocaleString("en")} | ${nodes} | ${limits} | ${side} |`,
  );
  const shown = columns.filter(({ pick }) => turns.some((turn) => pick(turn) !== null));
  const titles = ["keys", "nodes", "strict limits", "side", ...shown.map(({ title }) => title)];
  const rows = [...groups].map(([start, group]) => {
    const cells = shown.map(({ pick, better, format }) => {
      const values = group.map(pick).filter((value) => value !== null);
      if (values.length === 0) return "";
      const { best, median } = summarize(values, better);
      return values.length === 1 ? format(best) : `${format(best)} / ${format(median)}`;
    });
    return `${start} ${cells.join(" | ")} |`;
  });
  return formatTable(titles, rows);
}

const SHOWN_TABLES = 6;

/** Markdown table of the database tables that grew most, in bytes per request. */
export function formatStored(turns: readonly Turn<CaseResult>[]): string {
  const rows = turns.map(({ side, turn, keys, nodes, storedByTable }) => {
    const largest = Object.entries(storedByTable)
      .slice(0, SHOWN_TABLES)
      .map(([name, bytes]) => `${name} ${whole(bytes)}`);
    return `| ${keys.toLocaleString("en")} | ${nodes} | ${side} | ${turn} | ${largest.join(", ")} |`;
  });
  return formatTable(["keys", "nodes", "side", "turn", "largest growth, bytes/request"], rows);
}

export function formatTable(titles: readonly string[], rows: readonly string[]): string {
  return [`| ${titles.join(" | ")} |`, `|${"---|".repeat(titles.length)}`, ...rows].join("\n");
}
