import { type KeyboardEvent, memo, useLayoutEffect, useRef } from "react";
import { classNames } from "./class-names.ts";
import type { Breakpoint, Column, Layout } from "./table-columns.ts";

export const breakpoints: Record<Breakpoint, string> = {
  sm: "max-sm:hidden",
  lg: "max-lg:hidden",
  xl: "max-xl:hidden",
};

/** Space after each cell but the last one. The rail leaves little width in windows below 1,400 px. */
export const cellGap = "pr-2 min-[1400px]:pr-4";

/** Boxes of rows. */
export interface RowBoxes<Row extends object> {
  selected: ReadonlySet<string>;
  /** Always the same function, so that a change renders only its rows again. */
  onPress: (position: number, isChecked: boolean, isRange: boolean) => void;
  nameOf: (row: Row) => string;
}

export interface BodyProps<Row extends object> {
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  layout: Layout<Row>;
  isDimmed: ((row: Row) => boolean) | undefined;
  boxes: RowBoxes<Row> | null;
}

export function AllRows<Row extends object>(props: BodyProps<Row>) {
  return (
    <tbody className="divide-y divide-line">
      {props.rows.map((row, index) => (
        <PlacedRow key={props.rowKey(row)} row={row} index={index} {...props} />
      ))}
    </tbody>
  );
}

export function PlacedRow<Row extends object>(props: BodyProps<Row> & { row: Row; index: number }) {
  const { row, index, rowKey, layout, isDimmed, boxes } = props;
  return (
    <BodyRow
      row={row}
      index={index}
      layout={layout}
      isDim={isDimmed?.(row) === true}
      isSelected={boxes?.selected.has(rowKey(row)) === true}
      name={boxes?.nameOf(row)}
      onPress={boxes?.onPress}
    />
  );
}

interface BodyRowProps<Row extends object> {
  row: Row;
  index: number;
  layout: Layout<Row>;
  isDim?: boolean;
  isSelected?: boolean;
  /** Name of the row, for its box. */
  name?: string | undefined;
  /** Absent: rows have no boxes. */
  onPress?: RowBoxes<Row>["onPress"] | undefined;
}

/** Rendered again only for another row. While a long table scrolls, most rows stay. */
export const BodyRow = memo(DrawnRow) as typeof DrawnRow;

function DrawnRow<Row extends object>(props: BodyRowProps<Row>) {
  const { row, index, layout, isDim, isSelected, name, onPress } = props;
  const { columns, below, lastId } = layout;
  const hasSecondLine = below.length > 0;
  const height = hasSecondLine ? "h-17 pt-2 pb-7" : "h-12 py-2";
  return (
    <tr
      aria-rowindex={index + 2}
      className={classNames(
        "relative",
        isSelected ? "bg-accent-wash" : "hover:bg-sunk/60",
        isDim && "text-quiet",
      )}
    >
      {onPress && (
        <td className={classNames("w-9 pl-1", height)}>
          <RowBox
            label={`Select ${name ?? ""}`}
            isChecked={isSelected === true}
            onPress={(isChecked, isRange) => onPress(index, isChecked, isRange)}
          />
        </td>
      )}
      {columns.map((column, position) => (
        <td
          key={column.id}
          className={classNames(
            height,
            "first:pl-1",
            column.id === lastId ? "pr-1" : cellGap,
            position > 0 && "pl-1",
            column.isNumeric && "figures text-right",
            column.isSentence && "min-w-56",
            column.from && breakpoints[column.from],
            column.isPrinted && "print:table-cell",
          )}
        >
          {column.cell(row)}
          {position === 0 && hasSecondLine && (
            <SecondLine row={row} columns={below} isIndented={onPress !== undefined} />
          )}
        </td>
      ))}
    </tr>
  );
}

interface SecondLineProps<Row extends object> {
  row: Row;
  columns: readonly Column<Row>[];
  isIndented: boolean;
}

/**
 * Contents of columns that a narrow screen has no room for, below the others over the whole width. A sentence ends in an
 * ellipsis before the other contents do.
 */
function SecondLine<Row extends object>({ row, columns, isIndented }: SecondLineProps<Row>) {
  const parts = columns
    .map((column) => ({ column, content: column.cell(row) }))
    .filter(({ content }) => content !== null && content !== false && content !== "");
  const hasSentence = columns.some(({ isSentence }) => isSentence === true);
  return (
    <span
      className={classNames(
        "absolute right-1 bottom-1.5 flex gap-x-1.5 overflow-hidden text-xs font-normal text-quiet",
        isIndented ? "left-10" : "left-1",
      )}
    >
      {parts.map(({ column, content }, position) => (
        <span
          key={column.id}
          className={classNames(
            "flex min-w-0 gap-x-1.5",
            hasSentence && !column.isSentence && "max-w-[45%] shrink-0",
          )}
        >
          {position > 0 && <span aria-hidden="true">·</span>}
          <span className={classNames("whitespace-nowrap", !hasLabel(column) && "sr-only")}>
            {column.belowLabel ?? column.header}
          </span>
          <span className="min-w-0 truncate *:max-w-full! **:data-amount:inline-flex **:data-amount:gap-1.5">
            {content}
          </span>
        </span>
      ))}
    </span>
  );
}

/** A figure or a time says nothing without its heading. */
function hasLabel<Row extends object>({ isNumeric, isTime, belowLabel }: Column<Row>): boolean {
  return isNumeric === true || isTime === true || belowLabel !== undefined;
}

const BOX = "input[data-row-box]";

interface RowBoxProps {
  label: string;
  isChecked: boolean;
  /** Some of the rows are selected. */
  isMixed?: boolean;
  onPress: (isChecked: boolean, isRange: boolean) => void;
}

/** Check box with a larger target, above the link of its row. */
export function RowBox({ label, isChecked, isMixed = false, onPress }: RowBoxProps) {
  const box = useRef<HTMLInputElement>(null);
  const isRange = useRef(false);
  useLayoutEffect(() => {
    if (box.current) box.current.indeterminate = isMixed;
  }, [isMixed]);
  return (
    <label className="target relative z-10 grid size-6 place-items-center select-none">
      <span className="sr-only">{label}</span>
      <input
        ref={box}
        type="checkbox"
        data-row-box
        checked={isChecked}
        onClick={(event) => {
          isRange.current = event.shiftKey;
        }}
        onChange={(event) => onPress(event.target.checked, isRange.current)}
        onKeyDown={focusNextBox}
        className="size-4 accent-(--accent)"
      />
    </label>
  );
}

/** Arrow up and down move the focus to the box of the row before or after. */
function focusNextBox(event: KeyboardEvent<HTMLInputElement>): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0) return;
  event.preventDefault();
  const boxes = event.currentTarget.closest("table")?.querySelectorAll<HTMLInputElement>(BOX);
  const all = [...(boxes ?? [])];
  all[all.indexOf(event.currentTarget) + by]?.focus();
}
