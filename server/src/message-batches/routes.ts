import {
  listStoredBatches,
  type messageBatchRoutes,
  type storedBatch,
} from "@bursar/contract/admin/message-batches.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { formatUsd } from "#src/domain/money.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { abandonBatch } from "./abandon-batch.ts";
import {
  cancelBatch,
  type DescribedBatch,
  getBatch,
  listBatches,
  type ShownBatchDeps,
} from "./shown-batches.ts";

export function makeMessageBatchHandlers(
  deps: ShownBatchDeps,
): HandlersFor<(typeof messageBatchRoutes)[number], Call> {
  return {
    listStoredBatches: pagedList(
      listStoredBatches,
      (call, { query }, page) => listBatches(deps, call, query, page),
      toWire,
    ),
    getStoredBatch: async (call, { params }) =>
      toWire(await getBatch(deps, call, params.message_batch_id)),
    cancelStoredBatch: async (call, { params }) =>
      toWire(await cancelBatch(deps, call, params.message_batch_id)),
    abandonStoredBatch: async (call, { params, body }) =>
      toWire(await abandonBatch(deps, call, { id: params.message_batch_id, ...body })),
  };
}

const count = z.int().min(0).catch(0);
/** Counts that a newer upstream leaves out are 0. */
const requestCounts = z
  .object({
    processing: count,
    succeeded: count,
    errored: count,
    canceled: count,
    expired: count,
  })
  .nullable()
  .catch(null);

function toWire(batch: DescribedBatch): z.input<typeof storedBatch> {
  const { names } = batch;
  return {
    id: batch.id,
    type: "message_batch",
    upstream_batch_id: batch.upstream_batch_id,
    status: batch.status,
    workspace_id: batch.workspace_id,
    workspace_name: names.workspaces.get(batch.workspace_id) ?? null,
    api_key_id: batch.api_key_id,
    api_key_name: names.apiKeys.get(batch.api_key_id) ?? null,
    member_id: batch.member_id,
    upstream_id: batch.upstream_id.startsWith(idPrefixes.upstream) ? batch.upstream_id : null,
    failover: batch.failover,
    is_simulated: batch.is_simulated,
    request_count: batch.line_count,
    recorded_requests: batch.metered_lines,
    request_counts: requestCounts.parse(batch.request_counts),
    cost_usd: formatUsd(batch.cost_nano_usd),
    hold_usd: formatUsd(batch.hold_nano_usd),
    held_usd: formatUsd(batch.heldNanoUsd),
    unresolved_usd: formatUsd(batch.unresolvedNanoUsd),
    created_at: batch.created_at.toISOString(),
    ended_at: batch.ended_at?.toISOString() ?? null,
    expires_at: batch.expires_at?.toISOString() ?? null,
  };
}
