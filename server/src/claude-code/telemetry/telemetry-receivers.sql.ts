import { lockOrganization } from "#src/access/limited-scope.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Tables } from "#src/db/tables.ts";

export type ReceiverRow = Tables["telemetry_receiver"];

/** Lists the receivers of an organization, newest first. */
export async function listReceivers(
  db: Database | Tx,
  organizationId: string,
): Promise<ReceiverRow[]> {
  return await db
    .selectFrom("telemetry_receiver")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

/** Lists the enabled receivers of all organizations. */
export async function listEnabledReceivers(db: Database): Promise<ReceiverRow[]> {
  return await db
    .selectFrom("telemetry_receiver")
    .selectAll()
    .where("is_enabled", "=", true)
    .orderBy("id")
    .execute();
}

/** Finds a receiver. "for update" locks it until the transaction ends. */
export async function findReceiver(
  db: Database | Tx,
  of: { organizationId: string; id: string },
  lock?: "for update",
): Promise<ReceiverRow | null> {
  let query = db
    .selectFrom("telemetry_receiver")
    .selectAll()
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id);
  if (lock) query = query.forUpdate();
  return (await query.executeTakeFirst()) ?? null;
}

/** Counts the receivers of an organization. No other transaction adds one until this one ends. */
export async function countReceiversForUpdate(tx: Tx, organizationId: string): Promise<number> {
  await lockOrganization(tx, organizationId);
  const row = await tx
    .selectFrom("telemetry_receiver")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("organization_id", "=", organizationId)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export async function insertReceiver(tx: Tx, row: ReceiverRow): Promise<void> {
  await tx.insertInto("telemetry_receiver").values(row).execute();
}

export async function updateReceiver(
  tx: Tx,
  { id, organization_id, created_at: _, ...changed }: ReceiverRow,
): Promise<void> {
  await tx
    .updateTable("telemetry_receiver")
    .set(changed)
    .where("organization_id", "=", organization_id)
    .where("id", "=", id)
    .execute();
}

export async function deleteReceiver(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<void> {
  await tx
    .deleteFrom("telemetry_receiver")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}

/** Results of one node since its last report, at least one. */
export interface ReportedHealth {
  id: string;
  /** Version of the receiver that the results are about. */
  version: number;
  relayedAt: Date | null;
  failedAt: Date | null;
  failure: string | null;
}

/** Saves the results of a node. Has no effect on a receiver that has changed since. */
export async function saveHealth(db: Database, health: ReportedHealth): Promise<void> {
  const { id, version, relayedAt, failedAt, failure } = health;
  await db
    .updateTable("telemetry_receiver")
    .set({
      ...(relayedAt !== null && { last_relayed_at: relayedAt }),
      ...(failedAt !== null && { last_failed_at: failedAt, last_failure: failure }),
    })
    .where("id", "=", id)
    .where("version", "=", version)
    .execute();
}
