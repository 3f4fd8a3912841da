import { idPrefixes } from "@bursar/contract/ids.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Origin } from "#src/domain/caller.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  deletePrunedEvents,
  findAuditHead,
  findCheckpoint,
  findNewestOldEvent,
  insertCheckpoint,
  listAuditHeads,
  lockAuditHead,
} from "./audit.sql.ts";
import {
  type AddedEvent,
  type AuditDeps,
  appendAfterHead,
  checkHead,
} from "./audited-transaction.ts";
import { signCheckpoint } from "./hash-event.ts";
import { verifyStep } from "./verify-chain.ts";

const DAY_MS = 86_400_000;
/** Events that one statement deletes, in a few hundred milliseconds. */
const BATCH = 5_000;
const MAX_BATCHES = 10_000;

/** Prunes the chain of every organization. Logs a failure and continues with the next chain. */
export async function pruneAuditLog(deps: AuditDeps & { logger: Logger }): Promise<void> {
  for (const { organizationId } of await listAuditHeads(deps.database)) {
    try {
      const deleted = await pruneChain(deps, organizationId);
      if (deleted > 0n) {
        deps.logger.info(
          { organizationId, events: String(deleted) },
          "audit events were deleted by age",
        );
      }
    } catch (error) {
      deps.logger.error({ err: error, organizationId }, "audit events could not be deleted by age");
    }
  }
}

/**
 * Deletes the events that are older than the organization's retention. Returns their number. A signed checkpoint and the
 * event `audit_log.pruned` commit first. Small transactions then delete the events that the checkpoint covers. The next
 * run continues an interrupted one. Safe on several nodes at once. Throws for a broken chain, whose evidence must stay.
 */
export async function pruneChain(deps: AuditDeps, organizationId: string): Promise<bigint> {
  const added = await createCheckpoint(deps, organizationId);
  if (added !== null) deps.onAudited(added);
  let deleted = 0n;
  for (let batches = 0; batches < MAX_BATCHES; batches++) {
    const count = await deletePrunedEvents(deps.database, { organizationId, batch: BATCH });
    deleted += count;
    if (count < BigInt(BATCH)) break;
  }
  return deleted;
}

/** Returns null if no event is older than the retention. */
async function createCheckpoint(
  deps: AuditDeps,
  organizationId: string,
): Promise<AddedEvent | null> {
  const newest = await findPruneTarget(deps, organizationId);
  if (newest === null) return null;
  await requireIntactChain(deps, organizationId, newest.seq);
  await deps.beforeAppend();
  return inTransaction(deps.database, async (tx) => {
    const { now, ...stored } = await lockAuditHead(tx, organizationId);
    const head = checkHead(deps.auditKey, stored);
    const previous = await findCheckpoint(tx, organizationId);
    if (head.retentionDays === null || (previous !== null && previous.seq >= newest.seq))
      return null;
    const checkpoint = {
      organizationId,
      seq: newest.seq,
      hash: newest.hash,
      events: newest.seq - (previous?.seq ?? 0n),
      createdAt: now,
    };
    await insertCheckpoint(tx, { ...checkpoint, mac: signCheckpoint(deps.auditKey, checkpoint) });
    return appendAfterHead(tx, deps, {
      head,
      now,
      organizationId,
      actor: { type: "system", id: "retention" },
      origin: makeSystemOrigin(deps, now),
      entry: {
        event: "audit_log.pruned",
        subject: { type: "organization", id: organizationId },
        workspaceId: null,
        before: {
          events: checkpoint.events.toString(),
          through_seq: newest.seq.toString(),
          through_time: newest.createdAt.toISOString(),
        },
        after: { retention_days: head.retentionDays },
      },
    });
  });
}

async function findPruneTarget(deps: AuditDeps, organizationId: string) {
  const head = await findAuditHead(deps.database, organizationId);
  if (head === null || head.retentionDays === null) return null;
  checkHead(deps.auditKey, head); // the signature also protects the retention against changes in the table
  // Whole days in UTC, so that a day has one checkpoint on any number of nodes.
  const today = Math.floor(deps.nowMs() / DAY_MS);
  const before = new Date((today - head.retentionDays) * DAY_MS);
  const checkpoint = await findCheckpoint(deps.database, organizationId);
  const afterSeq = checkpoint?.seq ?? 0n;
  return findNewestOldEvent(deps.database, { organizationId, before, afterSeq });
}

/** Throws if the chain is broken up to `seq`. A checkpoint must not hide a forged event. */
async function requireIntactChain(
  deps: AuditDeps,
  organizationId: string,
  seq: bigint,
): Promise<void> {
  const request = { organizationId, anchor: null, from: null, maxEvents: Number(seq) };
  const step = await verifyStep(deps, request);
  if (step.kind === "intact" || step.seq > seq) return;
  throw new Error(
    `the audit log of ${organizationId} is broken at event ${step.seq} (${step.reason}): none of its events are deleted`,
  );
}

/** Origin of an event that the server itself causes. */
export function makeSystemOrigin(deps: Pick<AuditDeps, "randomBytes">, now: Date): Origin {
  return {
    requestId: newId(idPrefixes.request, now.getTime(), deps.randomBytes),
    ipAddress: null,
    userAgent: null,
  };
}
