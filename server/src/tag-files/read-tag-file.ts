import { Readable } from "node:stream";
import { MAX_TAG_FILE_ROWS } from "@bursar/contract/admin/tag-files.ts";
import { CsvError, parse } from "csv-parse";
import { fromInert } from "#src/lib/csv.ts";
import { waitForNextTurn } from "#src/lib/slices.ts";
import {
  addFault,
  type Faults,
  makeRowReader,
  readColumns,
  type TagFileColumns,
  type TagFileRow,
} from "./tag-file.rule.ts";

export interface TagFile {
  columns: TagFileColumns;
  rows: TagFileRow[];
}

/** Characters that are parsed between two turns of the event loop, in about a millisecond. */
const PIECE_CHARACTERS = 8_192;

/** Reads a CSV file, and adds its faults. Returns null for a file without readable rows. */
export async function readTagFile(text: string, faults: Faults): Promise<TagFile | null> {
  const invalid = text.search(/[\uFFFD\0]/);
  if (invalid >= 0) {
    const line = text.slice(0, invalid).split("\n").length;
    const message = 'The file is not in UTF-8. Save it as "CSV UTF-8" in the spreadsheet.';
    addFault(faults, { line, column: null, code: "encoding_invalid", message });
    return null;
  }
  try {
    return await readRecords(text.replace(/^\uFEFF/, ""), faults);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The parser's own line is the last one of the file, if a quotation mark is never closed.
    const { records: readLines } = error as CsvError & { records?: number };
    const line = (readLines ?? 0) + 1;
    const message = "The line is no valid CSV, because of a quotation mark.";
    addFault(faults, { line, column: null, code: "csv_malformed", message });
    return null;
  }
}

async function readRecords(text: string, faults: Faults): Promise<TagFile | null> {
  const delimiter = findDelimiter(text);
  const records = Readable.from(cutPieces(text)).pipe(
    parse({ delimiter, relax_column_count: true }),
  );
  let columns: TagFileColumns | null = null;
  let readRow: ReturnType<typeof makeRowReader> | null = null;
  const rows: TagFileRow[] = [];
  let line = 0;
  for await (const record of records) {
    line += 1;
    const cells = (record as string[]).map(fromInert);
    if (readRow === null) {
      columns = readColumns(cells, faults);
      if (columns === null) return null;
      readRow = makeRowReader(columns, faults);
      continue;
    }
    if (line > MAX_TAG_FILE_ROWS) {
      const message = `At most ${MAX_TAG_FILE_ROWS - 1} rows are possible. Split the file.`;
      addFault(faults, { line, column: null, code: "too_many_rows", message });
      return null;
    }
    const row = readRow(line, cells);
    if (row !== null) rows.push(row);
  }
  if (columns !== null && (rows.length > 0 || faults.count > 0)) return { columns, rows };
  const message = "The file has no row below the heading.";
  addFault(faults, { line: 1, column: null, code: "rows_missing", message });
  return null;
}

/** Separator after a fixed column. Spreadsheets of many countries write semicolons. */
function findDelimiter(text: string): string {
  const [, found = ","] = /^[^\r\n]*?\b(?:kind|id|name|workspace)"?\s*([,;\t])/.exec(text) ?? [];
  return found;
}

async function* cutPieces(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += PIECE_CHARACTERS) {
    await waitForNextTurn();
    yield bytes.subarray(start, start + PIECE_CHARACTERS);
  }
}
