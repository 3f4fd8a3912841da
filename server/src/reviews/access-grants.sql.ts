import type { AccessPath } from "@bursar/contract/access-paths.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Position } from "#src/domain/page-position.ts";
import { ownerState, permissionUnderOwner } from "#src/key-lookup/owner-state.sql.ts";

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
  /** In whole milliseconds. */
  granted_at: Date;
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
  search?: string | undefined;
  /** Limit for access that was granted earlier and not used since. */
  unusedSince?: Date | undefined;
  /** Organization roles that cover every workspace. */
  reachingRoles: readonly OrganizationRole[];
  now: Date;
}

/** Lists up to `limit` grants after `from`, newest first. */
export async function listAccessGrants(
  db: Database | Tx,
  filter: AccessGrantFilter,
  page: { from: Position | null; limit: number },
): Promise<AccessGrantRow[]> {
  const conditions = [...conditionsOf(filter), ...(page.from ? [isAfter(page.from)] : [])];
  const { rows } = await sql<AccessGrantRow>`
    SELECT * FROM (${allGrants(filter)}) AS access
    WHERE ${sql.join([sql<SqlBool>`true`, ...conditions], sql` AND `)}
    ORDER BY granted_at DESC, id DESC
    LIMIT ${page.limit}`.execute(db);
  return rows;
}

function isAfter({ createdAtMs, id }: Position) {
  return sql<SqlBool>`(granted_at, id) < (${new Date(createdAtMs)}, ${id})`;
}

function conditionsOf(filter: AccessGrantFilter): RawBuilder<SqlBool>[] {
  const { paths, workspaceId, onlyInWorkspaces, memberId, search, unusedSince } = filter;
  const conditions = [
    paths && sql<SqlBool>`path = ANY(${[...paths]}::text[])`,
    workspaceId !== undefined &&
      sql<SqlBool>`(workspace_id = ${workspaceId} OR path = 'admin_key'
        OR (path = 'organization_role' AND role = ANY(${[...filter.reachingRoles]}::text[])))`,
    onlyInWorkspaces && sql<SqlBool>`workspace_id = ANY(${[...onlyInWorkspaces]}::text[])`,
    memberId !== undefined && sql<SqlBool>`member_id = ${memberId}`,
    search !== undefined &&
      // strpos instead of LIKE, so that % is literal.
      sql<SqlBool>`strpos(lower(concat_ws(E'\\n', member_name, member_email, workspace_name, group_name, key_name, key_hint)), lower(${search})) > 0`,
    unusedSince &&
      sql<SqlBool>`greatest(granted_at, noted_since) <= ${unusedSince}
        AND (last_used_at IS NULL OR last_used_at <= ${unusedSince})`,
  ];
  return conditions.filter((condition) => condition !== false && condition !== undefined);
}

const grantedAt = (column: RawBuilder<unknown>) => sql`date_trunc('milliseconds', ${column})`;

/** All effective access, without archived workspaces, deactivated members and disabled, expired or stopped keys. */
function allGrants({ organizationId, now }: AccessGrantFilter): RawBuilder<unknown> {
  return sql`
    SELECT 'organization_role:' || member.id AS id, 'organization_role' AS path, member.role AS role,
      member.id AS member_id, member.name AS member_name, member.email AS member_email,
      NULL AS workspace_id, NULL AS workspace_name, NULL AS group_id, NULL AS group_name, NULL AS api_key_id, NULL AS admin_key_id,
      NULL AS key_name, NULL AS key_hint, ${grantedAt(sql`member.created_at`)} AS granted_at,
      NULL::timestamptz AS expires_at, greatest(member.last_active_at, (${lastUseOfKeys(sql`true`)})) AS last_used_at,
      NULL::timestamptz AS noted_since, NULL AS maker_type, NULL AS maker_id
    FROM member
    WHERE member.organization_id = ${organizationId} AND member.status = 'active'
    UNION ALL
    SELECT 'workspace_role:' || workspace.id || ':' || member.id, 'workspace_role', given.role,
      member.id, member.name, member.email, workspace.id, workspace.name, NULL, NULL, NULL, NULL,
      NULL, NULL, ${grantedAt(sql`given.created_at`)}, NULL,
      greatest(member.last_active_at, (${lastUseOfKeys(sql`owned.workspace_id = workspace.id`)})), NULL, NULL, NULL
    FROM workspace_member AS given
    JOIN workspace ON workspace.id = given.workspace_id AND workspace.archived_at IS NULL
    JOIN member ON member.id = given.member_id AND member.status = 'active'
    WHERE workspace.organization_id = ${organizationId}
    UNION ALL
    SELECT 'group_role:' || workspace.id || ':' || member.id || ':' || held.group_id, 'group_role', given.role,
      member.id, member.name, member.email, workspace.id, workspace.name, held.group_id, member_group.name, NULL, NULL,
      NULL, NULL, ${grantedAt(sql`held.created_at`)}, NULL,
      greatest(member.last_active_at, (${lastUseOfKeys(sql`owned.workspace_id = workspace.id`)})), NULL, NULL, NULL
    FROM group_workspace AS given
    JOIN workspace ON workspace.id = given.workspace_id AND workspace.archived_at IS NULL
    JOIN member_group ON member_group.id = given.group_id
    JOIN group_member AS held ON held.group_id = given.group_id
    JOIN member ON member.id = held.member_id AND member.status = 'active'
    WHERE workspace.organization_id = ${organizationId}
    UNION ALL
    SELECT 'api_key:' || api_key.id,
      CASE WHEN api_key.owner_member_id IS NULL THEN 'workspace_key' ELSE 'member_key' END,
      ${permissionUnderOwner}, member.id, member.name, member.email, workspace.id, workspace.name,
      NULL, NULL, api_key.id, NULL,
      api_key.name, current.hint, ${grantedAt(sql`api_key.created_at`)}, api_key.expires_at,
      (SELECT max(secret.last_used_at) FROM api_key_secret AS secret WHERE secret.api_key_id = api_key.id),
      NULL, api_key.created_by_type, api_key.created_by_id
    FROM api_key
    JOIN workspace ON workspace.id = api_key.workspace_id AND workspace.archived_at IS NULL
    JOIN api_key_secret AS current ON current.api_key_id = api_key.id AND current.valid_until IS NULL
    LEFT JOIN member ON member.id = api_key.owner_member_id
    WHERE api_key.organization_id = ${organizationId} AND api_key.status = 'active'
      AND (api_key.expires_at IS NULL OR api_key.expires_at > ${now}) AND api_key.purpose <> 'playground'
      AND coalesce(${ownerState}, 'active') = 'active'
    UNION ALL
    SELECT 'admin_key:' || admin_key.id, 'admin_key', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, admin_key.id,
      admin_key.name, admin_key.partial_key_hint, ${grantedAt(sql`admin_key.created_at`)}, admin_key.expires_at,
      admin_key.last_used_at, admin_key.uses_noted_since, admin_key.created_by_type, admin_key.created_by_id
    FROM admin_key
    WHERE admin_key.organization_id = ${organizationId} AND admin_key.status = 'active'
      AND (admin_key.expires_at IS NULL OR admin_key.expires_at > ${now})`;
}

/** Uses of own keys count, because a member may never open the console. */
function lastUseOfKeys(where: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`SELECT max(secret.last_used_at) FROM api_key AS owned
    JOIN api_key_secret AS secret ON secret.api_key_id = owned.id
    WHERE owned.owner_member_id = member.id AND ${where}`;
}

/** Audit record of an assigned role or a membership. Without workspace and group: the organization role. */
export interface RoleAssignment {
  member_id: string;
  workspace_id: string | null;
  group_id: string | null;
  given_at: Date;
  maker_type: string;
  maker_id: string;
}

/** Returns the known assignments of these members' roles and groups from audit events and invites, newest first. */
export async function listRoleAssignments(
  db: Database | Tx,
  of: { organizationId: string; memberIds: readonly string[] },
): Promise<RoleAssignment[]> {
  if (of.memberIds.length === 0) return [];
  const { rows } = await sql<RoleAssignment>`
    SELECT member_id, workspace_id, group_id, given_at, maker_type, maker_id FROM (
      SELECT subject_id AS member_id, workspace_id, after ->> 'group_id' AS group_id, created_at AS given_at, actor_type AS maker_type, actor_id AS maker_id
      FROM audit_event
      WHERE organization_id = ${of.organizationId} AND subject_id = ANY(${[...of.memberIds]}::text[])
        AND (event IN ('workspace_member.added', 'workspace_member.updated', 'group_member.added')
          OR (event = 'member.updated' AND before ->> 'role' IS DISTINCT FROM after ->> 'role'))
      UNION ALL
      SELECT invite.member_id, invite_workspace.workspace_id, NULL, invite.accepted_at, invite.invited_by_type, invite.invited_by_id
      FROM invite JOIN invite_workspace ON invite_workspace.invite_id = invite.id
      WHERE invite.organization_id = ${of.organizationId} AND invite.member_id = ANY(${[...of.memberIds]}::text[])
      UNION ALL
      SELECT member_id, NULL, NULL, accepted_at, invited_by_type, invited_by_id
      FROM invite
      WHERE organization_id = ${of.organizationId} AND member_id = ANY(${[...of.memberIds]}::text[])
    ) AS givings
    ORDER BY given_at DESC`.execute(db);
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
