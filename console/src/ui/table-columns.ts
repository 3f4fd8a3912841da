import type { ReactNode } from "react";

// Columns of a table: their description, order of rows, and places at each width of the screen.

export interface Column<Row extends object> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** Value to sort by. Without it, the column cannot be sorted. */
  sortBy?: (row: Row) => SortValue;
  isNumeric?: boolean;
  /** The content is a relative time, which needs its heading beside it in a second line. */
  isTime?: true;
  /** The content cannot be cut: a bar with its figure. */
  isWhole?: boolean;
  /** The content is a sentence, and needs a width that keeps several words in a line. */
  isSentence?: true;
  /** Minimum screen width that shows the column. Default: all widths. */
  from?: Breakpoint;
  /** On narrower screens, the content is in a second line of the row. Default: hidden there. */
  isBelow?: true;
  /** Label in the second line. Default: the header, for figures and times alone. */
  belowLabel?: string;
  /** Printed whatever the width of the paper. */
  isPrinted?: true;
  /** Hidden until a person chooses it. */
  isOptional?: true;
}

export type Breakpoint = "sm" | "lg" | "xl";
/** Width of the screen: narrower than `sm`, or the widest breakpoint that it reaches. */
export type Screen = "xs" | Breakpoint;

export type SortValue = string | number | bigint;

/** Column and direction of the order of rows. */
export interface Sort {
  id: string;
  isDescending?: boolean;
}

/** Choices of a person about one table. `kit/tables/` stores them in the address. */
export interface TableView {
  /** Null: the table's own order. */
  sort: Sort | null;
  onSort: (sort: Sort) => void;
  /** Ids of the shown columns. Null: all that are not optional. */
  columns: readonly string[] | null;
}

const screens: readonly Screen[] = ["xs", "sm", "lg", "xl"];

/** Columns of a row, and columns whose content is in its second line. */
export interface Layout<Row extends object> {
  columns: readonly Column<Row>[];
  below: readonly Column<Row>[];
  /** Id of the last column that the screen shows. Null: none. */
  lastId: string | null;
}

/** Returns the chosen columns, and their places on a screen of this width. */
export function layOutColumns<Row extends object>(
  all: readonly Column<Row>[],
  chosen: readonly string[] | null,
  screen: Screen,
): Layout<Row> {
  const shown = pickColumns(all, chosen);
  const isTooWide = (column: Column<Row>) => needsWiderScreen(column, screen);
  const isBelow = (column: Column<Row>) => column.isBelow === true && isTooWide(column);
  return {
    columns: shown.filter((column) => !isBelow(column)),
    below: shown.filter(isBelow),
    lastId: shown.findLast((column) => !isTooWide(column))?.id ?? null,
  };
}

function needsWiderScreen<Row extends object>({ from }: Column<Row>, screen: Screen): boolean {
  return from !== undefined && screens.indexOf(screen) < screens.indexOf(from);
}

/** True for a column that a screen of this width shows neither in a row nor in its second line. */
export function isHidden<Row extends object>(column: Column<Row>, screen: Screen): boolean {
  return column.isBelow !== true && needsWiderScreen(column, screen);
}

/** Returns the columns that a person chose. Columns without a header have actions, and stay. */
export function pickColumns<Row extends object>(
  all: readonly Column<Row>[],
  chosen: readonly string[] | null,
): readonly Column<Row>[] {
  if (chosen === null) return all.filter(({ isOptional }) => isOptional !== true);
  return all.filter((column, position) => isFixed(column, position) || chosen.includes(column.id));
}

/** The first column names the row, and a column without a header has its actions. */
export function isFixed<Row extends object>(column: Column<Row>, position: number): boolean {
  return position === 0 || column.header === "";
}

/** Returns the rows in this order. Rows with equal values keep their order. */
export function sortRows<Row extends object>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | null,
): readonly Row[] {
  const sortBy = sort && columns.find(({ id }) => id === sort.id)?.sortBy;
  if (!sort || !sortBy) return rows;
  const direction = sort.isDescending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: sortBy(row) }))
    .sort((a, b) => direction * compare(a.value, b.value))
    .map(({ row }) => row);
}

/** Returns the order after a press on a heading. The first press sorts text up and figures down. */
export function toggleSort<Row extends object>(
  { id, sortBy }: Column<Row>,
  current: Sort | null,
  rows: readonly Row[],
): Sort {
  if (current?.id === id) return { id, isDescending: !current.isDescending };
  const [first] = rows;
  return { id, isDescending: !(first && typeof sortBy?.(first) === "string") };
}

/** Created once. A new collator for each comparison costs ten times the sorting. */
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compare(a: SortValue, b: SortValue): number {
  if (typeof a === "string" && typeof b === "string") {
    return collator.compare(a, b);
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
