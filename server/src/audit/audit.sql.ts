import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { JsonValue } from "./canonical-json.ts";
import type { AuditHead, ChainedEvent, ChainPlace, Checkpoint } from "./hash-event.ts";

const headColumns = [
  "organization_id as organizationId",
  "seq",
  "hash",
  "keyed_from as keyedFrom",
  "retention_days as retentionDays",
  "mac",
] as const;

/** Locks the end of the organization's chain until the transaction ends. `now`: the database's time, whole milliseconds. */
export async function lockAuditHead(
  tx: Tx,
  organizationId: string,
): Promise<AuditHead & { now: Date }> {
  return tx
    .selectFrom("audit_head")
    .select([...headColumns, sql<Date>`date_trunc('milliseconds', clock_timestamp())`.as("now")])
    .where("organization_id", "=", organizationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

export async function createAuditHead(tx: Tx, head: AuditHead): Promise<void> {
  await tx.insertInto("audit_head").values(toRow(head)).execute();
}

export async function moveAuditHead(tx: Tx, head: AuditHead): Promise<void> {
  await tx
    .updateTable("audit_head")
    .set(toRow(head))
    .where("organization_id", "=", head.organizationId)
    .execute();
}

function toRow(head: AuditHead) {
  return {
    organization_id: head.organizationId,
    seq: head.seq,
    hash: head.hash,
    keyed_from: head.keyedFrom,
    retention_days: head.retentionDays,
    mac: head.mac,
  };
}

/** Returns the stored end of the chain, or null for an unknown organization. */
export async function findAuditHead(
  db: Database | Tx,
  organizationId: string,
): Promise<AuditHead | null> {
  const row = await db
    .selectFrom("audit_head")
    .select(headColumns)
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row ?? null;
}

export function listAuditHeads(db: Database | Tx): Promise<AuditHead[]> {
  return db.selectFrom("audit_head").select(headColumns).orderBy("organization_id").execute();
}

export interface StoredEvent extends ChainedEvent {
  previousHash: Uint8Array;
  hash: Uint8Array;
}

/** Events of one statement, each with 19 parameters of at most 65,535. */
const INSERTED_AT_ONCE = 500;

export async function insertAuditEvents(tx: Tx, events: readonly StoredEvent[]): Promise<void> {
  for (let start = 0; start < events.length; start += INSERTED_AT_ONCE) {
    const part = events.slice(start, start + INSERTED_AT_ONCE);
    await tx.insertInto("audit_event").values(part.map(toInserted)).execute();
  }
}

function toInserted(event: StoredEvent) {
  return {
    id: event.id,
    organization_id: event.organizationId,
    seq: event.seq,
    event: event.event,
    actor_type: event.actorType,
    actor_id: event.actorId,
    actor_name: event.actorName,
    actor_email: event.actorEmail,
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
  };
}

/** Returns up to `limit` events of the chain after `afterSeq`, in order. */
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
    actorName: row.actor_name,
    actorEmail: row.actor_email,
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

/** Returns the newest checkpoint of the chain with its signature, or null if no event was ever deleted. */
export async function findCheckpoint(
  db: Database | Tx,
  organizationId: string,
): Promise<(Checkpoint & { mac: Uint8Array }) | null> {
  const row = await db
    .selectFrom("audit_checkpoint")
    .select([
      "organization_id as organizationId",
      "seq",
      "hash",
      "events",
      "created_at as createdAt",
      "mac",
    ])
    .where("organization_id", "=", organizationId)
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export async function insertCheckpoint(
  tx: Tx,
  checkpoint: Checkpoint & { mac: Uint8Array },
): Promise<void> {
  await tx
    .insertInto("audit_checkpoint")
    .values({
      organization_id: checkpoint.organizationId,
      seq: checkpoint.seq,
      hash: checkpoint.hash,
      events: checkpoint.events,
      created_at: checkpoint.createdAt,
      mac: checkpoint.mac,
    })
    .execute();
}

/**
 * Returns the last event after `afterSeq` up to which all events are older than `before`, or null. So an event with an old
 * time, after the clock was set back, does not delete newer events.
 */
export async function findNewestOldEvent(
  db: Database | Tx,
  of: { organizationId: string; before: Date; afterSeq: bigint },
): Promise<(ChainPlace & { createdAt: Date }) | null> {
  const firstYoung = await db
    .selectFrom("audit_event")
    .select("seq")
    .where("organization_id", "=", of.organizationId)
    .where("seq", ">", of.afterSeq)
    .where("created_at", ">=", of.before)
    .orderBy("seq")
    .limit(1)
    .executeTakeFirst();
  let query = db
    .selectFrom("audit_event")
    .select(["seq", "hash", "created_at as createdAt"])
    .where("organization_id", "=", of.organizationId)
    .where("seq", ">", of.afterSeq);
  if (firstYoung) query = query.where("seq", "<", firstYoung.seq);
  return (await query.orderBy("seq", "desc").limit(1).executeTakeFirst()) ?? null;
}

/** Deletes up to `batch` events that the newest checkpoint covers. Returns their number. */
export async function deletePrunedEvents(
  db: Database | Tx,
  of: { organizationId: string; batch: number },
): Promise<bigint> {
  const { deleted } = await db
    .selectNoFrom(sql<bigint>`audit_prune(${of.organizationId}, ${of.batch})`.as("deleted"))
    .executeTakeFirstOrThrow();
  return deleted;
}

/** Returns the current name and e-mail address of the actor, each null if absent. */
export async function findActorDisplay(
  tx: Tx,
  actor: { organizationId: string; type: string; id: string },
): Promise<{ name: string | null; email: string | null }> {
  const nameless = { name: null, email: null };
  switch (actor.type) {
    case "admin_key":
    case "api_key": {
      const row = await tx
        .selectFrom(actor.type)
        .select("name")
        .where("organization_id", "=", actor.organizationId)
        .where("id", "=", actor.id)
        .executeTakeFirst();
      return row ? { name: row.name, email: null } : nameless;
    }
    case "directory": {
      const row = await tx
        .selectFrom("directory")
        .select("name")
        .where("organization_id", "=", actor.organizationId)
        .where("id", "=", actor.id)
        .executeTakeFirst();
      return row ? { name: row.name, email: null } : nameless;
    }
    case "member": {
      const row = await tx
        .selectFrom("member")
        .select(["name", "email"])
        .where("organization_id", "=", actor.organizationId)
        .where("id", "=", actor.id)
        .executeTakeFirst();
      return row ?? nameless;
    }
    default:
      return nameless;
  }
}
