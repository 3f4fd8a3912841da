import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, type ReactNode, useMemo, useRef } from "react";
import { classNames } from "./class-names.ts";

export interface Column<Row extends object> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** What the column is sorted by; without it the column cannot be sorted. */
  sortBy?: (row: Row) => string | number | bigint;
  isNumeric?: boolean;
  /** On which widths it is shown: everywhere, or not on telephones, or only where there is room. */
  from?: "sm" | "lg";
}

interface TableProps<Row extends object> {
  /** What the rows are, for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Column and direction of the first order; without it, the order of the rows. */
  initialSort?: { id: string; isDescending?: boolean };
  /** A row below the others: the totals. */
  footer?: ReactNode;
  isDimmed?: (row: Row) => boolean;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const ROW_HEIGHT_PX = 49;
/** Below this, all rows are in the page, where the browser's own search finds them. */
const VIRTUAL_FROM = 150;
const breakpoints = { sm: "max-sm:hidden", lg: "max-lg:hidden" };

/** A real table whose columns sort; of a long one only the rows in view are in the page. */
export function Table<Row extends object>(props: TableProps<Row>) {
  const { label, columns, rows, rowKey, initialSort, footer, isDimmed } = props;
  const definitions = useMemo(() => columns.map(toDefinition), [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowKey,
    enableSortingRemoval: false,
    initialState: { sorting: toSorting(initialSort) },
  });
  const sorted = table.getRowModel().rows;
  const byId = new Map(columns.map((column) => [column.id, column]));
  const body = useRef<HTMLTableSectionElement>(null);
  const isVirtual = sorted.length >= VIRTUAL_FROM;
  const virtualizer = useWindowVirtualizer({
    count: sorted.length,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 12,
    scrollMargin: body.current ? body.current.getBoundingClientRect().top + scrollY : 0,
    enabled: isVirtual,
  });
  const items = virtualizer.getVirtualItems();
  const offset = virtualizer.options.scrollMargin;
  const before = isVirtual ? (items[0]?.start ?? offset) - offset : 0;
  const after = isVirtual
    ? virtualizer.getTotalSize() - ((items.at(-1)?.end ?? offset) - offset)
    : 0;
  const shown = isVirtual ? items.map((item) => item.index) : sorted.map((_, index) => index);

  return (
    // What is only heard stands out of the flow: it must not widen the page.
    <div className="relative overflow-x-auto">
      <table
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        className="w-full border-collapse text-sm"
      >
        <thead>
          <tr className="border-y border-line">
            {table.getHeaderGroups()[0]?.headers.map((header) => (
              <Header
                key={header.id}
                column={byId.get(header.column.id)}
                sorted={header.column.getIsSorted()}
                onSort={header.column.getToggleSortingHandler()}
              />
            ))}
          </tr>
        </thead>
        <tbody ref={body} className="divide-y divide-line">
          <Gap heightPx={before} />
          {shown.map((index) => {
            const row = sorted[index];
            return (
              row && (
                <BodyRow
                  key={row.id}
                  row={row.original}
                  index={index}
                  columns={columns}
                  isDim={isDimmed?.(row.original) === true}
                />
              )
            );
          })}
          <Gap heightPx={after} />
        </tbody>
        {footer && <tfoot className="border-y border-line font-medium">{footer}</tfoot>}
      </table>
    </div>
  );
}

interface BodyRowProps<Row extends object> {
  row: Row;
  index: number;
  columns: readonly Column<Row>[];
  isDim: boolean;
}

/** Drawn anew only when it is another row: while a long table scrolls, most stay. */
const BodyRow = memo(DrawnRow) as typeof DrawnRow;

function DrawnRow<Row extends object>(props: BodyRowProps<Row>) {
  const { row, index, columns, isDim } = props;
  return (
    <tr
      aria-rowindex={index + 2}
      className={classNames("relative hover:bg-sunk/60", isDim && "text-quiet")}
    >
      {columns.map((column, position) => (
        <td
          key={column.id}
          className={classNames(
            "h-12 py-2 pr-4 last:pr-1 first:pl-1",
            position > 0 && "pl-1",
            column.isNumeric && "figures text-right",
            column.from && breakpoints[column.from],
          )}
        >
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}

function Header<Row extends object>(props: {
  column: Column<Row> | undefined;
  sorted: false | "asc" | "desc";
  onSort: ((event: unknown) => void) | undefined;
}) {
  const { column, sorted, onSort } = props;
  if (!column) return null;
  const shape = classNames(
    "h-9 pr-4 text-xs font-medium text-quiet whitespace-nowrap first:pl-1 last:pr-1 not-first:pl-1",
    column.isNumeric ? "text-right" : "text-left",
    column.from && breakpoints[column.from],
  );
  if (!column.sortBy) {
    return (
      <th scope="col" className={shape}>
        {column.header === "" ? <span className="sr-only">Actions</span> : column.header}
      </th>
    );
  }
  const Arrow = sorted === "desc" ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={sorted === false ? "none" : sorted === "asc" ? "ascending" : "descending"}
      className={shape}
    >
      <button
        type="button"
        onClick={onSort}
        className={classNames(
          "target group inline-flex items-center gap-1 rounded-sm align-middle font-medium hover:text-ink",
          sorted !== false && "text-ink",
          column.isNumeric && "flex-row-reverse",
        )}
      >
        {column.header}
        <Arrow
          size={12}
          aria-hidden="true"
          className={classNames(sorted === false && "opacity-0 group-hover:opacity-50")}
        />
      </button>
    </th>
  );
}

/** Stands for rows that are out of view. The height is an attribute of a picture, not a style. */
function Gap({ heightPx }: { heightPx: number }) {
  if (heightPx <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row takes no focus.
    <tr aria-hidden="true">
      <td className="p-0">
        <svg aria-hidden="true" className="block" width="1" height={heightPx} />
      </td>
    </tr>
  );
}

function toDefinition<Row extends object>(column: Column<Row>): ColumnDef<typeof features, Row> {
  const { id, sortBy } = column;
  if (!sortBy) return { id, enableSorting: false } as ColumnDef<typeof features, Row>;
  return {
    id,
    accessorFn: (row: Row) => sortBy(row),
    sortFn: (a, b, columnId) => compare(a.getValue(columnId), b.getValue(columnId)),
  } as ColumnDef<typeof features, Row>;
}

/** Made once: to make one for each comparison costs ten times the sorting. */
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compare(a: string | number | bigint, b: string | number | bigint): number {
  if (typeof a === "string" && typeof b === "string") {
    return collator.compare(a, b);
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function toSorting(sort: TableProps<object>["initialSort"]): SortingState {
  return sort ? [{ id: sort.id, desc: sort.isDescending === true }] : [];
}
