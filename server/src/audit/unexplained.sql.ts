import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

// Keys, roles and limits that differ from the log. Each statement reads the newest event that states a field. Changes that only
// take access away can lack an event of their own, such as the end of a member's keys. So a narrower row is explained.

export interface UnexplainedRow {
  type:
    | "api_key"
    | "admin_key"
    | "member"
    | "workspace_member"
    | "group_member"
    | "group_workspace"
    | "spend_limit"
    | "rate_limit";
  id: string;
  workspaceId: string | null;
  /** `unlogged`: no event created it. Otherwise the field that differs. */
  reason: "unlogged" | "status" | "permission" | "role" | "amount";
  /** Value of the newest event. Null: none. */
  logged: string | null;
  stored: string | null;
}

interface Page {
  organizationId: string;
  limit: number;
}

/** Value of a field in the newest event of a subject that has the field, as one row or none. */
const newest = (of: { subject: RawBuilder<string>; field: string; organizationId: string }) => sql`
  SELECT after ->> ${of.field} AS value FROM audit_event
  WHERE organization_id = ${of.organizationId} AND subject_id = ${of.subject} AND after ? ${of.field}
    AND (event LIKE 'api_key.%' OR event LIKE 'admin_key.%' OR event LIKE 'member.%')
  ORDER BY created_at DESC, seq DESC LIMIT 1`;

/** Time after which the log has all events. The retention deletes older ones. */
const completeSince = (organizationId: string) => sql`
  CASE WHEN EXISTS (SELECT FROM audit_checkpoint WHERE organization_id = ${organizationId})
    THEN coalesce((SELECT created_at FROM audit_event WHERE organization_id = ${organizationId}
      ORDER BY seq LIMIT 1), now())
    ELSE '-infinity'::timestamptz END`;

export async function listUnexplainedKeys(
  db: Database | Tx,
  { organizationId, limit }: Page,
): Promise<UnexplainedRow[]> {
  const subject = sql<string>`key.id`;
  const { rows } = await sql<UnexplainedRow>`
    SELECT key.type, key.id, key.workspace_id AS "workspaceId", found.reason, found.logged, found.stored
    FROM (
      SELECT 'api_key' AS type, id, workspace_id, status, permission, created_at FROM api_key
      WHERE organization_id = ${organizationId} AND purpose <> 'playground'
      UNION ALL
      SELECT 'admin_key', id, NULL, status, NULL, created_at FROM admin_key WHERE organization_id = ${organizationId}
    ) AS key
    LEFT JOIN LATERAL (${newest({ subject, field: "status", organizationId })}) AS status ON true
    LEFT JOIN LATERAL (${newest({ subject, field: "permission", organizationId })}) AS permission ON true
    CROSS JOIN LATERAL (VALUES
      ('unlogged', NULL, key.status, status.value IS NULL AND key.created_at > ${completeSince(organizationId)}),
      ('status', status.value, key.status,
        (key.status = 'active' AND status.value <> 'active')
        OR (key.status = 'inactive' AND status.value IN ('archived', 'revoked'))),
      ('permission', permission.value, key.permission, key.permission <> permission.value)
    ) AS found (reason, logged, stored, is_found)
    WHERE found.is_found ORDER BY key.type, key.id LIMIT ${limit}`.execute(db);
  return rows;
}

/** Events that gave a member its first role: the accepted invite, or the set-up of the organization. */
const joined = (organizationId: string) => sql`
  SELECT after ->> 'role' AS value FROM audit_event
  WHERE organization_id = ${organizationId} AND actor_id = member.id AND event = 'invite.accepted'
  UNION ALL
  SELECT 'owner' FROM audit_event
  WHERE organization_id = ${organizationId} AND event = 'organization.set_up' AND after -> 'owner' ->> 'id' = member.id
  LIMIT 1`;

export async function listUnexplainedMembers(
  db: Database | Tx,
  { organizationId, limit }: Page,
): Promise<UnexplainedRow[]> {
  const subject = sql<string>`member.id`;
  const { rows } = await sql<UnexplainedRow>`
    SELECT 'member' AS type, member.id, NULL AS "workspaceId", found.reason, found.logged, found.stored
    FROM member
    LEFT JOIN LATERAL (${joined(organizationId)}) AS joined ON true
    LEFT JOIN LATERAL (${newest({ subject, field: "status", organizationId })}) AS status ON true
    LEFT JOIN LATERAL (${newest({ subject, field: "role", organizationId })}) AS role ON true
    CROSS JOIN LATERAL (VALUES
      ('unlogged', NULL, member.role,
        joined.value IS NULL AND role.value IS NULL AND member.created_at > ${completeSince(organizationId)}),
      ('status', status.value, member.status, member.status = 'active' AND status.value <> 'active'),
      ('role', coalesce(role.value, joined.value), member.role, member.role <> coalesce(role.value, joined.value))
    ) AS found (reason, logged, stored, is_found)
    WHERE member.organization_id = ${organizationId} AND found.is_found ORDER BY member.id LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}

export async function listUnexplainedRoles(
  db: Database | Tx,
  { organizationId, limit }: Page,
): Promise<UnexplainedRow[]> {
  const { rows } = await sql<UnexplainedRow>`
    SELECT 'workspace_member' AS type, given.member_id AS id, given.workspace_id AS "workspaceId",
      CASE WHEN known.logged IS NULL THEN 'unlogged' ELSE 'role' END AS reason, known.logged, given.role AS stored
    FROM workspace_member AS given JOIN member ON member.id = given.member_id
    CROSS JOIN LATERAL (SELECT coalesce(
      (SELECT coalesce(after ->> 'workspace_role', 'none') FROM audit_event
        WHERE organization_id = ${organizationId} AND subject_id = given.member_id
          AND workspace_id = given.workspace_id AND event LIKE 'workspace_member.%'
        ORDER BY created_at DESC, seq DESC LIMIT 1),
      (SELECT invited ->> 'workspace_role' FROM audit_event,
          jsonb_array_elements(after -> 'workspaces') AS invited
        WHERE organization_id = ${organizationId} AND actor_id = given.member_id AND event = 'invite.accepted'
          AND invited ->> 'workspace_id' = given.workspace_id LIMIT 1)) AS logged) AS known
    WHERE member.organization_id = ${organizationId} AND known.logged IS DISTINCT FROM given.role
      AND (known.logged IS NOT NULL OR given.created_at > ${completeSince(organizationId)})
    ORDER BY given.member_id, given.workspace_id LIMIT ${limit}`.execute(db);
  return rows;
}

/** Memberships in groups without an event, or after an event that ended them. */
export async function listUnexplainedMemberships(
  db: Database | Tx,
  { organizationId, limit }: Page,
): Promise<UnexplainedRow[]> {
  const { rows } = await sql<UnexplainedRow>`
    SELECT 'group_member' AS type, held.group_id || ' ' || held.member_id AS id, NULL AS "workspaceId",
      'unlogged' AS reason, newest.event AS logged, held.source AS stored
    FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
    LEFT JOIN LATERAL (SELECT event FROM audit_event
      WHERE organization_id = ${organizationId} AND subject_id = held.member_id
        AND (event IN ('member.deactivated', 'member.removed')
          OR (event LIKE 'group_member.%' AND coalesce(after, before) ->> 'group_id' = held.group_id))
      ORDER BY created_at DESC, seq DESC LIMIT 1) AS newest ON true
    WHERE g.organization_id = ${organizationId} AND newest.event IS DISTINCT FROM 'group_member.added'
      AND (newest.event IS NOT NULL OR held.created_at > ${completeSince(organizationId)})
    ORDER BY id LIMIT ${limit}`.execute(db);
  return rows;
}

/** Roles of groups that differ from their newest event. */
export async function listUnexplainedGroupRoles(
  db: Database | Tx,
  { organizationId, limit }: Page,
): Promise<UnexplainedRow[]> {
  const { rows } = await sql<UnexplainedRow>`
    SELECT 'group_workspace' AS type, given.group_id AS id, given.workspace_id AS "workspaceId",
      CASE WHEN newest.role IS NULL THEN 'unlogged' ELSE 'role' END AS reason, newest.role AS logged, given.role AS stored
    FROM group_workspace AS given JOIN member_group AS g ON g.id = given.group_id
    LEFT JOIN LATERAL (SELECT coalesce(after ->> 'workspace_role', 'none') AS role FROM audit_event
      WHERE organization_id = ${organizationId} AND subject_id = given.group_id
        AND workspace_id = given.workspace_id AND event LIKE 'group_workspace.%'
      ORDER BY created_at DESC, seq DESC LIMIT 1) AS newest ON true
    WHERE g.organization_id = ${organizationId} AND newest.role IS DISTINCT FROM given.role
      AND (newest.role IS NOT NULL OR g.created_at > ${completeSince(organizationId)})
    ORDER BY given.group_id, given.workspace_id LIMIT ${limit}`.execute(db);
  return rows;
}

/** True for own values of a member, and for defaults of its groups. */
const isValueOfMember = sql`value.organization_id = own.organization_id
  AND (value.scope_type = 'member' AND value.scope_id = own.scope_id OR value.scope_type = 'group_member'
    AND value.scope_id IN (SELECT group_id FROM group_member WHERE member_id = own.scope_id))`;

/**
 * Limits that no event set, that an event deleted, or whose amount differs. A limit of a member follows from its own values and
 * the defaults of its groups, so one of these must have its amount.
 */
export async function listUnexplainedLimits(
  db: Database | Tx,
  { organizationId, limit }: Page,
): Promise<UnexplainedRow[]> {
  const { rows } = await sql<UnexplainedRow>`
    SELECT kept.type, kept.id, NULL AS "workspaceId", found.reason, found.logged, kept.amount::text AS stored
    FROM (
      SELECT 'spend_limit' AS type, id, created_at, amount_nano_usd / 1e9 AS amount
      FROM spend_limit WHERE organization_id = ${organizationId} AND scope_type <> 'member'
      UNION ALL
      SELECT 'rate_limit', id, created_at, requests_per_minute
      FROM rate_limit WHERE organization_id = ${organizationId} AND scope_type <> 'member'
    ) AS kept
    LEFT JOIN LATERAL (
      SELECT event, CASE WHEN after ? 'rank' THEN NULL
        ELSE coalesce(after ->> 'limit_usd', after ->> 'requests_per_minute') END AS amount
      FROM audit_event WHERE organization_id = ${organizationId} AND subject_id = kept.id
        AND (event LIKE 'spend_limit.%' OR event LIKE 'rate_limit.%')
      ORDER BY created_at DESC, seq DESC LIMIT 1
    ) AS newest ON true
    CROSS JOIN LATERAL (VALUES
      ('unlogged', newest.event,
        coalesce(newest.event LIKE '%.deleted', kept.created_at > ${completeSince(organizationId)})),
      ('amount', newest.amount, newest.amount::numeric <> kept.amount)
    ) AS found (reason, logged, is_found)
    WHERE found.is_found
    UNION ALL
    SELECT 'spend_limit', id, NULL, 'unlogged', NULL, (amount_nano_usd / 1e9)::text FROM spend_limit AS own
    WHERE organization_id = ${organizationId} AND scope_type = 'member' AND NOT EXISTS (
      SELECT FROM spend_limit_value AS value WHERE value.period = own.period
        AND value.amount_nano_usd = own.amount_nano_usd AND ${isValueOfMember})
    UNION ALL
    SELECT 'rate_limit', id, NULL, 'unlogged', NULL, requests_per_minute::text FROM rate_limit AS own
    WHERE organization_id = ${organizationId} AND scope_type = 'member' AND NOT EXISTS (
      SELECT FROM rate_limit_value AS value WHERE value.model_group = own.model_group
        AND value.requests_per_minute IS NOT DISTINCT FROM own.requests_per_minute AND ${isValueOfMember})
    ORDER BY type, id LIMIT ${limit}`.execute(db);
  return rows;
}
