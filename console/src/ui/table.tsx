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
  /** What the column is sorted by; without it the column cannot be sorted. */
  sortBy?: (row: Row) => string | number | bigint;
  isNumeric?: boolean;
  /** What stands in it cannot end in an ellipsis: a bar with its figure. */
  isWhole?: boolean;
  /** On which widths it is shown: everywhere, not on telephones, only where there is room, or where there is much. */
  from?: "sm" | "lg" | "xl";
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
/** Rows that are drawn above and below those in view: for each of them a turn of the wheel costs more, and shows less paper. */
const OVERSCAN = 8;
const breakpoints = { sm: "max-sm:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" };

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
  const headings = useRef<HTMLTableRowElement>(null);
  const isVirtual = rows.length >= VIRTUAL_FROM;
  const widths = useKeptWidths(headings, isVirtual ? rows : null, columns);
  const isMeasured = isVirtual && widths === null;
  const measured = useMemo(
    () => (isMeasured ? findRowsToMeasure(columns, rows) : []),
    [isMeasured, columns, rows],
  );
  const Body = isVirtual ? RowsInView : AllRows;

  return (
    // What is only heard stands out of the flow: it must not widen the page.
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

/** What an ellipsis cuts off is in the title of the cell, or of what stands in it. */
function showCutText({ target }: SyntheticEvent): void {
  for (
    let element = target as Element | null;
    element instanceof HTMLElement && element.tagName !== "TR";
    element = element.parentElement
  ) {
    const isCut = element.scrollWidth > element.clientWidth;
    if (isCut && element.title === "" && getComputedStyle(element).textOverflow === "ellipsis") {
      // biome-ignore lint/performance/useDomNodeTextContent: as it is read, its lines apart; for the one under the pointer.
      element.title = element.innerText;
    }
  }
}

/**
 * The width of each column as rows from the whole table made it, kept while others scroll through: columns stay where they
 * are, also in another order, and the browser need not look at every cell to place them. Null where the cells themselves
 * say it, and while rows are drawn to be measured, which nobody sees.
 */
function useKeptWidths<Row extends object>(
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

/** On its own, so that scrolling draws the rows and nothing else of the table. */
function RowsInView<Row extends object>({ rows, columns, isDimmed }: BodyProps<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const topPx = useTop(body);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: OVERSCAN,
    scrollMargin: topPx,
    // The rows in view are there at once: the columns are as wide as they want.
    initialRect: { width: innerWidth, height: innerHeight },
    // Several turns of the wheel in one frame are drawn once.
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

/** Where the element begins in the document, pixels; measured when the page changes its size, never while it scrolls. */
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
