import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface DeliveryRow {
  id: string;
  alert_firing_id: string | null;
  alert_channel_id: string | null;
  status: "queued" | "sent" | "failed" | "dropped";
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  last_attempt_at: Date | null;
  created_at: Date;
  sent_at: Date | null;
}

const columns = [
  "id",
  "alert_firing_id",
  "alert_channel_id",
  "status",
  "attempts",
  "last_status",
  "last_error",
  "last_attempt_at",
  "created_at",
  "sent_at",
] as const;

/** Returns one row more than the page holds. */
export function listDeliveries(
  db: Database,
  filter: {
    organizationId: string;
    channelId: string;
    statuses: readonly DeliveryRow["status"][] | null;
  },
  page: PageRequest,
): Promise<DeliveryRow[]> {
  let query = db
    .selectFrom("alert_delivery")
    .select(columns)
    .where("organization_id", "=", filter.organizationId)
    .where("alert_channel_id", "=", filter.channelId);
  if (filter.statuses) query = query.where("status", "in", filter.statuses);
  return selectPage(query, page).execute();
}

/** With "for update" the row is locked until the transaction ends. */
export async function findDelivery(
  db: Database | Tx,
  of: { organizationId: string; id: string },
  lock?: "for update",
): Promise<DeliveryRow | null> {
  let query = db
    .selectFrom("alert_delivery")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id);
  if (lock) query = query.forUpdate();
  return (await query.executeTakeFirst()) ?? null;
}

/** Inserts a test message. Returns its creation time. */
export async function insertTest(
  tx: Tx,
  test: { id: string; organizationId: string; channelId: string },
): Promise<Date> {
  const row = await tx
    .insertInto("alert_delivery")
    .values({
      id: test.id,
      organization_id: test.organizationId,
      alert_channel_id: test.channelId,
      status: "queued",
      attempts: 1,
      last_attempt_at: sql<Date>`date_trunc('milliseconds', now())`,
      created_at: sql<Date>`date_trunc('milliseconds', now())`,
    })
    .returning("created_at")
    .executeTakeFirstOrThrow();
  return row.created_at;
}

/** Queues the message again with all attempts. A person who got its firings in another mail gets this mail too. */
export async function requeueDelivery(tx: Tx, id: string): Promise<void> {
  await tx
    .updateTable("alert_delivery")
    .set({
      status: "queued",
      attempts: 0,
      sent_at: null,
      last_error: null,
      last_status: null,
      resolved_at: null,
      batch_id: null,
    })
    .where("id", "=", id)
    .execute();
}
