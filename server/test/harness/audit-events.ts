import type { Database } from "#src/db/pool.ts";

export interface ShownEvent {
  event: string;
  actor_type: string;
  actor_id: string;
  subject_type: string;
  workspace_id: string | null;
  before: unknown;
  after: unknown;
}

/** Lists the audit events of one subject, oldest first. */
export function auditEventsOf(database: Database, subjectId: string): Promise<ShownEvent[]> {
  return database
    .selectFrom("audit_event")
    .select(["event", "actor_type", "actor_id", "subject_type", "workspace_id", "before", "after"])
    .where("subject_id", "=", subjectId)
    .orderBy("seq")
    .execute();
}

/** Returns a function that lists the organization's later audit events. Oldest first. */
export async function watchEvents(
  database: Database,
  organizationId: string,
): Promise<() => Promise<ShownEvent[]>> {
  const from = await database
    .selectFrom("audit_head")
    .select("seq")
    .where("organization_id", "=", organizationId)
    .executeTakeFirstOrThrow();
  return () =>
    database
      .selectFrom("audit_event")
      .select([
        "event",
        "actor_type",
        "actor_id",
        "subject_type",
        "workspace_id",
        "before",
        "after",
      ])
      .where("organization_id", "=", organizationId)
      .where("seq", ">", from.seq)
      .orderBy("seq")
      .execute();
}
