import type { statementLine, statementRoutes } from "@bursar/contract/admin/statements.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call, ReportCall } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { toFile } from "#src/lib/csv.ts";
import {
  createContractTerm,
  deleteContractTerm,
  getCostCenterTag,
  listContractTerms,
  setCostCenterTag,
} from "./contract-terms.ts";
import { type LinePage, readStatementLines, toCharges } from "./export-statement.ts";
import { focusAmounts, focusColumns } from "./focus.rule.ts";
import { lineAmounts, lineColumns } from "./statement-columns.ts";
import { getStatement, listStatementRows, listStatements } from "./statements.ts";
import { toListed, toRow, toStatement, toTerm, toWireLines } from "./to-wire.ts";

export function makeStatementHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof statementRoutes)[number], Call, never, ReportCall> {
  return {
    listStatements: async (call, { query }) => {
      const { statements, nextPage } = await listStatements(deps, call, query);
      return { data: statements.map(toListed), next_page: nextPage };
    },
    getStatement: async (call, { params, query }) =>
      toStatement(await getStatement(deps, call, { ...params, ...query })),
    listStatementRows: async (call, { params, query }) => {
      const listed = await listStatementRows(deps, call, { ...params, ...query });
      return { data: listed.rows.map((row) => toRow(row, listed)), next_page: listed.nextPage };
    },
    exportStatement: async (call, { params: { month }, query: { format, ...scope } }) => {
      const pages = await openPages(readStatementLines(deps, call, { month, ...scope }));
      const name = `statement-${month}`;
      if (format === "focus_csv") {
        const pieces = toFile("csv", focusColumns, mapPages(pages, toCharges), focusAmounts);
        return { mediaType: "text/csv", fileName: `${name}-focus.csv`, pieces };
      }
      const lines = mapPages(pages, toWireLines);
      const pieces = toFile<z.input<typeof statementLine>>(format, lineColumns, lines, lineAmounts);
      const mediaType = format === "csv" ? "text/csv" : "application/x-ndjson";
      return { mediaType, fileName: `${name}.${format}`, pieces };
    },
    getStatementSettings: async (call) => toSettings(await getCostCenterTag(deps, call)),
    updateStatementSettings: async (call, { body: { cost_center_tag: tag } }) => {
      await setCostCenterTag(deps, call, tag);
      return toSettings(tag);
    },
    listContractTerms: async (call) => ({
      data: (await listContractTerms(deps, call)).map(toTerm),
    }),
    createContractTerm: async (call, { body }) =>
      toTerm(await createContractTerm(deps, call, body)),
    deleteContractTerm: async (call, { params: { contract_term_id: id } }) => {
      await deleteContractTerm(deps, call, id);
      return { id, type: "contract_term_deleted" };
    },
  };
}

function toSettings(costCenterTag: string | null) {
  return { type: "statement_settings" as const, cost_center_tag: costCenterTag };
}

/** Reads the first page before the response starts, because a refusal needs a status. */
async function openPages(pages: AsyncGenerator<LinePage>): Promise<AsyncGenerator<LinePage>> {
  const first = await pages.next();
  async function* all() {
    for (let page = first; page.done !== true; page = await pages.next()) yield page.value;
  }
  return all();
}

async function* mapPages<Row>(
  pages: AsyncIterable<LinePage>,
  toRows: (page: LinePage) => Row[],
): AsyncGenerator<Row[]> {
  for await (const page of pages) yield toRows(page);
}
