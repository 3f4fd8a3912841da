import type { MessageBatchStatus } from "@bursar/contract/admin/message-batches.ts";
import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import { selectCountedBatches } from "#src/spend/ledger/batch-amounts.sql.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { UsageFilter } from "#src/usage/visible-usage.ts";

// Message batches as the Admin API shows them: of several workspaces, in every state.

export interface ShownBatch {
  id: string;
  upstream_batch_id: string | null;
  status: MessageBatchStatus;
  workspace_id: string;
  api_key_id: string;
  member_id: string | null;
  upstream_id: string;
  failover: FailoverReason | null;
  is_simulated: boolean;
  line_count: number;
  metered_lines: number;
  hold_nano_usd: bigint;
  cost_nano_usd: bigint;
  /** Counts of the official object. Null: the upstream has reported none. */
  request_counts: unknown;
  created_at: Date;
  ended_at: Date | null;
  expires_at: Date | null;
}

export interface BatchFilter extends UsageFilter {
  statuses?: readonly MessageBatchStatus[] | undefined;
  upstreamIds?: readonly string[] | undefined;
}

/** A batch without an answer, or with requests without a result, has ended when nothing of it is unresolved. */
const makeStatus = (
  organizationId: string,
) => sql<MessageBatchStatus>`CASE state WHEN 'preparing' THEN 'arriving'
  WHEN 'running' THEN CASE WHEN ended_at IS NOT NULL THEN 'recording'
    WHEN last_object ->> 'processing_status' = 'canceling' THEN 'canceling' ELSE 'in_progress' END
  WHEN 'held' THEN 'held' WHEN 'sent' THEN 'sent' WHEN 'refused' THEN 'refused'
  ELSE CASE WHEN id IN (${selectCountedBatches(organizationId)}) THEN 'unresolved' ELSE 'ended' END END`;

const makeColumns = (
  organizationId: string,
) => sql`id, upstream_batch_id, ${makeStatus(organizationId)} AS status,
  workspace_id, api_key_id, member_id, upstream_id, failover, is_simulated,
  line_count, metered_lines, hold_nano_usd, cost_nano_usd, last_object -> 'request_counts' AS request_counts,
  started_at AS created_at, ended_at, expires_at`;

/** Lists batches that the caller can see, newest first. One more than the page has. */
export async function listShownBatches(
  db: Database | Tx,
  filter: BatchFilter,
  { limit, from }: PageRequest,
): Promise<ShownBatch[]> {
  const conditions = [
    ...makeConditions(filter),
    ...(from === null
      ? []
      : [sql`(started_at, id) < (${new Date(from.createdAtMs)}::timestamptz, ${from.id})`]),
  ];
  const { rows } = await sql<ShownBatch>`
    SELECT ${makeColumns(filter.organizationId)} FROM message_batch WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY started_at DESC, id DESC LIMIT ${limit + 1}`.execute(db);
  return rows;
}

function makeConditions(filter: BatchFilter): RawBuilder<unknown>[] {
  const { workspaceIds, apiKeyIds, upstreamIds, statuses, startMs, endMs } = filter;
  const isVisible = isVisibleUsage(filter.visible);
  return [
    sql`organization_id = ${filter.organizationId}::uuid`,
    ...(isVisible === null ? [] : [isVisible]),
    ...(workspaceIds ? [sql`workspace_id = ANY(${[...workspaceIds]}::text[])`] : []),
    ...(apiKeyIds ? [sql`api_key_id = ANY(${[...apiKeyIds]}::text[])`] : []),
    ...(upstreamIds ? [sql`upstream_id = ANY(${[...upstreamIds]}::text[])`] : []),
    ...(statuses
      ? [sql`${makeStatus(filter.organizationId)} = ANY(${[...statuses]}::text[])`]
      : []),
    ...(startMs === undefined ? [] : [sql`started_at >= ${new Date(startMs)}`]),
    ...(endMs === undefined ? [] : [sql`started_at < ${new Date(endMs)}`]),
  ];
}

/**
 * Finds batches by an id: their own, or that of an upstream. Two upstreams can give the same id, so a second one shows that it
 * names no single batch.
 */
export async function findShownBatches(
  db: Database | Tx,
  { organizationId, id }: { organizationId: string; id: string },
): Promise<ShownBatch[]> {
  const { rows } = await sql<ShownBatch>`
    SELECT ${makeColumns(organizationId)} FROM message_batch
    WHERE organization_id = ${organizationId}::uuid AND (id = ${id} OR upstream_batch_id = ${id})
    LIMIT 2`.execute(db);
  return rows;
}
