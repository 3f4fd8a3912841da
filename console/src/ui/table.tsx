import { ArrowDown, ArrowUp } from "lucide-react";
import {
  type ReactNode,
  type RefObject,
  type SyntheticEvent,
  useCallback,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { classNames } from "./class-names.ts";
import { findRowsToMeasure, fitWidths } from "./column-widths.ts";
import { useLongTables } from "./long-tables.ts";
import { pressBox, type Selection, setRows } from "./selection.ts";
import {
  type Column,
  layOutColumns,
  type Sort,
  sortRows,
  type TableView,
  toggleSort,
} from "./table-columns.ts";
import { AllRows, BodyRow, breakpoints, cellGap, RowBox, type RowBoxes } from "./table-rows.tsx";
import { usePrinting } from "./use-printing.ts";
import { useScreen } from "./use-screen.ts";

export type { Column };

interface TableProps<Row extends object> {
  /** Name of the table, for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Name of a row, for its box. Default: its key. */
  rowName?: (row: Row) => string;
  /** Initial order. Default: the order of `rows`. */
  initialSort?: Sort;
  /** Order and columns that the caller stores. Default: the table stores its order, and shows no optional column. */
  view?: TableView | undefined;
  /** Adds a box to each row, and one for all rows. */
  selection?: Selection | undefined;
  /** Row of totals below the others. Without `selection` only. */
  footer?: ReactNode;
  isDimmed?: (row: Row) => boolean;
}

/** Shorter tables render all rows, so that the browser's search finds them. */
const VIRTUAL_FROM = 150;
/** Rows of a long table until its part has loaded: more than a screen shows. */
const FIRST_ROWS = 40;

/** An HTML table with sortable columns. On a screen, a long one renders only the rows in view. */
export function Table<Row extends object>(props: TableProps<Row>) {
  const { label, columns, rows, rowKey, initialSort, view, footer, isDimmed } = props;
  const [ownSort, setOwnSort] = useState<Sort | null>(null);
  const sort = (view ? view.sort : ownSort) ?? initialSort ?? null;
  const sorted = useSortedRows(rows, columns, sort);
  const screen = useScreen();
  const chosen = view?.columns ?? null;
  const layout = useMemo(() => layOutColumns(columns, chosen, screen), [columns, chosen, screen]);
  const boxes = useBoxes(props, sorted);
  const headings = useRef<HTMLTableRowElement>(null);
  const isPrinting = usePrinting();
  const isVirtual = rows.length >= VIRTUAL_FROM && !isPrinting;
  const widths = useFixedWidths(headings, isVirtual ? rows : null, layout.columns);
  const isMeasured = isVirtual && widths === null;
  const measured = useMemo(
    () => (isMeasured ? findRowsToMeasure(layout.columns, rows) : []),
    [isMeasured, layout, rows],
  );
  const longTables = useLongTables(isVirtual);
  const Body = isVirtual && longTables ? longTables.RowsInView : AllRows;
  const listed = isVirtual && !longTables ? sorted.slice(0, FIRST_ROWS) : sorted;

  return (
    // Texts for screen readers are positioned absolutely. `relative` keeps them from widening the page.
    <div className="relative overflow-x-auto print:overflow-visible">
      <table
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        onMouseOver={showCutText}
        onFocus={showCutText}
        className={classNames(
          "border-collapse text-sm print:text-xs print:*:*:*:pr-2!",
          isMeasured ? "w-max" : "w-full",
          widths && "table-fixed",
        )}
      >
        <thead>
          <tr ref={headings} className="border-y border-line">
            {boxes && props.selection && (
              <AllBox selection={props.selection} keys={sorted.map(rowKey)} />
            )}
            {layout.columns.map((column) => (
              <Header
                key={column.id}
                column={column}
                sort={sort?.id === column.id ? sort : null}
                onSort={() => (view?.onSort ?? setOwnSort)(toggleSort(column, sort, rows))}
                widthPx={widths?.get(column.id)}
                isLast={column.id === layout.lastId}
              />
            ))}
          </tr>
        </thead>
        <Body rows={listed} rowKey={rowKey} layout={layout} isDimmed={isDimmed} boxes={boxes} />
        {measured.length > 0 && (
          <tbody>
            {measured.map((row) => (
              <BodyRow
                key={rowKey(row)}
                row={row}
                index={0}
                layout={layout}
                onPress={boxes?.onPress}
              />
            ))}
          </tbody>
        )}
        {footer && <tfoot className="border-y border-line font-medium">{footer}</tfoot>}
      </table>
    </div>
  );
}

/** Sorts by the parts of the order, because each rendering of an address makes a new object. */
function useSortedRows<Row extends object>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | null,
): readonly Row[] {
  const id = sort?.id;
  const isDescending = sort?.isDescending === true;
  return useMemo(
    () => sortRows(rows, columns, id === undefined ? null : { id, isDescending }),
    [rows, columns, id, isDescending],
  );
}

/** Boxes of the rows, with a handler that stays the same. */
function useBoxes<Row extends object>(
  { selection, rowKey, rowName = rowKey }: TableProps<Row>,
  sorted: readonly Row[],
): RowBoxes<Row> | null {
  const anchor = useRef<number | null>(null);
  const current = useRef({ selection, rowKey, sorted });
  current.current = { selection, rowKey, sorted };
  const onPress = useCallback((position: number, isChecked: boolean, isRange: boolean) => {
    const now = current.current;
    if (!now.selection) return;
    const keys = now.sorted.map(now.rowKey);
    const press = { position, anchor: anchor.current, isChecked, isRange };
    anchor.current = position;
    now.selection.onChange(pressBox(now.selection.selected, keys, press));
  }, []);
  return selection ? { selected: selection.selected, onPress, nameOf: rowName } : null;
}

/** Box that selects all rows, or none. */
function AllBox({ selection, keys }: { selection: Selection; keys: readonly string[] }) {
  const { selected, onChange } = selection;
  const count = keys.reduce((sum, key) => sum + (selected.has(key) ? 1 : 0), 0);
  const isAll = count > 0 && count === keys.length;
  return (
    <th scope="col" className="h-9 w-9 pl-1 text-left">
      <RowBox
        label="Select all rows"
        isChecked={isAll}
        isMixed={count > 0 && !isAll}
        onPress={() => onChange(setRows(selected, keys, !isAll))}
      />
    </th>
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
): ReadonlyMap<string, number> | null {
  const [kept, setKept] = useState<KeptWidths | null>(null);
  const isCurrent = rows !== null && kept?.of === rows && kept.columns === columns;
  const current = isCurrent ? kept.widths : null;
  useLayoutEffect(() => {
    const row = headings.current;
    if (rows === null || current !== null || row === null) return;
    const table = row.closest("table");
    const cells = [...row.children];
    const boxes = cells.length - columns.length;
    const boxesPx = boxes > 0 ? (cells[0]?.getBoundingClientRect().width ?? 0) : 0;
    const natural = columns.map(({ isNumeric, isWhole }, position) => ({
      widthPx: cells[position + boxes]?.getBoundingClientRect().width ?? 0,
      isText: !(isNumeric || isWhole),
      isTime: Boolean(table?.querySelector(`td:nth-child(${position + boxes + 1}) time`)),
    }));
    const roomPx = (table?.parentElement?.clientWidth ?? 0) - boxesPx;
    const fitted = fitWidths(natural, roomPx);
    const widths = new Map(columns.map(({ id }, position) => [id, fitted[position] ?? 0]));
    setKept({ of: rows, columns, widths });
  }, [headings, rows, columns, current]);
  useLayoutEffect(() => {
    if (rows === null) return;
    const forget = () => setKept(null);
    addEventListener("resize", forget);
    return () => removeEventListener("resize", forget);
  }, [rows]);
  return current;
}

interface KeptWidths {
  of: object;
  columns: object;
  widths: ReadonlyMap<string, number>;
}

interface HeaderProps<Row extends object> {
  column: Column<Row>;
  /** Order by this column. Null: the table has another order. */
  sort: Sort | null;
  onSort: () => void;
  widthPx: number | undefined;
  /** No visible column is after this one. */
  isLast: boolean;
}

function Header<Row extends object>(props: HeaderProps<Row>) {
  const { column, sort, onSort, widthPx, isLast } = props;
  const style = widthPx === undefined ? undefined : { width: widthPx };
  const shape = classNames(
    "h-9 text-xs font-medium text-quiet whitespace-nowrap first:pl-1 not-first:pl-1",
    isLast ? "pr-1" : cellGap,
    column.isNumeric ? "text-right" : "text-left",
    column.from && breakpoints[column.from],
    column.isPrinted && "print:table-cell",
  );
  if (!column.sortBy) {
    return (
      <th scope="col" className={shape} style={style}>
        {column.header === "" ? <span className="sr-only">Actions</span> : column.header}
      </th>
    );
  }
  const Arrow = sort?.isDescending ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={sort === null ? "none" : sort.isDescending ? "descending" : "ascending"}
      className={shape}
      style={style}
    >
      <button
        type="button"
        onClick={onSort}
        className={classNames(
          "target group inline-flex items-center gap-1 rounded-sm align-middle font-medium hover:text-ink",
          sort !== null && "text-ink",
          column.isNumeric && "flex-row-reverse",
        )}
      >
        {column.header}
        <Arrow
          size={12}
          aria-hidden="true"
          className={classNames(sort === null && "opacity-0 group-hover:opacity-50")}
        />
      </button>
    </th>
  );
}
