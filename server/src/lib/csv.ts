import { stringify } from "csv-stringify/sync";

type Cell = string | number | boolean | null;

/**
 * Beginning of a cell that a spreadsheet evaluates, also after dropped characters, or that breaks out of its cell. The
 * list is from OWASP ("CSV injection"), with the full-width forms of the signs. Apostrophes before it are part of it, so that
 * `fromInert` is exact.
 */
const formula = /^'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/;
const negativeNumber = /^-\d+(\.\d+)?$/;

/** Prevents evaluation of a text by spreadsheets. */
function toInert(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

/** Removes the apostrophe of an exported cell. */
export function fromInert(text: string): string {
  return text.startsWith("'") && formula.test(text) ? text.slice(1) : text;
}

/**
 * Formats CSV (RFC 4180). Names and user agents are untrusted: a cell that a spreadsheet would evaluate starts with an
 * apostrophe. A negative number of an amount stays a number. `isAmount`: columns of amounts, by position.
 */
export function toCsv(
  rows: readonly (readonly Cell[])[],
  isAmount: readonly boolean[] = [],
): string {
  return stringify(rows as Cell[][], {
    record_delimiter: "\r\n",
    // The library's default quotes its own line end, but not a single CR or LF.
    quoted_match: /[\r\n]/,
    cast: {
      boolean: String,
      string: (text, { index }) =>
        isAmount[index] && negativeNumber.test(text) ? text : toInert(text),
    },
  });
}

/** Value of each column, by heading. */
export type CsvColumns<Row> = Readonly<Record<string, (row: Row) => Cell>>;

/** One column for each of these fields, under the field's own name. */
export function pickColumns<Field extends string>(
  fields: Readonly<Record<Field, unknown>>,
): CsvColumns<Readonly<Record<Field, Cell>>> {
  const names = Object.keys(fields) as Field[];
  return Object.fromEntries(names.map((name) => [name, (row) => row[name]]));
}

export type ExportFormat = "csv" | "jsonl";

/** Rows of a piece, between two turns of the event loop. Pieces of 1,000 rows delayed requests twice as long. */
const PIECE_ROWS = 50;

/**
 * Converts pages of rows to the text of a file: CSV with a heading, or one JSON object a line. `amounts`: headings of
 * columns that never have text of a user, and can be negative.
 */
export async function* toFile<Row>(
  format: ExportFormat,
  columns: CsvColumns<Row>,
  pages: AsyncIterable<readonly Row[]>,
  amounts: readonly string[] = [],
): AsyncGenerator<string> {
  const read = Object.values(columns);
  const isAmount = Object.keys(columns).map((heading) => amounts.includes(heading));
  if (format === "csv") yield toCsv([Object.keys(columns)]);
  for await (const page of pages) {
    for (let start = 0; start < page.length; start += PIECE_ROWS) {
      const rows = page.slice(start, start + PIECE_ROWS);
      yield format === "csv"
        ? toCsv(
            rows.map((row) => read.map((cell) => cell(row))),
            isAmount,
          )
        : rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    }
  }
}

export function mediaTypeOf(format: ExportFormat): "text/csv" | "application/x-ndjson" {
  return format === "csv" ? "text/csv" : "application/x-ndjson";
}
