import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { JsonValue } from "./canonical-json.ts";

// Events about failovers of the database, in the chains of the log.

export const FAILED_OVER = "database.failed_over";

/** Change that the promoted database lacks. Names and ids only. */
export type LostChange = {
  audit_event_id: string;
  event: string;
  subject_type: string;
  subject_id: string;
  created_at: string;
};

/** `before` of the event. Numbers are texts, because JSON numbers are inexact beyond 2⁵³. */
export type BeforeFailover = {
  /** Number of the last event that the node has seen. */
  events: string;
  system_identifier: string;
  timeline: string;
};

/** `after` of the event. */
export type AfterFailover = {
  /** Number of the last event that the promoted database has from before. */
  events: string;
  lost_events: string;
  /** Changes that the node remembers, up to a maximum number. */
  lost_changes: LostChange[];
  system_identifier: string;
  timeline: string;
  incarnation: string;
};

export interface RecordedFailover {
  auditEventId: string;
  seq: bigint;
  createdAt: Date;
  incarnation: bigint;
  before: BeforeFailover;
  after: AfterFailover;
}

/** Returns the newest recorded failover up to the event `throughSeq`, or null. Its signature is not verified. */
export async function findFailover(
  db: Database | Tx,
  { organizationId, throughSeq }: { organizationId: string; throughSeq: bigint | null },
): Promise<RecordedFailover | null> {
  const [found] = await listFailovers(db, { organizationId, throughSeq, limit: 1 });
  return found ?? null;
}

/** Lists recorded failovers, newest first. Their signatures are not verified. */
export async function listFailovers(
  db: Database | Tx,
  of: { organizationId: string; throughSeq: bigint | null; limit: number },
): Promise<RecordedFailover[]> {
  const { rows } = await sql<Omit<RecordedFailover, "incarnation">>`
    SELECT id AS "auditEventId", seq, created_at AS "createdAt", before, after FROM audit_event
    WHERE organization_id = ${of.organizationId} AND event = ${FAILED_OVER}
      AND (${of.throughSeq}::bigint IS NULL OR seq <= ${of.throughSeq}::bigint)
    ORDER BY seq DESC LIMIT ${of.limit}`.execute(db);
  return rows.flatMap((row) => {
    const incarnation = readIncarnation(row.after);
    return incarnation === null ? [] : [{ ...row, incarnation }];
  });
}

/** Returns the incarnation of a recorded failover. Null: another event. */
export function findIncarnation(event: { event: string; after: JsonValue }): bigint | null {
  return event.event === FAILED_OVER ? readIncarnation(event.after) : null;
}

/** Null: the event is not genuine. */
function readIncarnation(after: unknown): bigint | null {
  const { incarnation } = (after ?? {}) as Partial<AfterFailover>;
  return typeof incarnation === "string" && /^[0-9]{1,19}$/.test(incarnation)
    ? BigInt(incarnation)
    : null;
}
