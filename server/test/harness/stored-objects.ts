import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { ObjectDescription } from "#src/db/object-tables.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { newId } from "#src/lib/ids.ts";
import {
  type BatchState,
  insertBatch,
  markHeld,
  markRunning,
  markSent,
} from "#src/message-batches/batches.sql.ts";
import { WORST_CASES } from "#src/spend/ledger/open-ended-holds.ts";
import { insertObjects } from "#src/upstream-objects/objects.sql.ts";

// Stored objects and message batches as their creations leave them, without an upstream.

export interface Owner {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  atMs: number;
}

/** Stores the row of an object. Returns its id. */
export async function storeObject(
  database: Database,
  owner: Owner,
  object: {
    kind?: StoredObjectKind;
    id?: string;
    upstreamId?: string;
    description?: ObjectDescription | null;
    expiresAt?: Date;
  } = {},
): Promise<string> {
  const { kind = "file", upstreamId = "simulator", expiresAt = null } = object;
  const id = object.id ?? newId(`${kind}_`, owner.atMs);
  const described = { id, filename: "report.pdf", mime_type: "application/pdf", size_bytes: 2_048 };
  await insertObjects(database, [
    {
      ...owner,
      ...{ kind, id, upstreamId, expiresAt, failover: null },
      createdAt: new Date(owner.atMs),
      description: object.description === undefined ? described : object.description,
    },
  ]);
  return id;
}

/** Stores a message batch up to this state. Returns its ids. */
export async function storeBatch(
  database: Database,
  owner: Owner,
  batch: {
    state?: Extract<BatchState, "preparing" | "held" | "sent" | "running">;
    upstreamId?: string;
    memberId?: string;
    status?: "in_progress" | "canceling" | "ended";
  } = {},
): Promise<{ id: string; upstreamBatchId: string }> {
  const { state = "running", upstreamId = "simulator", memberId = null } = batch;
  const { status = "in_progress" } = batch;
  const id = newId("req_", owner.atMs);
  const upstreamBatchId = newId("msgbatch_", owner.atMs);
  const startedAt = new Date(owner.atMs);
  const labels = { groupIds: [], tagIds: [], client: "other", isSimulated: true };
  await insertBatch(database, {
    ...{ ...owner, ...labels, id, memberId, upstreamId, startedAt, nodeId: "node_test" },
  });
  if (state === "preparing") return { id, upstreamBatchId };
  const held = {
    id,
    startedAt,
    lineCount: 3,
    holdNanoUsd: 3_000_000n,
    bodyHash: id,
    openEnded: WORST_CASES,
  };
  await inTransaction(database, (tx) => markHeld(tx, held));
  if (state === "held") return { id, upstreamBatchId };
  await markSent(database, id, { upstreamId, isSimulated: true, failover: null });
  if (state === "sent") return { id, upstreamBatchId };
  const counts = { processing: 2, succeeded: 1, errored: 0, canceled: 0, expired: 0 };
  await markRunning(database, id, {
    upstreamBatchId,
    object: { id: upstreamBatchId, processing_status: status, request_counts: counts },
    expiresAt: new Date(owner.atMs + 86_400_000),
    endedAt: status === "ended" ? startedAt : null,
  });
  return { id, upstreamBatchId };
}
