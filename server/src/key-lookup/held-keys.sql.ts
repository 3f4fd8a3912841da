import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

// Keys that a restore holds. They were active in the backup and may have been ended since. They stay inactive until a
// person confirms or ends them.

export type HeldKind = "api_key" | "admin_key";

export interface HeldKey {
  id: string;
  kind: HeldKind;
  organizationId: string;
  name: string;
  hint: string;
  workspaceId: string | null;
  workspaceName: string | null;
  ownerEmail: string | null;
  lastUsedAt: Date | null;
}

/** Holds all active keys and returns their number by organization. Keys of playground sessions are excluded. */
export async function holdWorkingKeys(
  tx: Tx,
): Promise<{ organizationId: string; kind: HeldKind; count: number }[]> {
  const { rows } = await sql<{ organizationId: string; kind: HeldKind; count: number }>`
    WITH api AS (
      UPDATE api_key SET status = 'inactive'
      WHERE status = 'active' AND purpose <> 'playground' AND (expires_at IS NULL OR expires_at > now())
      RETURNING id, organization_id
    ), admin AS (
      UPDATE admin_key SET status = 'inactive' WHERE status = 'active' AND (expires_at IS NULL OR expires_at > now())
      RETURNING id, organization_id
    ), held AS (
      INSERT INTO held_key (key_id, kind, organization_id, held_at)
      SELECT id, 'api_key', organization_id, date_trunc('milliseconds', now()) FROM api
      UNION ALL SELECT id, 'admin_key', organization_id, date_trunc('milliseconds', now()) FROM admin
      ON CONFLICT (key_id) DO UPDATE SET held_at = excluded.held_at
      RETURNING kind, organization_id
    )
    SELECT organization_id AS "organizationId", kind, count(*)::integer AS count FROM held GROUP BY 1, 2`.execute(
    tx,
  );
  return rows;
}

/** Lists waiting keys, optionally only `ids`. API keys first, by name. */
export async function listHeldKeys(db: Database | Tx, ids?: readonly string[]): Promise<HeldKey[]> {
  const isAsked = ids === undefined ? sql`true` : sql`held.key_id = ANY(${[...ids]}::text[])`;
  const { rows } = await sql<HeldKey>`
    SELECT held.key_id AS id, held.kind, held.organization_id AS "organizationId",
      coalesce(api.name, admin.name) AS name, coalesce(secret.hint, admin.partial_key_hint, '') AS hint,
      api.workspace_id AS "workspaceId", workspace.name AS "workspaceName", member.email AS "ownerEmail",
      coalesce(secret.last_used_at, admin.last_used_at) AS "lastUsedAt"
    FROM held_key AS held
    LEFT JOIN api_key AS api ON held.kind = 'api_key' AND api.id = held.key_id
    LEFT JOIN LATERAL (SELECT hint, last_used_at FROM api_key_secret
      WHERE api_key_id = api.id ORDER BY id DESC LIMIT 1) AS secret ON true
    LEFT JOIN admin_key AS admin ON held.kind = 'admin_key' AND admin.id = held.key_id
    LEFT JOIN workspace ON workspace.id = api.workspace_id
    LEFT JOIN member ON member.id = api.owner_member_id
    WHERE coalesce(api.status, admin.status) = 'inactive' AND ${isAsked}
    ORDER BY held.kind DESC, name, id`.execute(db);
  return rows;
}

export async function countHeldKeys(db: Database | Tx, organizationId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM held_key AS held
    WHERE organization_id = ${organizationId} AND ${isWaiting}`.execute(db);
  return rows[0]?.count ?? 0;
}

const isWaiting: RawBuilder<boolean> = sql<boolean>`CASE held.kind
  WHEN 'api_key' THEN EXISTS (SELECT FROM api_key WHERE id = held.key_id AND status = 'inactive')
  ELSE EXISTS (SELECT FROM admin_key WHERE id = held.key_id AND status = 'inactive') END`;

/** Activates held keys and returns the ids of those that waited. */
export async function confirmHeldKeys(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH released AS (DELETE FROM held_key WHERE key_id = ANY(${[...ids]}::text[]) RETURNING key_id),
      api AS (UPDATE api_key SET status = 'active' FROM released
        WHERE api_key.id = released.key_id AND status = 'inactive' AND NOT EXISTS (
          SELECT FROM api_key_restriction WHERE api_key_id = released.key_id AND is_disabled) RETURNING api_key.id),
      admin AS (UPDATE admin_key SET status = 'active' FROM released
        WHERE admin_key.id = released.key_id AND status = 'inactive' RETURNING admin_key.id)
    SELECT id FROM api UNION ALL SELECT id FROM admin`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Removes the holds after a person changed the status of the keys. */
export async function deleteHeldKeys(tx: Tx, ids: readonly string[]): Promise<void> {
  await sql`DELETE FROM held_key WHERE key_id = ANY(${[...ids]}::text[])`.execute(tx);
}
