import { idPrefixes } from "@bursar/contract/ids.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Origin } from "#src/domain/caller.ts";
import { newId } from "#src/lib/ids.ts";
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

/**
 * Deletes the events of every organization that are older than it keeps them; gives how many. First a signed checkpoint
 * and the event `audit_log.pruned` commit, then the events that the checkpoint stands for go, in small transactions. A
 * run that ends in between is carried on by the next one. Safe on several nodes at once.
 */
export async function pruneAuditLog(deps: AuditDeps): Promise<bigint> {
  let deleted = 0n;
  for (const { organizationId, retentionDays } of await listAuditHeads(deps.database)) {
    if (retentionDays === null) continue;
    const added = await setCheckpoint(deps, organizationId);
    if (added !== null) deps.onAudited(added);
    for (let batches = 0; batches < MAX_BATCHES; batches++) {
      const gone = await deletePrunedEvents(deps.database, { organizationId, batch: BATCH });
      deleted += gone;
      if (gone < BigInt(BATCH)) break;
    }
  }
  return deleted;
}

/** Null where nothing is too old. Throws for a chain that is not as it was written: its evidence stays. */
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
  // Whole days: however often and on how many nodes this runs, a day has one checkpoint.
  const today = Math.floor(deps.nowMs() / DAY_MS);
  const before = new Date((today - head.retentionDays) * DAY_MS);
  const newest = await findNewestBefore(deps.database, { organizationId, before });
  const checkpoint = await findCheckpoint(deps.database, organizationId);
  const isGone = newest !== null && checkpoint !== null && newest.seq <= checkpoint.seq;
  return isGone ? null : newest;
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
