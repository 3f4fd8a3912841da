import type { Call } from "#src/access/call.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { findBatchForUpdate } from "./batches.sql.ts";
import { recordAbandonedBatch } from "./meter-batch.ts";
import { type BatchReader, makeBatchReader } from "./read-answer.ts";
import { findShownBatches, type ShownBatch } from "./shown-batches.sql.ts";
import {
  type DescribedBatch,
  getBatch,
  getVisibleBatch,
  type ShownBatchDeps,
} from "./shown-batches.ts";

// Ends a batch whose upstream is gone for good, so that its hold becomes unresolved at once instead of after 29 days.

export interface Abandonment {
  id: string;
  reason: string;
  /** True: the upstream is not asked. */
  force: boolean;
}

/** Time for all questions to an upstream, milliseconds. */
const ASK_MS = 15_000;

/**
 * Abandons a batch. Throws a 404, and a 409 for a batch that was not sent or has ended. Throws a 409 too while its process may wait for
 * an answer, and while its upstream answers for it.
 */
export async function abandonBatch(
  deps: ShownBatchDeps,
  { caller, origin }: Call,
  { id, reason, force }: Abandonment,
): Promise<DescribedBatch> {
  const found = await getVisibleBatch(deps.database, caller, id);
  // A repeated call has a stored answer, so refusals are thrown in its transaction.
  const isReadable = !force && isAtUpstream(found) && (await canRead(deps, caller, found));
  await auditedTransaction(deps, caller, origin, async (tx) => {
    const batch = await findBatchForUpdate(tx, found.id);
    const [before] = await findShownBatches(tx, { ...caller, id: found.id });
    if (batch === null || before === undefined || !isAtUpstream(before)) {
      throw makeNothingLeftError(before ?? found);
    }
    // The answer to its dispatch was found since the upstream was asked.
    const isFound = !force && batch.upstreamBatchId !== found.upstream_batch_id;
    if (isReadable || isFound) throw makeReadableError();
    if (batch.isAwaited) throw makeAwaitedError();
    await recordAbandonedBatch(tx, batch, deps.nowMs());
    const [after = before] = await findShownBatches(tx, { ...caller, id: found.id });
    const audit = {
      event: "message_batch.abandoned" as const,
      subject: { type: "message_batch" as const, id: found.id },
      workspaceId: found.workspace_id,
      before: toAudited(before),
      after: { ...toAudited(after), reason, force },
    };
    return { result: undefined, audit };
  });
  return getBatch(deps, { caller, origin }, found.id);
}

/** True for a batch that its upstream has, or may have, and whose cost is not recorded. */
function isAtUpstream({ status }: ShownBatch): boolean {
  return (
    status === "sent" ||
    status === "in_progress" ||
    status === "canceling" ||
    status === "recording"
  );
}

/** True if the upstream answers for the batch, or the answer to its dispatch can still be found there. */
async function canRead(
  { upstreams, nowMs }: ShownBatchDeps,
  { organizationId }: Caller,
  { upstream_id, upstream_batch_id }: ShownBatch,
): Promise<boolean> {
  const upstream = upstreams.find(organizationId, upstream_id);
  const signal = AbortSignal.timeout(ASK_MS);
  const reader = upstream && makeBatchReader(upstream, { idleTimeoutMs: ASK_MS, signal });
  if (reader === null) return false;
  try {
    if (upstream_batch_id !== null) return await hasResults(reader, upstream_batch_id);
    await reader.listSince(nowMs());
    return true;
  } catch {
    return false;
  }
}

/** True for a batch that the upstream runs, and for an ended one with results. */
async function hasResults(reader: BatchReader, id: string): Promise<boolean> {
  const reported = await reader.get(id);
  if (reported?.isEnded !== true) return reported !== null;
  const results = await reader.results(id);
  results?.destroy();
  return results !== null;
}

function makeReadableError(): ApiError {
  return new ApiError(
    "batch_readable",
    "The upstream answers for this message batch. Cancel it, or wait until its results are recorded. A call with force abandons it all the same.",
  );
}

function makeAwaitedError(): ApiError {
  return new ApiError(
    "batch_in_progress",
    "A server may still wait for the answer to this message batch. Abandon the batch an hour after its creation.",
  );
}

function makeNothingLeftError({ status }: ShownBatch): ApiError {
  const isUnsent = status === "arriving" || status === "held" || status === "refused";
  return new ApiError(
    "batch_not_running",
    isUnsent
      ? "The upstream does not have this message batch, so there is nothing to abandon."
      : "The cost of this message batch is recorded already, so there is nothing to abandon.",
  );
}

function toAudited({ status, upstream_batch_id, line_count, metered_lines }: ShownBatch) {
  const request_count = line_count;
  return { status, upstream_batch_id, request_count, recorded_requests: metered_lines };
}
