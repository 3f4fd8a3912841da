import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import type { Database, Tx } from "#src/db/pool.ts";

export interface ToldFiring {
  id: string;
  organization_id: string;
  kind: AlertKind;
  scope_type: "organization" | "workspace" | "api_key";
  scope_id: string;
  workspace_id: string | null;
  threshold: string;
  facts: FiringFacts;
  fired_at: Date;
  alert_id: string;
  alert_name: string;
  organization_name: string;
  workspace_name: string | null;
  api_key_name: string | null;
}

export async function findToldFiring(db: Database | Tx, id: string): Promise<ToldFiring | null> {
  return (await findToldFirings(db, [id])).get(id) ?? null;
}

/** Firings with the names of what they are about. */
export async function findToldFirings(
  db: Database | Tx,
  ids: readonly string[],
): Promise<Map<string, ToldFiring>> {
  if (ids.length === 0) return new Map();
  const rows: ToldFiring[] = await db
    .selectFrom("alert_firing as firing")
    .innerJoin("alert", "alert.id", "firing.alert_id")
    .innerJoin("organization", "organization.id", "firing.organization_id")
    .leftJoin("workspace", "workspace.id", "firing.workspace_id")
    .leftJoin("api_key", (join) =>
      join.onRef("api_key.id", "=", "firing.scope_id").on("firing.scope_type", "=", "api_key"),
    )
    .select([
      "firing.id",
      "firing.organization_id",
      "firing.kind",
      "firing.scope_type",
      "firing.scope_id",
      "firing.workspace_id",
      "firing.threshold",
      "firing.facts",
      "firing.fired_at",
      "firing.alert_id",
      "alert.name as alert_name",
      "organization.name as organization_name",
      "workspace.name as workspace_name",
      "api_key.name as api_key_name",
    ])
    .where("firing.id", "in", [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export async function findOrganizationName(db: Database | Tx, id: string): Promise<string> {
  const row = await db
    .selectFrom("organization")
    .select("name")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return row.name;
}
