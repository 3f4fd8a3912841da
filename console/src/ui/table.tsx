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
import {
  memo,
  type ReactNode,
  type RefObject,
  type SyntheticEvent,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { classNames } from "./class-names.ts";
import { findRowsToMeasure, fitWidths } from "./column-widths.ts";

export interface Column<Row extends object> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** Value to sort by. Without it, the column cannot be sorted. */
  sortBy?: (row: Row) => string | number | bigint;
  isNumeric?: boolean;
  /** The content cannot be cut: a bar with its figure. */
  isWhole?: boolean;
  /** Minimum screen width that shows the column. Default: all widths. */
  from?: "sm" | "lg" | "xl";
}

interface TableProps<Row extends object> {
  /** Name of the table, for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Column and direction of the initial order. Default: the order of `rows`. */
  initialSort?: { id: string; isDescending?: boolean };
  /** Row of totals below the others. */
  footer?: ReactNode;
  isDimmed?: (row: Row) => boolean;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const ROW_HEIGHT_PX = 49;
/** Shorter tables render all rows, so that the browser's search finds them. */
const VIRTUAL_FROM = 150;
/** Rendered rows above and below those in view. More rows cost more time and show fewer gaps while scrolling. */
const OVERSCAN = 8;
const breakpoints = { sm: "max-sm:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" };

/** An HTML table with sortable columns. A long one renders only the rows in view. */
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
  const headings = useRef<HTMLTableRowElement>(null);
  const isVirtual = rows.length >= VIRTUAL_FROM;
  const widths = useFixedWidths(headings, isVirtual ? rows : null, columns);
  const isMeasured = isVirtual && widths === null;
  const measured = useMemo(
    () => (isMeasured ? findRowsToMeasure(columns, rows) : []),
    [isMeasured, columns, rows],
  );
  const Body = isVirtual ? RowsInView : AllRows;

  return (
    // Texts for screen readers are positioned absolutely. `relative` keeps them from widening the page.
    <div className="relative overflow-x-auto">
      <table
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        onMouseOver={showCutText}
        onFocus={showCutText}
        className={classNames(
          "border-collapse text-sm",
          isMeasured ? "w-max" : "w-full",
          widths && "table-fixed",
        )}
      >
        <thead>
          <tr ref={headings} className="border-y border-line">
            {table.getHeaderGroups()[0]?.headers.map((header, position) => (
              <Header
                key={header.id}
                column={byId.get(header.column.id)}
                sorted={header.column.getIsSorted()}
                onSort={header.column.getToggleSortingHandler()}
                widthPx={widths?.[position]}
              />
            ))}
          </tr>
        </thead>
        <Body rows={sorted} columns={columns} isDimmed={isDimmed} />
        {measured.length > 0 && (
          <tbody>
            {measured.map((row) => (
              <BodyRow key={rowKey(row)} row={row} index={0} columns={columns} isDim={false} />
            ))}
          </tbody>
        )}
        {footer && <tfoot className="border-y border-line font-medium">{footer}</tfoot>}
      </table>
    </div>
  );
}

/** Adds a title with the whole text to an element that an ellipsis cuts. */
function showCutText({ target }: SyntheticEvent): void {
  for (
    let element = target as Element | null;
    element instanceof HTMLElement && element.tagName !== "TR";
    element = element.parentElement
  ) {
    const isCut = element.scrollWidth > element.clientWidth;
    if (isCut && element.title === "" && getComputedStyle(element).textOverflow === "ellipsis") {
      // biome-ignore lint/performance/useDomNodeTextContent: the title needs line breaks, and one element is read.
      element.title = element.innerText;
    }
  }
}

/**
 * Returns fixed column widths for a long table, measured once on a sample of its rows. The columns then stay in place
 * while the table scrolls or is sorted, and layout is cheaper. Null: the browser decides, in a short table or while the
 * sample is measured.
 */
function useFixedWidths<Row extends object>(
  headings: RefObject<HTMLTableRowElement | null>,
  rows: object | null,
  columns: readonly Column<Row>[],
): readonly number[] | null {
  const [kept, setKept] = useState<{ of: object; widths: readonly number[] } | null>(null);
  const current = rows !== null && kept?.of === rows ? kept.widths : null;
  useLayoutEffect(() => {
    const row = headings.current;
    if (rows === null || current !== null || row === null) return;
    const table = row.closest("table");
    const natural = [...row.children].map((cell, position) => ({
      widthPx: cell.getBoundingClientRect().width,
      isText: !(columns[position]?.isNumeric || columns[position]?.isWhole),
      isTime: Boolean(table?.querySelector(`td:nth-child(${position + 1}) time`)),
    }));
    setKept({ of: rows, widths: fitWidths(natural, table?.parentElement?.clientWidth ?? 0) });
  }, [headings, rows, columns, current]);
  useLayoutEffect(() => {
    if (rows === null) return;
    const forget = () => setKept(null);
    addEventListener("resize", forget);
    return () => removeEventListener("resize", forget);
  }, [rows]);
  return current;
}

interface BodyProps<Row extends object> {
  rows: readonly { id: string; original: Row }[];
  columns: readonly Column<Row>[];
  isDimmed: ((row: Row) => boolean) | undefined;
}

function AllRows<Row extends object>({ rows, columns, isDimmed }: BodyProps<Row>) {
  return (
    <tbody className="divide-y divide-line">
      {rows.map(({ id, original }, index) => (
        <BodyRow
          key={id}
          row={original}
          index={index}
          columns={columns}
          isDim={isDimmed?.(original) === true}
        />
      ))}
    </tbody>
  );
}

/** Rows in view. A component of its own, so that scrolling renders only the rows. */
function RowsInView<Row extends object>({ rows, columns, isDimmed }: BodyProps<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const topPx = useTop(body);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: OVERSCAN,
    scrollMargin: topPx,
    // Renders the rows in view at once, because the columns are measured on them.
    initialRect: { width: innerWidth, height: innerHeight },
    // Renders several scroll events of one frame once.
    useFlushSync: false,
  });
  const items = virtualizer.getVirtualItems();
  const before = (items[0]?.start ?? topPx) - topPx;
  const after = virtualizer.getTotalSize() - ((items.at(-1)?.end ?? topPx) - topPx);
  return (
    <tbody ref={body} className="divide-y divide-line *:*:overflow-hidden *:*:text-ellipsis">
      <Gap heightPx={before} />
      {items.map(({ index }) => {
        const row = rows[index];
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
  );
}

/** Returns the top of the element in the document, pixels. Measured when the page changes its size, not on scroll. */
function useTop(element: RefObject<HTMLElement | null>): number {
  const [topPx, setTopPx] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      if (element.current) {
        setTopPx(Math.round(element.current.getBoundingClientRect().top + scrollY));
      }
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(document.body);
    return () => watch.disconnect();
  }, [element]);
  return topPx;
}

interface BodyRowProps<Row extends object> {
  row: Row;
  index: number;
  columns: readonly Column<Row>[];
  isDim: boolean;
}

/** Rendered again only for another row. While a long table scrolls, most rows stay. */
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
  widthPx: number | undefined;
}) {
  const { column, sorted, onSort, widthPx } = props;
  if (!column) return null;
  const style = widthPx === undefined ? undefined : { width: widthPx };
  const shape = classNames(
    "h-9 pr-4 text-xs font-medium text-quiet whitespace-nowrap first:pl-1 last:pr-1 not-first:pl-1",
    column.isNumeric ? "text-right" : "text-left",
    column.from && breakpoints[column.from],
  );
  if (!column.sortBy) {
    return (
      <th scope="col" className={shape} style={style}>
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
      style={style}
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

/** Space of rows out of view. The height is an attribute of an SVG, because inline styles are not allowed. */
function Gap({ heightPx }: { heightPx: number }) {
  if (heightPx <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row cannot have the focus.
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

/** Created once. A new collator for each comparison costs ten times the sorting. */
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
