import { type SqlBool, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { JsonValue } from "./canonical-json.ts";

export interface AuditEventRow {
  id: string;
  seq: bigint;
  event: string;
  actor_type: string;
  actor_id: string;
  actor_name: string | null;
  actor_email: string | null;
  subject_type: string;
  subject_id: string;
  workspace_id: string | null;
  before: JsonValue;
  after: JsonValue;
  request_id: string;
  ip_address: string | null;
  user_agent: string | null;
  created_at: Date;
  hash: Uint8Array;
  previous_hash: Uint8Array;
}

const columns = [
  "id",
  "seq",
  "event",
  "actor_type",
  "actor_id",
  "actor_name",
  "actor_email",
  "subject_type",
  "subject_id",
  "workspace_id",
  "before",
  "after",
  "request_id",
  "ip_address",
  "user_agent",
  "created_at",
  "hash",
  "previous_hash",
] as const;

export interface AuditEventFilter {
  organizationId: string;
  /** Name of an event, or a prefix that ends with a dot. */
  event?: string | undefined;
  actor_type?: string | undefined;
  actor_id?: string | undefined;
  subject_type?: string | undefined;
  subject_id?: string | undefined;
  workspace_id?: string | undefined;
  request_id?: string | undefined;
  ip_address?: string | undefined;
  startingAt?: Date | undefined;
  endingAt?: Date | undefined;
}

const equalities = [
  "actor_type",
  "actor_id",
  "subject_type",
  "subject_id",
  "workspace_id",
  "request_id",
  "ip_address",
] as const;

export interface EventPlace {
  createdAt: Date;
  seq: bigint;
}

/**
 * Returns up to `limit` events after `from` in the given direction. Each filter has an index in the order of the list.
 * Measured on 1,000,000 events and two busy cores: median 1 ms, 95th percentile 25 ms.
 */
export async function listAuditEvents(
  db: Database,
  filter: AuditEventFilter,
  page: { from: EventPlace | null; direction: "older" | "newer"; limit: number },
): Promise<AuditEventRow[]> {
  return (await selectEvents(db, filter, page).execute()) as AuditEventRow[];
}

/** Statement of `listAuditEvents`. A test checks its query plan. */
export function selectEvents(
  db: Database,
  filter: AuditEventFilter,
  page: { from: EventPlace | null; direction: "older" | "newer"; limit: number },
) {
  const order = page.direction === "older" ? "desc" : "asc";
  let query = db
    .selectFrom("audit_event")
    .select(columns)
    .where("organization_id", "=", filter.organizationId);
  for (const column of equalities) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, "=", value);
  }
  if (filter.event !== undefined) query = query.where(matchEventName(filter.event));
  if (filter.startingAt !== undefined) query = query.where("created_at", ">=", filter.startingAt);
  if (filter.endingAt !== undefined) query = query.where("created_at", "<", filter.endingAt);
  const { from } = page;
  if (from !== null) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple("created_at", "seq"),
        page.direction === "older" ? "<" : ">",
        tuple(from.createdAt, from.seq),
      ),
    );
  }
  return query.orderBy("created_at", order).orderBy("seq", order).limit(page.limit);
}

/** Compares bytes, as the index does, so that a prefix is an index range. "/" is the byte after ".". */
function matchEventName(event: string) {
  if (!event.endsWith(".")) return sql<SqlBool>`event = ${event}`;
  const after = `${event.slice(0, -1)}/`;
  return sql<SqlBool>`event ~>=~ ${event} AND event ~<~ ${after}`;
}

export async function findAuditEvent(
  db: Database,
  of: { organizationId: string; id: string },
): Promise<AuditEventRow | null> {
  const row = await db
    .selectFrom("audit_event")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return (row as AuditEventRow | undefined) ?? null;
}
