import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";

export async function listWithoutDefaultAlerts(db: Database): Promise<string[]> {
  const rows = await db
    .selectFrom("organization")
    .select("id")
    .where("has_first_alerts", "=", false)
    .orderBy("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** Returns false if another transaction marked the organization before. Waits for a concurrent one. */
export async function markDefaultAlerts(tx: Tx, organizationId: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("organization")
    .set({
      has_first_alerts: true,
      has_overrun_alert: true,
      has_failover_alert: true,
      has_bound_alert: true,
    })
    .where("id", "=", organizationId)
    .where("has_first_alerts", "=", false)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Column that marks organizations which have, or once had, a default alert of a newer version. */
export type AlertMark = "has_overrun_alert" | "has_failover_alert" | "has_bound_alert";

/** Returns no organization while a node of another version is alive. */
export async function listWithoutAlert(
  db: Database,
  { mark, version }: { mark: AlertMark; version: string },
): Promise<string[]> {
  const others = db
    .selectFrom("node")
    .innerJoin("node_contact as contact", "contact.id", "node.id")
    .select("node.id")
    .where("contact.lease_expires_at", "is not", null)
    .where("node.version", "<>", version);
  const rows = await db
    .selectFrom("organization")
    .select("id")
    .where("has_first_alerts", "=", true)
    .where(mark, "=", false)
    .where((eb) => eb.not(eb.exists(others)))
    .orderBy("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** Returns false if another transaction marked the organization before. */
export async function markAlert(
  tx: Tx,
  { organizationId, mark }: { organizationId: string; mark: AlertMark },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("organization")
    .set({ [mark]: true })
    .where("id", "=", organizationId)
    .where(mark, "=", false)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function insertMailChannel(
  tx: Tx,
  row: {
    id: string;
    organizationId: string;
    name: string;
    roles: readonly OrganizationRole[];
    createdAt: Date;
  },
): Promise<void> {
  await tx
    .insertInto("alert_channel")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      name: row.name,
      kind: "email",
      recipients: JSON.stringify({ roles: row.roles, addresses: [] }),
      is_enabled: true,
      failures_in_a_row: 0,
      version: 1,
      created_at: row.createdAt,
      updated_at: row.createdAt,
    })
    .execute();
}
