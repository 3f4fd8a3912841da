import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface InviteRow {
  id: string;
  organization_id: string;
  email: string;
  role: OrganizationRole;
  invited_by_type: string;
  invited_by_id: string;
  created_at: Date;
  expires_at: Date;
  accepted_at: Date | null;
  member_id: string | null;
  revoked_at: Date | null;
  is_open: boolean;
}

const columns = [
  "id",
  "organization_id",
  "email",
  "role",
  "invited_by_type",
  "invited_by_id",
  "created_at",
  "expires_at",
  "accepted_at",
  "member_id",
  "revoked_at",
  "is_open",
] as const;

export type InviteStatus = "pending" | "accepted" | "expired" | "revoked";

export interface InviteFilter {
  organizationId: string;
  statuses: readonly InviteStatus[];
  nowMs: number;
  email?: string | undefined;
  roles?: readonly OrganizationRole[] | undefined;
}

/** Returns one row more than the page holds. */
export async function listInvites(
  db: Database | Tx,
  filter: InviteFilter,
  page: PageRequest,
): Promise<InviteRow[]> {
  let query = db
    .selectFrom("invite")
    .select(columns)
    .where("organization_id", "=", filter.organizationId)
    .where(statusAt(filter.nowMs), "in", filter.statuses);
  if (filter.email !== undefined) query = query.where("email", "=", filter.email);
  if (filter.roles) query = query.where("role", "in", filter.roles);
  return selectPage(query, page).execute();
}

/** SQL twin of `inviteStatusOf`. */
const statusAt = (nowMs: number) => sql<InviteStatus>`
  CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked'
    WHEN expires_at <= ${new Date(nowMs)} THEN 'expired' ELSE 'pending' END`;

interface InviteOf {
  organizationId: string;
  id: string;
}

export async function findInvite(db: Database | Tx, of: InviteOf): Promise<InviteRow | null> {
  const row = await db
    .selectFrom("invite")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

export async function findInviteByToken(
  db: Database | Tx,
  tokenHash: Uint8Array,
): Promise<(InviteRow & { organization_name: string }) | null> {
  const row = await db
    .selectFrom("invite")
    .innerJoin("organization", "organization.id", "invite.organization_id")
    .select(columns.map((column) => `invite.${column}` as const))
    .select("organization.name as organization_name")
    .where("invite.token_hash", "=", tokenHash)
    .executeTakeFirst();
  return row ?? null;
}

/** The organization's open invites for these addresses, including expired ones. */
export async function listOpenInvites(
  tx: Tx,
  of: { organizationId: string; emails: readonly string[] },
): Promise<InviteRow[]> {
  return tx
    .selectFrom("invite")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("email", "in", of.emails)
    .where("is_open", "=", true)
    .execute();
}

/** Returns the addresses of members who were not removed. */
export async function listMemberEmails(
  tx: Tx,
  of: { organizationId: string; emails: readonly string[] },
): Promise<string[]> {
  const rows = await tx
    .selectFrom("member")
    .select("email")
    .where("organization_id", "=", of.organizationId)
    .where("email", "in", of.emails)
    .where("status", "!=", "removed")
    .execute();
  return rows.map(({ email }) => email);
}

export async function insertInvite(
  tx: Tx,
  row: InviteRow & { token_hash: Uint8Array },
): Promise<void> {
  await tx.insertInto("invite").values(row).execute();
}

export async function updateInvite(
  tx: Tx,
  row: InviteRow,
  tokenHash: Uint8Array | null = null,
): Promise<void> {
  await tx
    .updateTable("invite")
    .set({
      expires_at: row.expires_at,
      accepted_at: row.accepted_at,
      member_id: row.member_id,
      revoked_at: row.revoked_at,
      is_open: row.is_open,
      ...(tokenHash && { token_hash: tokenHash }),
    })
    .where("organization_id", "=", row.organization_id)
    .where("id", "=", row.id)
    .execute();
}

export interface InviteWorkspaceRow {
  invite_id: string;
  workspace_id: string;
  workspace_name: string;
  is_archived: boolean;
  role: GivenWorkspaceRole;
}

export async function listInviteWorkspaces(
  db: Database | Tx,
  inviteIds: readonly string[],
): Promise<InviteWorkspaceRow[]> {
  if (inviteIds.length === 0) return [];
  return db
    .selectFrom("invite_workspace")
    .innerJoin("workspace", "workspace.id", "invite_workspace.workspace_id")
    .select([
      "invite_workspace.invite_id",
      "invite_workspace.workspace_id",
      "workspace.name as workspace_name",
      sql<boolean>`workspace.archived_at IS NOT NULL`.as("is_archived"),
      "invite_workspace.role",
    ])
    .where("invite_workspace.invite_id", "in", inviteIds)
    .orderBy("workspace.created_at")
    .orderBy("workspace.id")
    .execute();
}

export async function insertInviteWorkspaces(
  tx: Tx,
  rows: readonly { invite_id: string; workspace_id: string; role: GivenWorkspaceRole }[],
): Promise<void> {
  if (rows.length > 0) await tx.insertInto("invite_workspace").values(rows).execute();
}

export interface InviteGroupRow {
  invite_id: string;
  group_id: string;
  name: string;
  /** Roles that the group gives in workspaces. */
  roles: GivenWorkspaceRole[];
}

/** Lists the groups of the invites that still exist. */
export async function listInviteGroups(
  db: Database | Tx,
  inviteIds: readonly string[],
): Promise<InviteGroupRow[]> {
  if (inviteIds.length === 0) return [];
  return db
    .selectFrom("invite_group")
    .innerJoin("member_group", "member_group.id", "invite_group.group_id")
    .select((eb) => [
      "invite_group.invite_id",
      "invite_group.group_id",
      "member_group.name",
      sql<GivenWorkspaceRole[]>`ARRAY(${eb
        .selectFrom("group_workspace")
        .select("group_workspace.role")
        .whereRef("group_workspace.group_id", "=", "member_group.id")})`.as("roles"),
    ])
    .where("invite_group.invite_id", "in", inviteIds)
    .orderBy("member_group.name")
    .orderBy("member_group.id")
    .execute();
}

export async function insertInviteGroups(
  tx: Tx,
  rows: readonly { invite_id: string; group_id: string }[],
): Promise<void> {
  if (rows.length > 0) await tx.insertInto("invite_group").values(rows).execute();
}

export async function insertMember(
  tx: Tx,
  row: {
    id: string;
    organizationId: string;
    email: string;
    name: string;
    role: OrganizationRole;
    createdAt: Date;
  },
): Promise<void> {
  await tx
    .insertInto("member")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      email: row.email,
      name: row.name,
      role: row.role,
      created_at: row.createdAt,
      last_active_at: row.createdAt,
    })
    .execute();
}

export async function insertAssignedRoles(
  tx: Tx,
  memberId: string,
  given: readonly { workspace_id: string; role: GivenWorkspaceRole }[],
): Promise<void> {
  if (given.length === 0) return;
  await tx
    .insertInto("workspace_member")
    .values(given.map(({ workspace_id, role }) => ({ workspace_id, role, member_id: memberId })))
    .execute();
}

export async function getOrganizationName(db: Database | Tx, id: string): Promise<string> {
  const { name } = await db
    .selectFrom("organization")
    .select("name")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return name;
}
