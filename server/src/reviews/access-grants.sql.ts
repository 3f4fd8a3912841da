import type { AccessPath } from "@bursar/contract/access-paths.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Position } from "#src/domain/page-position.ts";
import { isUnstoppedByOwner, permissionUnderOwner } from "#src/key-lookup/owner-state.sql.ts";
import { type AccessSearch, isFound } from "./access-search.sql.ts";

/** One current path by which a member or key has access to a workspace or to the whole organization. */
export interface AccessGrantRow {
  /** Path and subject. Stable as long as the access lasts. */
  id: string;
  path: AccessPath;
  /** Role, or the key's permission. Empty for an admin key. */
  role: string;
  member_id: string | null;
  member_name: string | null;
  member_email: string | null;
  /** Null: all workspaces that the role covers. */
  workspace_id: string | null;
  workspace_name: string | null;
  /** Group that gives the role. */
  group_id: string | null;
  group_name: string | null;
  api_key_id: string | null;
  admin_key_id: string | null;
  key_name: string | null;
  key_hint: string | null;
  granted_at: Date;
  /** `granted_at`, microseconds since the epoch. A position needs all digits. */
  granted_us: number;
  expires_at: Date | null;
  last_used_at: Date | null;
  /** Start of the usage records of an admin key that is older than them. Null: all uses were recorded. */
  noted_since: Date | null;
  /** Creator of a key. Null for roles. */
  maker_type: string | null;
  maker_id: string | null;
}

export interface AccessGrantFilter {
  organizationId: string;
  paths?: readonly AccessPath[] | undefined;
  /** Workspace that the access covers, also through an organization role. */
  workspaceId?: string | undefined;
  /** Workspaces in which the access was assigned. Excludes access to the whole organization. */
  onlyInWorkspaces?: readonly string[] | undefined;
  memberId?: string | undefined;
  /** Part of a name, address, key hint or workspace name, in any case. */
  search?: AccessSearch | undefined;
  /** Limit for access that was granted earlier and not used since. */
  unusedSince?: Date | undefined;
  /** Organization roles that cover every workspace. */
  reachingRoles: readonly OrganizationRole[];
  now: Date;
}

/**
 * Lists up to `limit` grants after `from`, newest first. Each source starts at an index and stops after `limit` rows.
 * A page so costs the same at the start and at the end of a long list. The last use is read for the rows of the page alone.
 */
export async function listAccessGrants(
  db: Database | Tx,
  filter: AccessGrantFilter,
  page: { from: Position | null; limit: number },
): Promise<AccessGrantRow[]> {
  const conditions = [
    sql<SqlBool>`true`,
    ...conditionsOf(filter),
    ...(page.from ? [isAfter(page.from)] : []),
  ];
  const ordered = sql`ORDER BY granted_at DESC, id DESC LIMIT ${page.limit}`;
  const parts = sourcesOf(filter).map(
    (source) =>
      sql`(SELECT * FROM (${source}) AS access WHERE ${sql.join(conditions, sql` AND `)} ${ordered})`,
  );
  const found = sql`SELECT * FROM (${sql.join(parts, sql` UNION ALL `)}) AS access ${ordered}`;
  const { rows } = await sql<AccessGrantRow>`
    SELECT *, (extract(epoch FROM granted_at) * 1000000)::float8 AS granted_us FROM (${withLastUse(found)}) AS access
    ORDER BY granted_at DESC, id DESC`.execute(db);
  return rows;
}

/** Position of a row. The database stores microseconds, so the id begins with those of the millisecond. */
export function positionOfRow({ granted_us, id }: AccessGrantRow): Position {
  const micros = String(granted_us % 1000).padStart(3, "0");
  return { createdAtMs: Math.floor(granted_us / 1000), id: `${micros} ${id}` };
}

/** The first condition alone can start at an index. */
function isAfter(position: Position) {
  const [, micros = "0", id = position.id] = /^(\d{3}) (.*)$/s.exec(position.id) ?? [];
  const us = position.createdAtMs * 1000 + Number(micros);
  const at = sql`(timestamptz 'epoch' + ${us}::float8 * interval '1 microsecond')`;
  return sql<SqlBool>`granted_at <= ${at} AND (granted_at, id) < (${at}, ${id})`;
}

/** Adds the last use. Uses of own keys count for roles, because a member may never open the console. */
function withLastUse(rows: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    SELECT access.*, greatest(access.active_at, CASE
      WHEN access.api_key_id IS NOT NULL THEN (
        SELECT max(secret.last_used_at) FROM api_key_secret AS secret WHERE secret.api_key_id = access.api_key_id)
      WHEN access.member_id IS NOT NULL THEN (
        SELECT max(secret.last_used_at) FROM api_key AS owned
        JOIN api_key_secret AS secret ON secret.api_key_id = owned.id
        WHERE owned.owner_member_id = access.member_id
          AND (access.workspace_id IS NULL OR owned.workspace_id = access.workspace_id))
      END) AS last_used_at
    FROM (${rows}) AS access`;
}

/** True if `last_used_at` of `withLastUse` is not later. Joins find this faster than the last use of each row. */
function isUnusedSince(since: Date): RawBuilder<SqlBool> {
  return sql`granted_at <= ${since} AND (noted_since IS NULL OR noted_since <= ${since})
    AND (active_at IS NULL OR active_at <= ${since})
    AND NOT EXISTS (SELECT FROM api_key_secret AS secret
      WHERE secret.api_key_id = access.api_key_id AND secret.last_used_at > ${since})
    AND NOT EXISTS (SELECT FROM api_key AS owned JOIN api_key_secret AS secret ON secret.api_key_id = owned.id
      WHERE access.api_key_id IS NULL AND owned.owner_member_id = access.member_id
        AND (access.workspace_id IS NULL OR owned.workspace_id = access.workspace_id) AND secret.last_used_at > ${since})`;
}

function conditionsOf(filter: AccessGrantFilter): RawBuilder<SqlBool>[] {
  const { paths, workspaceId, onlyInWorkspaces, memberId, unusedSince } = filter;
  const conditions = [
    paths && sql<SqlBool>`path = ANY(${[...paths]}::text[])`,
    workspaceId !== undefined &&
      sql<SqlBool>`(workspace_id = ${workspaceId} OR path = 'admin_key'
        OR (path = 'organization_role' AND role = ANY(${[...filter.reachingRoles]}::text[])))`,
    onlyInWorkspaces && sql<SqlBool>`workspace_id = ANY(${[...onlyInWorkspaces]}::text[])`,
    memberId !== undefined && sql<SqlBool>`member_id = ${memberId}`,
    unusedSince && isUnusedSince(unusedSince),
  ];
  return conditions.filter((condition) => condition !== false && condition !== undefined);
}

/**
 * All effective access by its source, without archived workspaces, deactivated members and disabled, expired or stopped
 * keys. `active_at` is the last use as far as the source itself has one.
 */
function sourcesOf({ organizationId, now, search }: AccessGrantFilter): RawBuilder<unknown>[] {
  return [
    sql`
    SELECT 'organization_role:' || member.id AS id, 'organization_role' AS path, member.role AS role,
      member.id AS member_id, member.name AS member_name, member.email AS member_email,
      NULL::text AS workspace_id, NULL::text AS workspace_name, NULL::text AS group_id, NULL::text AS group_name,
      NULL::text AS api_key_id, NULL::text AS admin_key_id, NULL::text AS key_name, NULL::text AS key_hint,
      member.created_at AS granted_at, NULL::timestamptz AS expires_at, member.last_active_at AS active_at,
      NULL::timestamptz AS noted_since, NULL::text AS maker_type, NULL::text AS maker_id
    FROM member
    WHERE member.organization_id = ${organizationId}::uuid AND member.status = 'active'
      AND ${isFound(search, { member: "member.id" })}`,
    sql`
    SELECT 'workspace_role:' || workspace.id || ':' || member.id AS id, 'workspace_role' AS path, given.role AS role,
      member.id AS member_id, member.name AS member_name, member.email AS member_email,
      workspace.id AS workspace_id, workspace.name AS workspace_name, NULL::text AS group_id, NULL::text AS group_name,
      NULL::text AS api_key_id, NULL::text AS admin_key_id, NULL::text AS key_name, NULL::text AS key_hint,
      given.created_at AS granted_at, NULL::timestamptz AS expires_at, member.last_active_at AS active_at,
      NULL::timestamptz AS noted_since, NULL::text AS maker_type, NULL::text AS maker_id
    FROM workspace_member AS given
    JOIN workspace ON workspace.id = given.workspace_id AND workspace.archived_at IS NULL
    JOIN member ON member.id = given.member_id AND member.status = 'active'
    WHERE workspace.organization_id = ${organizationId}::uuid
      AND ${isFound(search, { member: "given.member_id", workspace: "given.workspace_id" })}`,
    sql`
    SELECT 'group_role:' || workspace.id || ':' || member.id || ':' || held.group_id AS id, 'group_role' AS path,
      given.role AS role, member.id AS member_id, member.name AS member_name, member.email AS member_email,
      workspace.id AS workspace_id, workspace.name AS workspace_name, held.group_id AS group_id,
      member_group.name AS group_name, NULL::text AS api_key_id, NULL::text AS admin_key_id, NULL::text AS key_name,
      NULL::text AS key_hint, held.created_at AS granted_at, NULL::timestamptz AS expires_at,
      member.last_active_at AS active_at, NULL::timestamptz AS noted_since, NULL::text AS maker_type, NULL::text AS maker_id
    FROM group_workspace AS given
    JOIN workspace ON workspace.id = given.workspace_id AND workspace.archived_at IS NULL
    JOIN member_group ON member_group.id = given.group_id
    JOIN group_member AS held ON held.group_id = given.group_id
    JOIN member ON member.id = held.member_id AND member.status = 'active'
    WHERE workspace.organization_id = ${organizationId}::uuid
      AND ${isFound(search, { member: "held.member_id", workspace: "given.workspace_id", group: "held.group_id" })}`,
    sql`
    SELECT 'api_key:' || api_key.id AS id,
      CASE WHEN api_key.owner_member_id IS NULL THEN 'workspace_key' ELSE 'member_key' END AS path,
      ${permissionUnderOwner} AS role, member.id AS member_id, member.name AS member_name, member.email AS member_email,
      workspace.id AS workspace_id, workspace.name AS workspace_name, NULL::text AS group_id, NULL::text AS group_name,
      api_key.id AS api_key_id, NULL::text AS admin_key_id, api_key.name AS key_name, current.hint AS key_hint,
      api_key.created_at AS granted_at, api_key.expires_at AS expires_at, NULL::timestamptz AS active_at,
      NULL::timestamptz AS noted_since, api_key.created_by_type AS maker_type, api_key.created_by_id AS maker_id
    FROM api_key
    JOIN workspace ON workspace.id = api_key.workspace_id AND workspace.archived_at IS NULL
    JOIN api_key_secret AS current ON current.api_key_id = api_key.id AND current.valid_until IS NULL
    LEFT JOIN member ON member.id = api_key.owner_member_id
    WHERE api_key.organization_id = ${organizationId}::uuid AND api_key.status = 'active'
      AND (api_key.expires_at IS NULL OR api_key.expires_at > ${now}) AND api_key.purpose <> 'playground'
      AND ${isUnstoppedByOwner}
      AND ${isFound(search, {
        ...{ member: "api_key.owner_member_id", workspace: "api_key.workspace_id" },
        texts: ["api_key.name", "current.hint"],
      })}`,
    sql`
    SELECT 'admin_key:' || admin_key.id AS id, 'admin_key' AS path, '' AS role,
      NULL::text AS member_id, NULL::text AS member_name, NULL::text AS member_email,
      NULL::text AS workspace_id, NULL::text AS workspace_name, NULL::text AS group_id, NULL::text AS group_name,
      NULL::text AS api_key_id, admin_key.id AS admin_key_id, admin_key.name AS key_name,
      admin_key.partial_key_hint AS key_hint, admin_key.created_at AS granted_at, admin_key.expires_at AS expires_at,
      admin_key.last_used_at AS active_at, admin_key.uses_noted_since AS noted_since,
      admin_key.created_by_type AS maker_type, admin_key.created_by_id AS maker_id
    FROM admin_key
    WHERE admin_key.organization_id = ${organizationId}::uuid AND admin_key.status = 'active'
      AND (admin_key.expires_at IS NULL OR admin_key.expires_at > ${now})
      AND ${isFound(search, { texts: ["admin_key.name", "admin_key.partial_key_hint"] })}`,
  ];
}

/** Place of a role: a workspace, a group in any workspace, or without both the organization. */
export interface RolePlace {
  memberId: string;
  workspaceId: string | null;
  groupId: string | null;
}

/** Newest record of an assigned role or a membership. */
export interface RoleAssignment {
  /** Index of its place in the request. */
  place: number;
  given_at: Date;
  maker_type: string;
  maker_id: string;
}

/** Condition of the index audit_event_by_assignment. A member of many workspaces has many events. */
const isAssignment = sql`event IN ('workspace_member.added', 'workspace_member.updated', 'group_member.added')`;

/** Finds the newest known assignment of each place, from audit events and invites. */
export async function listRoleAssignments(
  db: Database | Tx,
  { organizationId, places }: { organizationId: string; places: readonly RolePlace[] },
): Promise<RoleAssignment[]> {
  if (places.length === 0) return [];
  const memberIds = places.map(({ memberId }) => memberId);
  const workspaceIds = places.map(({ workspaceId }) => workspaceId);
  const groupIds = places.map(({ groupId }) => groupId);
  const isOfOrganization = sql`audit_event.organization_id = ${organizationId}::uuid`;
  const found = sql`wanted.place, created_at AS given_at, actor_type AS maker_type, actor_id AS maker_id`;
  const { rows } = await sql<RoleAssignment>`
    WITH wanted AS MATERIALIZED (
      SELECT (number - 1)::integer AS place, member_id, workspace_id, group_id
      FROM unnest(${memberIds}::text[], ${workspaceIds}::text[], ${groupIds}::text[])
        WITH ORDINALITY AS each (member_id, workspace_id, group_id, number)
    )
    SELECT DISTINCT ON (place) place, given_at, maker_type, maker_id FROM (
      SELECT ${found} FROM wanted JOIN audit_event ON ${isOfOrganization} AND subject_id = wanted.member_id
        AND audit_event.workspace_id = wanted.workspace_id AND ${isAssignment}
      WHERE wanted.group_id IS NULL AND event <> 'group_member.added'
      UNION ALL
      SELECT ${found} FROM wanted JOIN audit_event ON ${isOfOrganization} AND subject_id = wanted.member_id
        AND audit_event.workspace_id IS NULL AND ${isAssignment} AND after ->> 'group_id' = wanted.group_id
      WHERE event = 'group_member.added'
      UNION ALL
      SELECT ${found} FROM wanted JOIN audit_event ON ${isOfOrganization} AND subject_id = wanted.member_id
      WHERE wanted.group_id IS NULL AND wanted.workspace_id IS NULL AND event = 'member.updated'
        AND before ->> 'role' IS DISTINCT FROM after ->> 'role'
      UNION ALL
      SELECT wanted.place, invite.accepted_at, invite.invited_by_type, invite.invited_by_id
      FROM wanted JOIN invite ON invite.member_id = wanted.member_id
      JOIN invite_workspace ON invite_workspace.invite_id = invite.id
        AND invite_workspace.workspace_id = wanted.workspace_id
      WHERE invite.organization_id = ${organizationId}::uuid AND wanted.group_id IS NULL
      UNION ALL
      SELECT wanted.place, invite.accepted_at, invite.invited_by_type, invite.invited_by_id
      FROM wanted JOIN invite ON invite.member_id = wanted.member_id
      WHERE invite.organization_id = ${organizationId}::uuid
        AND wanted.group_id IS NULL AND wanted.workspace_id IS NULL
    ) AS givings
    ORDER BY place, given_at DESC`.execute(db);
  return rows;
}

/** Names of members and admin keys of the organization, by id. */
export async function findNames(
  db: Database | Tx,
  of: { organizationId: string; ids: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  if (of.ids.length === 0) return new Map();
  const { rows } = await sql<{ id: string; name: string }>`
    SELECT id, name FROM member WHERE organization_id = ${of.organizationId} AND id = ANY(${[...of.ids]}::text[])
    UNION ALL
    SELECT id, name FROM admin_key WHERE organization_id = ${of.organizationId} AND id = ANY(${[...of.ids]}::text[])
  `.execute(db);
  return new Map(rows.map(({ id, name }) => [id, name]));
}
