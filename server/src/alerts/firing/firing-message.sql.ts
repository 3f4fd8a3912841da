import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { ScopeType } from "#src/db/tables.ts";

export interface NamedFiring {
  id: string;
  organization_id: string;
  kind: AlertKind;
  scope_type: ScopeType;
  scope_name: string | null;
  scope_id: string;
  workspace_id: string | null;
  episode: string;
  threshold: string;
  facts: FiringFacts;
  fired_at: Date;
  alert_id: string;
  alert_name: string;
  organization_name: string;
  workspace_name: string | null;
}

/** Firing in a message to one receiver. */
export interface ReportedFiring {
  id: string;
  /** Whether a message about unused keys lists only those of the key's owner. */
  isToOwner: boolean;
}

/** Key in a digest. */
export interface DigestKey {
  id: string;
  name: string;
  workspace_id: string;
  workspace_name: string;
  last_used_at: string | null;
}

/** Finds firings with the names of their alert and scope, by id. */
export async function findNamedFirings(
  db: Database | Tx,
  ids: readonly string[],
): Promise<Map<string, NamedFiring>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<NamedFiring>`
    SELECT firing.id, firing.organization_id, firing.kind, firing.scope_type, firing.scope_id, firing.workspace_id,
      firing.episode, firing.threshold, firing.facts, firing.fired_at, firing.alert_id, alert.name AS alert_name,
      organization.name AS organization_name, workspace.name AS workspace_name, ${scopeName("firing")} AS scope_name
    FROM alert_firing AS firing
      JOIN alert ON alert.id = firing.alert_id
      JOIN organization ON organization.id = firing.organization_id
      LEFT JOIN workspace ON workspace.id = firing.workspace_id
    WHERE firing.id = ANY(${[...ids]}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Lists up to `limit` keys of these digests, least recently used first, and counts all of them. Each key is listed once. */
export async function listDigestKeys(
  db: Database | Tx,
  reported: readonly ReportedFiring[],
  limit: number,
): Promise<{ keys: DigestKey[]; count: number }> {
  const { rows } = await sql<DigestKey & { count: number }>`
    WITH unused AS (
      SELECT DISTINCT ON (api_key.id) api_key.id, api_key.name, workspace.id AS workspace_id,
        workspace.name AS workspace_name, told.facts ->> 'last_used_at' AS last_used_at
      FROM unnest(${reported.map(({ id }) => id)}::text[], ${reported.map(({ isToOwner }) => isToOwner)}::boolean[])
          AS reported (firing_id, is_to_owner)
        JOIN alert_firing AS firing ON firing.id = reported.firing_id
        CROSS JOIN LATERAL (SELECT coalesce(firing.told_with_id, firing.id) AS id) AS first
        JOIN alert_firing AS told ON told.id = first.id OR told.told_with_id = first.id
        JOIN api_key ON api_key.id = told.scope_id
        JOIN workspace ON workspace.id = api_key.workspace_id
      WHERE NOT reported.is_to_owner
        OR api_key.owner_member_id = (SELECT owner_member_id FROM api_key WHERE api_key.id = firing.scope_id)
      ORDER BY api_key.id, told.fired_at DESC)
    SELECT unused.*, (count(*) OVER ())::integer AS count FROM unused
    ORDER BY last_used_at NULLS FIRST, name, id LIMIT ${limit}`.execute(db);
  return { keys: rows.map(({ count: _, ...key }) => key), count: rows[0]?.count ?? 0 };
}

export async function findOrganizationName(db: Database | Tx, id: string): Promise<string> {
  const { rows } = await sql<{
    name: string;
  }>`SELECT name FROM organization WHERE id = ${id}`.execute(db);
  const [organization] = rows;
  if (organization === undefined) throw new Error(`organization ${id} has no row`);
  return organization.name;
}
