import picocolors from "picocolors";
import { type Cell, colorStatus, toCell, toHeading } from "./format-cell.ts";
import { chooseColumns, readPath } from "./table-columns.ts";
import { replaceControlCharacters } from "./terminal.ts";

const GAP = "  ";
const NOTHING = "–";
/** Minimum width of a column, characters. */
const LEAST_WIDTH = 10;
/** Characters that take two cells of a terminal. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60\u3000-\u303f]/u;
/** Text with one cell for each character. */
const PLAIN = /^[ -~]*$/;

interface Column {
  path: string;
  heading: string;
  isNumber: boolean;
  canTruncate: boolean;
  width: number;
}

type Row = Record<string, unknown>;

/**
 * Formats entries as rows below dim headings, with numbers aligned right. If `columns` characters are too few, long
 * texts are truncated, then columns are dropped from the right. Ids and times are never truncated.
 */
export function formatTable(
  rows: readonly Row[],
  { schemaName, columns }: { schemaName?: string | undefined; columns: number },
): string {
  const paths = chooseColumns(schemaName, rows);
  const cells = rows.map((row) => paths.map((path) => toCell(path, readPath(row, path))));
  const all = paths.map((path, i) =>
    toColumn(
      path,
      cells.map((row) => row[i] as Cell),
    ),
  );
  const shape = fitColumns(all, columns);
  const heading = shape.map((column) => alignCell(column.heading, column)).join(GAP);
  const lines = cells.map((row) =>
    shape
      .map((column, i) => colorStatus(column.path, alignCell(row[i]?.text ?? "", column)))
      .join(GAP)
      .trimEnd(),
  );
  return [picocolors.dim(heading.trimEnd()), ...lines].join("\n");
}

function toColumn(path: string, cells: readonly Cell[]): Column {
  const heading = toHeading(path);
  const isNumber = cells.some((cell) => cell.isNumber);
  const width = Math.max(...[heading, ...cells.map((cell) => cell.text)].map(widthOf));
  return {
    path,
    heading,
    isNumber,
    width,
    canTruncate: !isNumber && !/(^|[_.])(id|at|hint)$/.test(path),
  };
}

/** Chooses the columns that fit and narrows them as far as necessary. */
function fitColumns(all: readonly Column[], columns: number): Column[] {
  const leastOf = ({ width, canTruncate }: Column) =>
    canTruncate ? Math.min(width, LEAST_WIDTH) : width;
  const shape: Column[] = [];
  let least = -GAP.length;
  for (const column of all) {
    least += leastOf(column) + GAP.length;
    if (least > columns && shape.length > 0) break;
    shape.push({ ...column });
  }
  const excess = () => totalWidth(shape) - columns;
  while (excess() > 0) {
    const [widest, next] = shape
      .filter(({ canTruncate, width }) => canTruncate && width > LEAST_WIDTH)
      .sort((a, b) => b.width - a.width);
    if (!widest) break;
    widest.width = Math.max(
      LEAST_WIDTH,
      widest.width - excess(),
      Math.min(next?.width ?? 0, widest.width - 1),
    );
  }
  return shape;
}

function totalWidth(shape: readonly Column[]): number {
  return shape.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);
}

function alignCell(text: string, { width, isNumber }: Column): string {
  const cut = widthOf(text) > width ? truncateText(text, width) : text;
  const space = " ".repeat(Math.max(0, width - widthOf(cut)));
  return isNumber ? space + cut : cut + space;
}

function truncateText(text: string, width: number): string {
  let cut = "";
  let taken = 0;
  for (const segment of splitGraphemes(text)) {
    taken += widthOf(segment);
    if (taken > width - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** Terminal cells of a text. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const segment of splitGraphemes(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

let segmenter: Intl.Segmenter | undefined;

/** Splits text into graphemes. The segmenter takes milliseconds to create and few tables need it. */
function splitGraphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** Formats one object with a field a line. Multi-line texts and lists of objects follow below. */
export function formatThing(thing: Row, columns: number): string {
  const isTable = (value: unknown): value is Row[] =>
    Array.isArray(value) && value.length > 0 && value.every((each) => isRow(each));
  const isText = (value: unknown) => typeof value === "string" && value.includes("\n");
  const entries = flatten("", thing).filter(([path]) => path !== "type" && !path.endsWith("html"));
  const short = entries.filter(([, value]) => !isTable(value) && !isText(value));
  const width = Math.max(0, ...short.map(([path]) => path.length));
  const lines = short.map(([path, value]) => {
    const { text } = toCell(path, value);
    const shown = text === "" ? picocolors.dim(NOTHING) : colorStatus(path, text);
    return `${picocolors.dim(path.padEnd(width))}${GAP}${shown}`;
  });
  const below = entries.flatMap(([path, value]) => {
    const heading = ["", picocolors.bold(toHeading(path))];
    if (isTable(value)) return [...heading, formatTable(value, { columns })];
    return isText(value) ? [...heading, replaceControlCharacters(String(value))] : [];
  });
  const text = [...lines, ...below];
  if (text[0] === "") text.shift();
  return text.join("\n");
}

/** Flattens nested objects to paths such as `owner.name`. */
function flatten(prefix: string, thing: Row): [string, unknown][] {
  return Object.entries(thing).flatMap(([name, value]): [string, unknown][] => {
    const path = prefix + name;
    return isRow(value) ? flatten(`${path}.`, value) : [[path, value]];
  });
}

function isRow(value: unknown): value is Row {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
