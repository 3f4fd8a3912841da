import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
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
  /** How many firings its messages tell of: more than one where they are a digest. */
  told_together: number;
}

/** A key that a digest tells of. */
export interface ToldKey {
  id: string;
  name: string;
  workspace_id: string;
  workspace_name: string;
  last_used_at: string | null;
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
      sql<number>`(1 + (SELECT count(*) FROM alert_firing AS other
        WHERE other.told_with_id = coalesce(firing.told_with_id, firing.id)))::integer`.as(
        "told_together",
      ),
    ])
    .where("firing.id", "in", [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * Keys that a digest about this firing tells of, those that were used last long ago first; `count` of all. Where it goes to
 * the person whose key it is, the keys of that person alone.
 */
export async function listToldKeys(
  db: Database | Tx,
  firingId: string,
  { isToOwner, limit }: { isToOwner: boolean; limit: number },
): Promise<{ keys: ToldKey[]; count: number }> {
  const ofOwner = isToOwner
    ? sql`AND api_key.owner_member_id = (SELECT owner_member_id FROM api_key WHERE api_key.id = firing.scope_id)`
    : sql``;
  const { rows } = await sql<ToldKey & { count: number }>`
    SELECT api_key.id, api_key.name, workspace.id AS workspace_id, workspace.name AS workspace_name,
      told.facts ->> 'last_used_at' AS last_used_at, (count(*) OVER ())::integer AS count
    FROM alert_firing AS firing
      CROSS JOIN LATERAL (SELECT coalesce(firing.told_with_id, firing.id) AS id) AS first
      JOIN alert_firing AS told ON told.id = first.id OR told.told_with_id = first.id
      JOIN api_key ON api_key.id = told.scope_id
      JOIN workspace ON workspace.id = api_key.workspace_id
    WHERE firing.id = ${firingId} ${ofOwner}
    ORDER BY told.facts ->> 'last_used_at' NULLS FIRST, api_key.name, api_key.id
    LIMIT ${limit}`.execute(db);
  return { keys: rows.map(({ count: _, ...key }) => key), count: rows[0]?.count ?? 0 };
}

export async function findOrganizationName(db: Database | Tx, id: string): Promise<string> {
  const row = await db
    .selectFrom("organization")
    .select("name")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return row.name;
}
