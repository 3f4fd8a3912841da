import type { OrganizationRole } from "@bursar/contract/permissions.ts";
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
