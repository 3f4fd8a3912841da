import type { ReportCall } from "#src/access/call.ts";
import { readCursor } from "#src/domain/page-position.ts";
import { msFromIsoDate } from "#src/domain/spend-period.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { findVisibleUsage } from "#src/usage/visible-usage.ts";
import { refuseDeletedRange } from "./refuse-deleted-sums.ts";
import { inReport, listReport, type ReportRow } from "./report.sql.ts";
import { checkYear, type RangePart } from "./report-range.rule.ts";
import type { ReportFilter } from "./report-tables.ts";
import type { UsageDeps } from "./usage.ts";

const DAY_MS = 86_400_000;
const DEFAULT_RECORDS = 20;
/** Far more rows than one day of one page of people can have. */
const MAX_MODELS = 100_000;

export interface ClaudeCodeReport {
  dayMs: number;
  actors: { id: string; isMember: boolean; models: ReportRow[] }[];
  names: UsageNames;
  nextPage: string | null;
}

/** Returns the usage of Claude Code and of programs with the Agent SDK on one day, per person or per workspace key. */
export async function getClaudeCodeReport(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  query: { starting_at: string; limit?: number | undefined; page?: string | undefined },
): Promise<ClaudeCodeReport> {
  const { page: cursor, limit = DEFAULT_RECORDS, ...filters } = query;
  const dayMs = msFromIsoDate(query.starting_at);
  checkYear("starting_at", dayMs);
  const after = cursor === undefined ? null : readCursor(cursor, filters, ["string", "string"]);
  const { organizationId } = caller;
  const filter: ReportFilter = {
    organizationId,
    visible: await findVisibleUsage(deps.database, caller),
    values: { client: ["claude-code", "claude-agent-sdk"] },
  };
  const parts: RangePart[] = [{ unit: "day", startMs: dayMs, endMs: dayMs + DAY_MS }];
  const order = { by: "time", isDescending: false } as const;
  const columns = ["actor", "actor_type"] as const;
  return inReport(reader, async (tx) => {
    await refuseDeletedRange(tx, parts);
    const found = await listReport(
      tx,
      { ...filter, parts, columns, isBucketed: false },
      {
        order,
        after: after && { value: null, bucketAtMs: null, columns: after.map(String) },
        limit: limit + 1,
      },
    );
    const actors = found.slice(0, limit);
    const ids = actors.map((row) => row.actor ?? "");
    const models = await listReport(
      tx,
      {
        ...filter,
        values: { ...filter.values, actor: ids },
        parts,
        columns: ["actor", "model"],
        isBucketed: false,
      },
      { order, after: null, limit: MAX_MODELS },
    );
    const byActor = Map.groupBy(models, (row) => row.actor ?? "");
    const last = found.length > limit ? actors.at(-1) : undefined;
    return {
      dayMs,
      actors: actors.map(({ actor = "", actor_type }) => ({
        id: actor,
        isMember: actor_type === "user_actor",
        models: byActor.get(actor) ?? [],
      })),
      names: await findUsageNames(
        tx,
        organizationId,
        ids.map((id) => ({ api_key_id: id, member_id: id })),
      ),
      nextPage: last ? encodeCursor([last.actor ?? "", last.actor_type ?? ""], filters) : null,
    };
  });
}
