import type { OrganizationRole, WorkspaceRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest, Position } from "#src/domain/page-position.ts";

export type MemberStatus = "active" | "deactivated" | "removed";

export interface MemberRow {
  id: string;
  email: string;
  name: string;
  role: OrganizationRole;
  status: MemberStatus;
  created_at: Date;
  last_active_at: Date | null;
  removed_at: Date | null;
}

const columns = [
  "id",
  "email",
  "name",
  "role",
  "status",
  "created_at",
  "last_active_at",
  "removed_at",
] as const;

export interface MemberFilter {
  organizationId: string;
  statuses: readonly MemberStatus[];
  roles?: readonly OrganizationRole[] | undefined;
  /** Part of name or address. */
  search?: string | undefined;
  /** The whole address, in lower case. */
  email?: string | undefined;
  /** Members who were given a role there. */
  workspaceId?: string | undefined;
}

/** One row more than the page holds, so that the reader knows whether there is another page. */
export async function listMembers(
  db: Database | Tx,
  filter: MemberFilter,
  page: PageRequest,
): Promise<MemberRow[]> {
  const isOlder = page.direction === "older";
  const order = isOlder ? "desc" : "asc";
  let query = db
    .selectFrom("member")
    .select(columns)
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
        selectFrom("workspace_member")
          .select("workspace_member.member_id")
          .whereRef("workspace_member.member_id", "=", "member.id")
          .where("workspace_member.workspace_id", "=", workspaceId),
      ),
    );
  }
  const { from } = page;
  if (from) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple("created_at", "id"),
        isOlder ? "<" : ">",
        tuple(new Date(from.createdAtMs), from.id),
      ),
    );
  }
  return query
    .orderBy("created_at", order)
    .orderBy("id", order)
    .limit(page.limit + 1)
    .execute();
}

/** What is looked for stands for itself, whatever LIKE would make of it. */
function escapePattern(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

interface MemberOf {
  organizationId: string;
  id: string;
}

export async function findMember(db: Database | Tx, of: MemberOf): Promise<MemberRow | null> {
  const row = await db
    .selectFrom("member")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

/** Of a member who has not been removed. */
export async function findMemberPosition(
  db: Database | Tx,
  of: MemberOf,
): Promise<Position | null> {
  const row = await findMember(db, of);
  if (row === null || row.status === "removed") return null;
  return { createdAtMs: row.created_at.getTime(), id: row.id };
}

export async function updateMember(tx: Tx, of: MemberOf, row: MemberRow): Promise<void> {
  await tx
    .updateTable("member")
    .set({ role: row.role, status: row.status, removed_at: row.removed_at })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}

/** Active owners besides this member. */
export async function countOtherOwners(db: Database | Tx, of: MemberOf): Promise<number> {
  const row = await db
    .selectFrom("member")
    .select(sql<number>`count(*)::integer`.as("count"))
    .where("organization_id", "=", of.organizationId)
    .where("id", "!=", of.id)
    .where("role", "=", "owner")
    .where("status", "=", "active")
    .executeTakeFirstOrThrow();
  return row.count;
}

export interface GivenRole {
  member_id: string;
  workspace_id: string;
  workspace_name: string;
  role: Exclude<WorkspaceRole, "workspace_billing">;
}

/** Roles that the members were given in workspaces: in all of them, or in those of `onlyIds`. */
export async function listGivenRoles(
  db: Database | Tx,
  of: { organizationId: string; memberIds: readonly string[]; onlyIds: readonly string[] | null },
): Promise<GivenRole[]> {
  if (of.memberIds.length === 0 || of.onlyIds?.length === 0) return [];
  let query = db
    .selectFrom("workspace_member")
    .innerJoin("workspace", "workspace.id", "workspace_member.workspace_id")
    .select([
      "workspace_member.member_id",
      "workspace_member.workspace_id",
      "workspace_member.role",
      "workspace.name as workspace_name",
    ])
    .where("workspace.organization_id", "=", of.organizationId)
    .where("workspace_member.member_id", "in", of.memberIds)
    .orderBy("workspace.created_at")
    .orderBy("workspace.id");
  if (of.onlyIds) query = query.where("workspace.id", "in", of.onlyIds);
  return query.execute();
}

export async function deleteGivenRoles(tx: Tx, memberId: string): Promise<void> {
  await tx.deleteFrom("workspace_member").where("member_id", "=", memberId).execute();
}

export interface SentInvite {
  id: string;
  email: string;
}

/** Invites of the person's making that somebody could still accept. */
export async function listPendingInvitesBy(
  db: Database | Tx,
  of: MemberOf & { nowMs: number },
): Promise<SentInvite[]> {
  return db
    .selectFrom("invite")
    .select(["id", "email"])
    .where("organization_id", "=", of.organizationId)
    .where("invited_by_type", "=", "member")
    .where("invited_by_id", "=", of.id)
    .where("is_open", "=", true)
    .where("expires_at", ">", new Date(of.nowMs))
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

export async function revokeInvites(
  tx: Tx,
  invites: { ids: readonly string[]; nowMs: number },
): Promise<void> {
  if (invites.ids.length === 0) return;
  await tx
    .updateTable("invite")
    .set({ revoked_at: new Date(invites.nowMs), is_open: false })
    .where("id", "in", invites.ids)
    .execute();
}
