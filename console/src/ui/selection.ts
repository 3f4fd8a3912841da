import { useMemo, useState } from "react";

/** Selected rows of a table. */
export interface Selection {
  /** Keys of the rows. */
  selected: ReadonlySet<string>;
  onChange: (selected: ReadonlySet<string>) => void;
}

/**
 * Selection among the rows that are shown. A row that a filter hides is not selected, so that no action changes it. The
 * row is selected again when the filter shows it.
 */
export function useSelection<Row extends object>(
  rows: readonly Row[],
  rowKey: (row: Row) => string,
): Selection {
  const [stored, setStored] = useState<ReadonlySet<string>>(none);
  const selected = useMemo(() => {
    if (stored.size === 0) return none;
    return new Set(rows.map(rowKey).filter((key) => stored.has(key)));
  }, [stored, rows, rowKey]);
  return { selected, onChange: setStored };
}

const none: ReadonlySet<string> = new Set();

/** Press on the box of a row. */
export interface BoxPress {
  /** Position of the row in `keys`. */
  position: number;
  /** Position of the press before. Null: none. */
  anchor: number | null;
  isChecked: boolean;
  /** Changes all rows between both presses. */
  isRange: boolean;
}

/** Returns the selection after a press on a box. `keys` are all rows in their order. */
export function pressBox(
  selected: ReadonlySet<string>,
  keys: readonly string[],
  { position, anchor, isChecked, isRange }: BoxPress,
): ReadonlySet<string> {
  const other = isRange && anchor !== null ? anchor : position;
  const changed = keys.slice(Math.min(position, other), Math.max(position, other) + 1);
  return setRows(selected, changed, isChecked);
}

/** Returns the selection with these rows, or without them. */
export function setRows(
  selected: ReadonlySet<string>,
  keys: readonly string[],
  isSelected: boolean,
): ReadonlySet<string> {
  const next = new Set(selected);
  for (const key of keys) {
    if (isSelected) next.add(key);
    else next.delete(key);
  }
  return next;
}
