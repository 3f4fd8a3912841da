import { statementLine } from "@bursar/contract/admin/statements.ts";
import type { z } from "zod";
import { type CsvColumns, pickColumns } from "#src/lib/csv.ts";

/** The columns of a file are the fields of a line. */
export const lineColumns: CsvColumns<z.input<typeof statementLine>> = pickColumns(
  statementLine.shape,
);

export const lineAmounts: readonly string[] = Object.keys(lineColumns).filter((name) =>
  name.endsWith("_usd"),
);
