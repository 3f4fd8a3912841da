// How wide the columns of a long table are: of its thousands of rows few are drawn, and what comes later must fit.

/** So many rows from all over the table say how wide its text is; what is longer ends in an ellipsis. */
const SAMPLED = 16;
/** To this a column of text may be narrowed. */
const LEAST_TEXT_PX = 96;
/** As wide as times in words become: `59 minutes ago`, with the space between columns. */
const TIME_PX = 128;

interface Measured<Row> {
  sortBy?: (row: Row) => string | number | bigint;
  isNumeric?: boolean;
}

/** Rows to be measured: those with the largest figures, which are never cut, and some from all over the table. */
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
  /** As wide as its cells and its heading want it; 0 where it is not shown. */
  widthPx: number;
  isText: boolean;
  /** It holds times in words, which change while one looks. */
  isTime: boolean;
}

/**
 * The widths of columns in `roomPx`. What does not fit is taken from the widest columns of text, all down to the same
 * width; figures and times stay whole.
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
