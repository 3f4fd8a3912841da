import type { OrganizationRole, WorkspaceRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest, Position } from "#src/domain/page-position.ts";
import {
  findMember,
  type MemberOf,
  type MemberRow,
  type MemberStatus,
  memberColumns,
} from "#src/people/leaving/members.sql.ts";

export interface MemberFilter {
  organizationId: string;
  statuses: readonly MemberStatus[];
  roles?: readonly OrganizationRole[] | undefined;
  /** Part of name or address. */
  search?: string | undefined;
  /** Full address, in lower case. */
  email?: string | undefined;
  /** Workspace in which the members have a role, directly or through a group. */
  workspaceId?: string | undefined;
}

/** Returns one row more than the page holds, so that the caller sees if there is another page. */
export async function listMembers(
  db: Database | Tx,
  filter: MemberFilter,
  page: PageRequest,
): Promise<MemberRow[]> {
  let query = db
    .selectFrom("member")
    .select(memberColumns)
    .where("organization_id", "=", filter.organizationId)
    .where("status", "in", filter.statuses);
  if (filter.roles) query = query.where("role", "in", filter.roles);
  if (filter.email !== undefined) query = query.where("email", "=", filter.email);
  if (filter.search !== undefined) {
    const pattern = `%${escapePattern(filter.search)}%`;
    query = query.where((eb) =>
      eb.or([eb("email", "ilike", pattern), eb("name", "ilike", pattern)]),
    );
  }
  if (filter.workspaceId !== undefined) {
    const { workspaceId } = filter;
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom("given_workspace_role as given")
          .select("given.member_id")
          .whereRef("given.member_id", "=", "member.id")
          .where("given.workspace_id", "=", workspaceId),
      ),
    );
  }
  return selectPage(query, page).execute();
}

/** Escapes the wildcards of LIKE. */
function escapePattern(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

/** Role and status of a member who was not removed. */
export async function findMemberPosition(
  db: Database | Tx,
  of: MemberOf,
): Promise<Position | null> {
  const row = await findMember(db, of);
  if (row === null || row.status === "removed") return null;
  return { createdAtMs: row.created_at.getTime(), id: row.id };
}

/** Role of a member in one workspace, in the names of the API. */
export interface RoleInWorkspace {
  workspace_id: string;
  workspace_role: Exclude<WorkspaceRole, "workspace_billing">;
}

export interface RolesOfMember {
  memberId: string;
  count: number;
  /** Oldest workspace first. Null: only counted. */
  roles: RoleInWorkspace[] | null;
}

/**
 * Lists the members with a role in a workspace, or in one of `onlyIds`. The roles of a member are one text, because 35,000 rows of
 * 500 members take three times as long.
 */
export async function listRolesOfMembers(
  db: Database | Tx,
  of: {
    organizationId: string;
    memberIds: readonly string[];
    onlyIds: readonly string[] | null;
    isOnlyCounted: boolean;
  },
): Promise<RolesOfMember[]> {
  if (of.memberIds.length === 0 || of.onlyIds?.length === 0) return [];
  const roles = of.isOnlyCounted
    ? sql`NULL`
    : sql`string_agg(workspace.id || ' ' || given.role, E'\\n' ORDER BY workspace.place)`;
  const isVisible = of.onlyIds === null ? sql`true` : sql`id = ANY(${[...of.onlyIds]}::text[])`;
  const { rows } = await sql<{ memberId: string; count: number; roles: string | null }>`
    SELECT given.member_id COLLATE "C" AS "memberId", count(*)::integer AS count, ${roles} AS roles
    FROM workspace_member AS given
    JOIN (SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM workspace
      WHERE organization_id = ${of.organizationId}::uuid AND ${isVisible}) AS workspace ON workspace.id = given.workspace_id
    WHERE given.member_id = ANY(${[...of.memberIds]}::text[])
    GROUP BY 1`.execute(db);
  return rows.map((row) => ({ ...row, roles: row.roles === null ? null : readRoles(row.roles) }));
}

/** Reads one role of each line. Neither ids nor roles have a space. */
function readRoles(lines: string): RoleInWorkspace[] {
  return lines.split("\n").map((line) => {
    const [workspaceId = "", role] = line.split(" ");
    return { workspace_id: workspaceId, workspace_role: role as RoleInWorkspace["workspace_role"] };
  });
}
