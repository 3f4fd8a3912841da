import type { BatchRecord, LineKind } from "./object-stores.ts";
import type { MessageBatch } from "./wire-objects.ts";

// The state of a batch follows from its record and the time. Nothing runs between two requests.

const DAY_MS = 86_400_000;
/** Usual time until a batch ends. */
const BATCH_MS = 1_000;
/** Time until the batch of a line with `hang` expires. */
const HUNG_BATCH_MS = 10_000;
/** Time from a cancellation until the batch ends. */
const CANCEL_MS = 500;

export type LineOutcome = "succeeded" | "errored" | "canceled" | "expired";

interface BatchTimes {
  /** Time at which the batch ends, or would end without a cancellation. */
  fullEndMs: number;
  endMs: number;
  expiresMs: number;
}

export function timesOf(batch: BatchRecord): BatchTimes {
  const { createdMs, canceledMs, slowMs } = batch;
  const isHung = batch.lines.some(([kind]) => kind === "hangs");
  const expiresMs = createdMs + (isHung ? HUNG_BATCH_MS : DAY_MS);
  const fullEndMs = Math.min(
    expiresMs,
    isHung ? expiresMs : createdMs + Math.max(BATCH_MS, slowMs),
  );
  const endMs = canceledMs === null ? fullEndMs : Math.min(fullEndMs, canceledMs + CANCEL_MS);
  return { fullEndMs, endMs, expiresMs };
}

/** Outcomes of all lines in order, once the batch has ended. */
export function* listOutcomes(batch: BatchRecord): Generator<LineOutcome, void, undefined> {
  const total = countLines(batch);
  const { fullEndMs } = timesOf(batch);
  const { createdMs, canceledMs } = batch;
  let index = 0;
  for (const [kind, count] of batch.lines) {
    for (let i = 0; i < count; i++) {
      index++;
      const isLast = kind === "hangs" || kind === "expires";
      const doneMs = isLast ? fullEndMs : createdMs + ((fullEndMs - createdMs) * index) / total;
      const isCanceled = canceledMs !== null && canceledMs < doneMs && kind !== "finishes";
      yield isCanceled ? "canceled" : outcomes[kind];
    }
  }
}

const outcomes: Record<LineKind, LineOutcome> = {
  succeeds: "succeeded",
  finishes: "succeeded",
  fails: "errored",
  expires: "expired",
  hangs: "expired",
};

/** Converts a batch to its official form. `resultsUrl` is shown once it has ended. */
export function toWireBatch(batch: BatchRecord, nowMs: number, resultsUrl: string): MessageBatch {
  const { endMs, expiresMs } = timesOf(batch);
  const hasEnded = nowMs >= endMs;
  const counts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
  if (hasEnded) for (const outcome of listOutcomes(batch)) counts[outcome]++;
  else counts.processing = countLines(batch);
  const running = batch.canceledMs === null ? "in_progress" : "canceling";
  return {
    id: batch.id,
    type: "message_batch",
    processing_status: hasEnded ? "ended" : running,
    request_counts: counts,
    created_at: toText(batch.createdMs),
    expires_at: toText(expiresMs),
    ended_at: hasEnded ? toText(endMs) : null,
    cancel_initiated_at: batch.canceledMs === null ? null : toText(batch.canceledMs),
    archived_at: null,
    results_url: hasEnded ? resultsUrl : null,
  };
}

function countLines(batch: BatchRecord): number {
  return batch.lines.reduce((sum, [, count]) => sum + count, 0);
}

function toText(ms: number): string {
  return new Date(ms).toISOString();
}
