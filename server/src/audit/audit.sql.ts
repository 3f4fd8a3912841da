import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { JsonValue } from "./canonical-json.ts";
import type { ChainedEvent } from "./hash-event.ts";

export interface AuditHead {
  seq: bigint;
  hash: Uint8Array;
}

/** The end of the organization's chain, locked until the transaction ends, with the database's time in milliseconds. */
export async function lockAuditHead(
  tx: Tx,
  organizationId: string,
): Promise<AuditHead & { now: Date }> {
  return tx
    .selectFrom("audit_head")
    .select(["seq", "hash", sql<Date>`date_trunc('milliseconds', clock_timestamp())`.as("now")])
    .where("organization_id", "=", organizationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

export async function createAuditHead(
  tx: Tx,
  row: { organizationId: string; hash: Uint8Array },
): Promise<void> {
  await tx
    .insertInto("audit_head")
    .values({ organization_id: row.organizationId, hash: row.hash })
    .execute();
}

export async function moveAuditHead(
  tx: Tx,
  row: { organizationId: string; seq: bigint; hash: Uint8Array },
): Promise<void> {
  await tx
    .updateTable("audit_head")
    .set({ seq: row.seq, hash: row.hash })
    .where("organization_id", "=", row.organizationId)
    .execute();
}

export interface StoredEvent extends ChainedEvent {
  previousHash: Uint8Array;
  hash: Uint8Array;
}

export async function insertAuditEvent(tx: Tx, event: StoredEvent): Promise<void> {
  await tx
    .insertInto("audit_event")
    .values({
      id: event.id,
      organization_id: event.organizationId,
      seq: event.seq,
      event: event.event,
      actor_type: event.actorType,
      actor_id: event.actorId,
      subject_type: event.subjectType,
      subject_id: event.subjectId,
      workspace_id: event.workspaceId,
      before: event.before === null ? null : JSON.stringify(event.before),
      after: event.after === null ? null : JSON.stringify(event.after),
      request_id: event.requestId,
      ip_address: event.ipAddress,
      user_agent: event.userAgent,
      created_at: event.createdAt,
      previous_hash: event.previousHash,
      hash: event.hash,
    })
    .execute();
}

/** Up to `limit` events of the chain after `afterSeq`, in order. */
export async function listChain(
  db: Database | Tx,
  range: { organizationId: string; afterSeq: bigint; limit: number },
): Promise<StoredEvent[]> {
  const rows = await db
    .selectFrom("audit_event")
    .selectAll()
    .where("organization_id", "=", range.organizationId)
    .where("seq", ">", range.afterSeq)
    .orderBy("seq")
    .limit(range.limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    seq: row.seq,
    event: row.event,
    actorType: row.actor_type,
    actorId: row.actor_id,
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    workspaceId: row.workspace_id,
    before: row.before as JsonValue,
    after: row.after as JsonValue,
    requestId: row.request_id,
    ipAddress: row.ip_address,
    userAgent: row.user_agent,
    createdAt: row.created_at,
    previousHash: row.previous_hash,
    hash: row.hash,
  }));
}

/** The end of the chain as the organization's row has it, or null for an unknown organization. */
export async function findAuditHead(
  db: Database | Tx,
  organizationId: string,
): Promise<AuditHead | null> {
  const row = await db
    .selectFrom("audit_head")
    .select(["seq", "hash"])
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row ?? null;
}
