import type { UsageBucket, UsageGroup } from "@bursar/contract/admin/usage.ts";
import type { Call } from "#src/access/call.ts";
import { getWorkspaceFor, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { Database } from "#src/db/pool.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import type { Caller } from "#src/domain/caller.ts";
import { readCursor, readCursorTime } from "#src/domain/page-position.ts";
import { workspacesWhere } from "#src/domain/rights.ts";
import { usageRange } from "#src/domain/usage-range.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import {
  listUsage,
  sumUsage,
  type UsageCounts,
  type UsageFilter,
  type UsageKey,
  type UsageRow,
  type VisibleUsage,
} from "./usage.sql.ts";

export interface UsageDeps {
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
}

export interface UsageQuery {
  limit: number;
  page?: string | undefined;
  starting_at: string;
  ending_at?: string | undefined;
  bucket: UsageBucket;
  group_by?: UsageGroup[] | undefined;
  workspace_id?: string[] | undefined;
  api_key_id?: string[] | undefined;
  model?: string[] | undefined;
}

export interface UsageReport {
  rows: UsageRow[];
  groupBy: UsageGroup[];
  nextPage: string | null;
  startMs: number;
  endMs: number;
  totals: UsageCounts;
}

/** A page of the report with the totals of its whole range. Throws a 404 for a workspace or key that the caller cannot see. */
export async function getUsage(
  deps: UsageDeps,
  { caller }: Call,
  query: UsageQuery,
): Promise<UsageReport> {
  const groupBy = query.group_by ?? [];
  // Without `ending_at` the end moves with the clock: it is not part of what the cursor is bound to.
  const { page, limit, ...filters } = query;
  const after = page === undefined ? null : readPosition(page, filters);
  const startingAtMs = Date.parse(query.starting_at);
  const endingAtMs = query.ending_at === undefined ? deps.nowMs() : Date.parse(query.ending_at);
  const range = usageRange(query.bucket, startingAtMs, endingAtMs);
  const filter = { ...(await readFilter(deps, caller, query)), ...range };
  const { found, totals } = await inSnapshot(deps.database, async (tx) => ({
    found: await listUsage(tx, { ...filter, groupBy, after, limit: limit + 1 }),
    totals: await sumUsage(tx, filter),
  }));
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const nextPage = found.length > limit && last ? encodeCursor(positionOf(last), filters) : null;
  return { rows, groupBy, nextPage, ...range, totals };
}

async function readFilter(
  deps: UsageDeps,
  caller: Caller,
  query: UsageQuery,
): Promise<Omit<UsageFilter, "startMs" | "endMs">> {
  const { database } = deps;
  for (const id of query.workspace_id ?? []) {
    await getWorkspaceFor(database, caller, "usage:read", id);
  }
  for (const id of query.api_key_id ?? []) {
    await getWorkspaceIdOfApiKey(database, caller, "usage:read", id);
  }
  return {
    organizationId: caller.organizationId,
    visible: visibleTo(caller),
    workspaceIds: query.workspace_id ?? null,
    apiKeyIds: query.api_key_id ?? null,
    models: query.model ?? null,
    bucket: query.bucket,
  };
}

function visibleTo(caller: Caller): VisibleUsage {
  const own = workspacesWhere(caller, "usage:read", "own") ?? [];
  return {
    workspaceIds: workspacesWhere(caller, "usage:read", "all"),
    own: own.length > 0 ? { memberId: caller.id, workspaceIds: own } : null,
  };
}

function positionOf(row: UsageKey): (string | number)[] {
  return [row.bucket_at.getTime(), row.workspace_id, row.api_key_id, row.model];
}

function readPosition(page: string, filters: unknown): UsageKey {
  const shape = ["number", "string", "string", "string"] as const;
  const [bucketAtMs, workspaceId, apiKeyId, model] = readCursor(page, filters, shape);
  return {
    bucket_at: new Date(readCursorTime(bucketAtMs)),
    workspace_id: String(workspaceId),
    api_key_id: String(apiKeyId),
    model: String(model),
  };
}
