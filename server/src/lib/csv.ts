import { stringify } from "csv-stringify/sync";

type Cell = string | number | boolean | null;

/**
 * How a cell begins that a spreadsheet calculates with, whatever it drops before the sign, or that breaks out of its
 * place: the list of OWASP ("CSV injection"), with the wide forms of the signs.
 */
const formula = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/;

/** As text and nothing else, in every CSV of the server. Numbers are what they are. */
function toInert(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

/**
 * Lines of CSV as RFC 4180 has them. Names and user agents are what somebody chose: a cell that a spreadsheet would
 * calculate with begins with an apostrophe.
 */
export function toCsv(rows: readonly (readonly Cell[])[]): string {
  return stringify(rows as Cell[][], {
    record_delimiter: "\r\n",
    // Left to itself it quotes what ends a line here, and not half of it.
    quoted_match: /[\r\n]/,
    cast: { boolean: String, string: toInert },
  });
}

/** What stands in each column, by its heading. */
export type CsvColumns<Row> = Readonly<Record<string, (row: Row) => Cell>>;

/** One column for each of these fields, under the field's own name. */
export function pickColumns<Field extends string>(
  fields: Readonly<Record<Field, unknown>>,
): CsvColumns<Readonly<Record<Field, Cell>>> {
  const names = Object.keys(fields) as Field[];
  return Object.fromEntries(names.map((name) => [name, (row) => row[name]]));
}

export type ExportFormat = "csv" | "jsonl";

/** Pages of rows as the text of a file: CSV with a heading, or one JSON object a line. */
export async function* toFile<Row>(
  format: ExportFormat,
  columns: CsvColumns<Row>,
  pages: AsyncIterable<readonly Row[]>,
): AsyncGenerator<string> {
  const read = Object.values(columns);
  if (format === "csv") yield toCsv([Object.keys(columns)]);
  for await (const rows of pages) {
    yield format === "csv"
      ? toCsv(rows.map((row) => read.map((cell) => cell(row))))
      : rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  }
}

export function mediaTypeOf(format: ExportFormat): "text/csv" | "application/x-ndjson" {
  return format === "csv" ? "text/csv" : "application/x-ndjson";
}
