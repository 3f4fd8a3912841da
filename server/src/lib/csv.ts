import { stringify } from "csv-stringify/sync";

/** Lines as RFC 4180 has them. Texts that somebody chose are among them: a spreadsheet must not calculate with them. */
export function toCsv(rows: readonly (readonly (string | number | null)[])[]): string {
  return stringify([...rows], { escape_formulas: true, record_delimiter: "\r\n" });
}

/** The heading, then what the pages hold, in pieces of one page. */
export async function* toCsvPieces<Row>(
  columns: Readonly<Record<string, (row: Row) => string | number | null>>,
  pages: AsyncIterable<readonly Row[]>,
): AsyncGenerator<string> {
  yield toCsv([Object.keys(columns)]);
  const readers = Object.values(columns);
  for await (const rows of pages) yield toCsv(rows.map((row) => readers.map((read) => read(row))));
}
