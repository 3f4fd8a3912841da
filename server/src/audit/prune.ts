import { idPrefixes } from "@bursar/contract/ids.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Origin } from "#src/domain/caller.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  deletePrunedEvents,
  findAuditHead,
  findCheckpoint,
  findNewestBefore,
  insertCheckpoint,
  listAuditHeads,
  lockAuditHead,
} from "./audit.sql.ts";
import { type AddedEvent, type AuditDeps, append, checkHead } from "./audited-transaction.ts";
import { signCheckpoint } from "./hash-event.ts";
import { verifyStep } from "./verify-chain.ts";

const DAY_MS = 86_400_000;
/** Of one statement: a few hundred milliseconds. */
const BATCH = 5_000;
const MAX_BATCHES = 10_000;

/** Prunes the chain of every organization. One that cannot be is logged, and does not keep the others from it. */
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
 * Deletes the events that are older than the organization keeps them; gives how many. First a signed checkpoint and the
 * event `audit_log.pruned` commit, then the events that the checkpoint stands for go, in small transactions. A run that
 * ends in between is carried on by the next one. Safe on several nodes at once. Throws for a chain that is not as it was
 * written: its evidence stays.
 */
export async function pruneChain(deps: AuditDeps, organizationId: string): Promise<bigint> {
  const added = await setCheckpoint(deps, organizationId);
  if (added !== null) deps.onAudited(added);
  let deleted = 0n;
  for (let batches = 0; batches < MAX_BATCHES; batches++) {
    const gone = await deletePrunedEvents(deps.database, { organizationId, batch: BATCH });
    deleted += gone;
    if (gone < BigInt(BATCH)) break;
  }
  return deleted;
}

/** Null where nothing is too old. */
async function setCheckpoint(deps: AuditDeps, organizationId: string): Promise<AddedEvent | null> {
  const newest = await findNewestToGo(deps, organizationId);
  if (newest === null) return null;
  await checkBefore(deps, organizationId, newest.seq);
  return inTransaction(deps.database, async (tx) => {
    const { now, ...head } = await lockAuditHead(tx, organizationId);
    checkHead(deps.auditKey, head);
    const kept = await findCheckpoint(tx, organizationId);
    if (head.retentionDays === null || (kept !== null && kept.seq >= newest.seq)) return null;
    const checkpoint = {
      organizationId,
      seq: newest.seq,
      hash: newest.hash,
      events: newest.seq - (kept?.seq ?? 0n),
      createdAt: now,
    };
    await insertCheckpoint(tx, { ...checkpoint, mac: signCheckpoint(deps.auditKey, checkpoint) });
    return append(tx, deps, {
      head,
      now,
      organizationId,
      actor: { type: "system", id: "retention" },
      origin: ownOrigin(deps, now),
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

async function findNewestToGo(deps: AuditDeps, organizationId: string) {
  const head = await findAuditHead(deps.database, organizationId);
  if (head === null || head.retentionDays === null) return null;
  checkHead(deps.auditKey, head); // the retention is signed too: nobody shortens it in the table
  // Whole days in UTC: however often and on how many nodes this runs, a day has one checkpoint.
  const today = Math.floor(deps.nowMs() / DAY_MS);
  const before = new Date((today - head.retentionDays) * DAY_MS);
  const checkpoint = await findCheckpoint(deps.database, organizationId);
  const afterSeq = checkpoint?.seq ?? 0n;
  return findNewestBefore(deps.database, { organizationId, before, afterSeq });
}

/** What a checkpoint stands for was right when it went: a forged event must not be signed away. */
async function checkBefore(deps: AuditDeps, organizationId: string, seq: bigint): Promise<void> {
  const request = { organizationId, anchor: null, from: null, maxEvents: Number(seq) };
  const step = await verifyStep(deps, request);
  if (step.kind === "intact" || step.seq > seq) return;
  throw new Error(
    `the audit log of ${organizationId} is broken at event ${step.seq} (${step.reason}): nothing of it is deleted`,
  );
}

/** Of what the server does by itself. */
export function ownOrigin(deps: Pick<AuditDeps, "randomBytes">, now: Date): Origin {
  return {
    requestId: newId(idPrefixes.request, now.getTime(), deps.randomBytes),
    ipAddress: null,
    userAgent: null,
  };
}
