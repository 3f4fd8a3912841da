import { checkEverywhere } from "#src/access/authorize.ts";
import type { ReportCall } from "#src/access/call.ts";
import { getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { readCursor, readCursorAmount } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { readAttribution } from "#src/usage/attribution.sql.ts";
import { inReport } from "#src/usage/reports/report.sql.ts";
import type { UsageDeps } from "#src/usage/reports/usage.ts";
import type { CostChange } from "./explain-change.rule.ts";
import { findMonths, findSource, isClosed, type Months } from "./open-statement.ts";
import type { LineSource } from "./statement-lines.sql.ts";
import {
  previousMonth,
  readMonth,
  type StatementMonth,
  type StatementState,
  stateOf,
} from "./statement-month.rule.ts";
import { findStatementNames } from "./statement-names.ts";
import {
  type GroupRow,
  listGroupRows,
  type RowGroup,
  type StatementScope,
  sumByProduct,
} from "./statement-report.sql.ts";
import { findCostCenterTag } from "./statement-settings.sql.ts";
import type { StatementNames, StatementTotals } from "./statement-shape.rule.ts";
import {
  type EarlierMonth,
  explainStatements,
  listEarlierMonths,
  sumTotals,
} from "./statement-sums.rule.ts";
import { findClosed, listClosed, rehashLines } from "./statements.sql.ts";

export interface ScopeQuery {
  workspace_id?: string | undefined;
  group_id?: string | undefined;
  tag?: string | undefined;
  without_tag?: string | undefined;
}

/** Statement of one month. */
export interface StatementPlace {
  month: StatementMonth;
  state: StatementState;
  closedAt: Date | null;
  sha256: Buffer | null;
}

export interface ListedStatement extends StatementPlace {
  totals: StatementTotals;
}

/** Lists statements, newest first. */
export async function listStatements(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  { limit, page, ...query }: ScopeQuery & { limit: number; page?: string | undefined },
): Promise<{ statements: ListedStatement[]; nextPage: string | null }> {
  const { organizationId } = caller;
  const scope = await readVisibleScope(deps, caller, query);
  const filters = { list: "statements", ...query };
  const before = page && String(readCursor(page, filters, ["string"])[0]);
  const isWhole = scope.workspaceId === null && scope.attribution === null;
  const nowMs = deps.nowMs();
  return inReport(reader, async (tx) => {
    const months = await findMonths(tx, organizationId, nowMs);
    const closed = new Map((await listClosed(tx, organizationId)).map((row) => [row.month, row]));
    const rest = months.all.filter(({ month }) => !before || month < before).reverse();
    const statements: ListedStatement[] = [];
    for (const month of rest.slice(0, limit)) {
      const row = closed.get(month.month) ?? null;
      const source = await findSource(tx, organizationId, month, months);
      const totals =
        (isWhole ? row : null) ?? sumTotals(month.month, await sumByProduct(tx, source, scope));
      statements.push({ ...toPlace(month, row, nowMs), totals });
    }
    const last = statements.at(-1);
    const hasMore = rest.length > statements.length && last !== undefined;
    return { statements, nextPage: hasMore ? encodeCursor([last.month.month], filters) : null };
  });
}

function toPlace(
  month: StatementMonth,
  closed: { closed_at: Date; sha256: Buffer } | null,
  nowMs: number,
): StatementPlace {
  return {
    month,
    state: stateOf(month, closed !== null, nowMs),
    closedAt: closed?.closed_at ?? null,
    sha256: closed?.sha256 ?? null,
  };
}

export interface Statement extends StatementPlace {
  scope: { query: ScopeQuery; name: string | null };
  totals: StatementTotals;
  isIntact: boolean | null;
  earlier: EarlierMonth[];
  previous: { month: string; totals: StatementTotals };
  change: CostChange;
}

/** Returns the statement of a month. Throws a 404 for a month before the first usage or after the current one. */
export async function getStatement(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  { month: text, ...query }: ScopeQuery & { month: string },
): Promise<Statement> {
  const { organizationId } = caller;
  const scope = await readVisibleScope(deps, caller, query);
  const nowMs = deps.nowMs();
  return inReport(reader, async (tx) => {
    const { month, months, source } = await openMonth(tx, organizationId, text, nowMs);
    const rows = await sumByProduct(tx, source, scope);
    const before = previousMonth(month);
    const earlierRows = isKnown(months, before)
      ? await sumByProduct(tx, await findSource(tx, organizationId, before, months), scope)
      : [];
    const closed = await findClosed(tx, { organizationId, month: month.month });
    const isIntact = closed && (await rehashLines(tx, source)).equals(closed.sha256);
    return {
      ...toPlace(month, closed, nowMs),
      scope: { query, name: await findScopeName(tx, source, query) },
      totals: sumTotals(month.month, rows),
      isIntact,
      earlier: listEarlierMonths(month.month, rows),
      previous: { month: before.month, totals: sumTotals(before.month, earlierRows) },
      change: explainStatements(
        { month: before.month, rows: earlierRows },
        { month: month.month, rows },
      ),
    };
  });
}

export interface OpenedMonth {
  month: StatementMonth;
  months: Months;
  source: LineSource;
}

/** Finds a month with its lines. Throws a 404 for a month without a statement. */
export async function openMonth(
  tx: Tx,
  organizationId: string,
  text: string,
  nowMs: number,
): Promise<OpenedMonth> {
  const months = await findMonths(tx, organizationId, nowMs);
  const month = readMonth(text);
  if (!isKnown(months, month)) {
    const message = `There is no statement of ${text}`;
    throw new ApiError("resource_not_found", message, {}, { resource: "statement" });
  }
  return { month, months, source: await findSource(tx, organizationId, month, months) };
}

function isKnown(months: Months, { month }: StatementMonth): boolean {
  return isClosed(months, readMonth(month)) || months.all.some((each) => each.month === month);
}

/**
 * Reads the scope of a statement. Throws a 400 for two scopes, and a 404 for a workspace that the caller cannot see. Other
 * scopes are a 403 without the right in the whole organization.
 */
export async function readVisibleScope(
  { database }: Pick<UsageDeps, "database">,
  caller: Caller,
  query: ScopeQuery,
): Promise<StatementScope> {
  const scope = readScope(query);
  if (scope.workspaceId === null) checkEverywhere(caller, "statements:read");
  else await getVisibleWorkspace(database, caller, "statements:read", scope.workspaceId);
  return scope;
}

function readScope(query: ScopeQuery): StatementScope {
  const named = Object.entries(query).filter(([, value]) => value !== undefined);
  const [, second] = named;
  if (second !== undefined) throw refuseField(second[0], "a statement has one scope.");
  const { workspace_id: workspaceId, group_id, tag, without_tag } = query;
  const attribution = readAttribution({
    group_id: group_id === undefined ? undefined : [group_id],
    tag: tag === undefined ? undefined : [tag],
    without_tag,
  });
  return { workspaceId: workspaceId ?? null, attribution };
}

async function findScopeName(
  tx: Tx,
  source: LineSource,
  { workspace_id = "", group_id = "" }: ScopeQuery,
): Promise<string | null> {
  const names = await findStatementNames(tx, source, [{ workspace_id, group_id }]);
  return names.workspaces.get(workspace_id) ?? names.groups.get(group_id) ?? null;
}

export interface RowsQuery extends ScopeQuery {
  month: string;
  group_by: RowGroup;
  limit: number;
  page?: string | undefined;
}

export interface ListedRows {
  rows: GroupRow[];
  group: RowGroup;
  names: StatementNames;
  nextPage: string | null;
}

/** Splits a statement. Throws a 404 for a month without a statement. */
export async function listStatementRows(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  { month: text, group_by: group, limit, page, ...query }: RowsQuery,
): Promise<ListedRows> {
  const { organizationId } = caller;
  const scope = await readVisibleScope(deps, caller, query);
  const filters = { list: "statement_rows", month: text, group, ...query };
  const after = page === undefined ? null : readAfter(page, filters);
  return inReport(reader, async (tx) => {
    const { source } = await openMonth(tx, organizationId, text, deps.nowMs());
    const costCenterTag = await findCostCenterTag(tx, organizationId);
    const found = await listGroupRows(tx, source, {
      scope,
      group,
      costCenterTag,
      after,
      limit: limit + 1,
    });
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    const hasMore = found.length > rows.length && last !== undefined;
    return {
      rows,
      group,
      names: await findRowNames(tx, source, group, rows),
      nextPage: hasMore ? encodeCursor([String(last.net_cost_nano_usd), last.id], filters) : null,
    };
  });
}

function readAfter(page: string, filters: unknown): { netNanoUsd: bigint; id: string } {
  const [amount = "", id = ""] = readCursor(page, filters, ["string", "string"]);
  return { netNanoUsd: readCursorAmount(String(amount)), id: String(id) };
}

const idFields = {
  cost_center: "tag_id",
  workspace: "workspace_id",
  group: "group_id",
  member: "member_id",
  api_key: "api_key_id",
} as const;

function findRowNames(tx: Tx, source: LineSource, group: RowGroup, rows: readonly GroupRow[]) {
  const named = group === "model" ? [] : rows.map(({ id }) => ({ [idFields[group]]: id }));
  return findStatementNames(tx, source, named);
}
