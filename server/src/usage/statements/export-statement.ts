import type { ReportCall } from "#src/access/call.ts";
import { inReport } from "#src/usage/reports/report.sql.ts";
import type { UsageDeps } from "#src/usage/reports/usage.ts";
import { type Charge, listCharges } from "./focus.rule.ts";
import { findStatementNames } from "./statement-names.ts";
import { type LinePosition, listLines, positionOf } from "./statement-report.sql.ts";
import { findOrganizationName } from "./statement-settings.sql.ts";
import type { LineRow, StatementNames } from "./statement-shape.rule.ts";
import { openMonth, readVisibleScope, type ScopeQuery } from "./statements.ts";

export interface LinePage {
  /** First day of the statement's month. */
  month: string;
  lines: LineRow[];
  names: StatementNames;
  organization: { id: string; name: string };
}

/** Lines in memory at a time. Each page of an open month adds up the whole month, so pages are large. */
const PAGE_LINES = 10_000;

/** Yields all lines in a fixed order. The first page throws a 404 for a month without a statement. */
export async function* readStatementLines(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  { month: text, ...query }: ScopeQuery & { month: string },
): AsyncGenerator<LinePage> {
  const { organizationId } = caller;
  const scope = await readVisibleScope(deps, caller, query);
  let after: LinePosition | null = null;
  for (;;) {
    const from: LinePosition | null = after;
    const page: LinePage = await inReport(reader, async (tx) => {
      const { month, source } = await openMonth(tx, organizationId, text, deps.nowMs());
      const lines = await listLines(tx, source, { scope, after: from, limit: PAGE_LINES });
      const name = (await findOrganizationName(tx, organizationId)) ?? "";
      const names = await findStatementNames(tx, source, lines);
      return { month: month.month, lines, names, organization: { id: organizationId, name } };
    });
    yield page;
    const last = page.lines.at(-1);
    if (last === undefined || page.lines.length < PAGE_LINES) return;
    after = positionOf(last);
  }
}

export function toCharges({ month, lines, names, organization }: LinePage): Charge[] {
  return lines.flatMap((line) => listCharges(line, { month, names, organization }));
}
