// Column widths of a long table. Few of its rows are rendered at a time, and later ones must fit too.

/** Number of sampled rows that decide the width of text. Longer text ends in an ellipsis. */
const SAMPLED = 16;
/** Minimum width of a column of text. */
const LEAST_TEXT_PX = 96;
/** Width of the longest relative time, `59 minutes ago`, with the space between columns. */
const TIME_PX = 128;

interface Measured<Row> {
  sortBy?: (row: Row) => string | number | bigint;
  isNumeric?: boolean;
}

/** Rows to measure: those with the largest figures, which are never cut, and a sample of the whole table. */
export function findRowsToMeasure<Row>(
  columns: readonly Measured<Row>[],
  rows: readonly Row[],
): Row[] {
  const found = new Set<Row>();
  for (const { sortBy, isNumeric } of columns) {
    if (!sortBy || !isNumeric) continue;
    let widest: { row: Row; size: number } | null = null;
    for (const row of rows) {
      const size = sizeOf(sortBy(row));
      if (widest === null || size > widest.size) widest = { row, size };
    }
    if (widest) found.add(widest.row);
  }
  const step = Math.max(1, Math.floor(rows.length / SAMPLED));
  for (let index = 0; index < rows.length; index += step) found.add(rows[index] as Row);
  return [...found];
}

function sizeOf(value: string | number | bigint): number {
  return typeof value === "string" ? value.length : Math.abs(Number(value));
}

export interface NaturalWidth {
  /** Width of the heading and the cells without wrapping. 0: hidden. */
  widthPx: number;
  isText: boolean;
  /** Contains relative times, whose width changes. */
  isTime: boolean;
}

/**
 * Returns column widths for `roomPx`. The widest columns of text shrink first, to one common width. Columns of figures
 * and times keep their width.
 */
export function fitWidths(columns: readonly NaturalWidth[], roomPx: number): number[] {
  const widths = columns.map(({ widthPx, isTime }) =>
    isTime && widthPx > 0 ? Math.max(widthPx, TIME_PX) : widthPx,
  );
  let excess = widths.reduce((sum, width) => sum + width, 0) - roomPx;
  const texts = columns
    .flatMap(({ isText, isTime }, index) => (isText && !isTime ? [index] : []))
    .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
  for (let count = 1; count <= texts.length && excess > 0; count++) {
    const level = widths[texts[0] ?? 0] ?? 0;
    const next = Math.max(LEAST_TEXT_PX, widths[texts[count] ?? -1] ?? 0);
    const lowered = Math.max(next, level - excess / count);
    if (lowered >= level) continue;
    for (const index of texts.slice(0, count)) widths[index] = lowered;
    excess -= (level - lowered) * count;
  }
  return widths;
}
