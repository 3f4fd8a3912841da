import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { type MemberRow, memberColumns } from "#src/people/leaving/members.sql.ts";
import type { ScimAttributes } from "./user-identity.rule.ts";

/** A user of a directory, and its member. */
export interface UserRow {
  user_name: string;
  external_id: string | null;
  attributes: ScimAttributes;
  is_creator: boolean;
  is_suspended: boolean;
  /** Start of the user in the directory. */
  provided_at: Date;
  updated_at: Date;
  member: MemberRow;
}

export type UserFilter = { userName: string } | { externalId: string } | { id: string };

function selectUsers(db: Database | Tx, directoryId: string) {
  return db
    .selectFrom("scim_user as provided")
    .innerJoin("member", "member.id", "provided.member_id")
    .where("provided.directory_id", "=", directoryId)
    .where("provided.deleted_at", "is", null)
    .where("member.status", "!=", "removed");
}

function whereMatches(filter: UserFilter) {
  if ("userName" in filter) {
    return sql<SqlBool>`lower(provided.user_name) = lower(${filter.userName})`;
  }
  return "externalId" in filter
    ? sql<SqlBool>`provided.external_id = ${filter.externalId}`
    : sql<SqlBool>`provided.member_id = ${filter.id}`;
}

/** Lists the directory's users, oldest first. */
export async function listUsers(
  db: Database | Tx,
  { directoryId, filter }: { directoryId: string; filter: UserFilter | null },
  page: { offset: number; limit: number },
): Promise<UserRow[]> {
  let query = selectUsers(db, directoryId)
    .select(memberColumns.map((column) => `member.${column}` as const))
    .select([
      "provided.user_name",
      "provided.external_id",
      "provided.attributes",
      "provided.is_creator",
      "provided.is_suspended",
      "provided.created_at as provided_at",
      "provided.updated_at",
    ])
    .orderBy("provided.created_at")
    .orderBy("provided.member_id")
    .offset(page.offset)
    .limit(page.limit);
  if (filter !== null) query = query.where(whereMatches(filter));
  return (await query.execute()).map(fromRow);
}

function fromRow(row: MemberRow & Omit<UserRow, "member">): UserRow {
  const { user_name, external_id, attributes, is_creator, is_suspended, provided_at } = row;
  const { id, email, name, role, status, created_at, last_active_at, removed_at } = row;
  return {
    ...{ user_name, external_id, attributes, is_creator, is_suspended, provided_at },
    updated_at: row.updated_at,
    member: { id, email, name, role, status, created_at, last_active_at, removed_at },
  };
}

export async function countUsers(
  db: Database | Tx,
  { directoryId, filter }: { directoryId: string; filter: UserFilter | null },
): Promise<number> {
  let query = selectUsers(db, directoryId).select(sql<number>`count(*)::integer`.as("count"));
  if (filter !== null) query = query.where(whereMatches(filter));
  return (await query.executeTakeFirstOrThrow()).count;
}

/** Row of a member in a directory, also one that the directory deleted. */
export interface ProvidedRow {
  directory_id: string;
  is_creator: boolean;
  is_suspended: boolean;
  deleted_at: Date | null;
}

/** Lists the directories that provide or have provided the member. */
export function listDirectoriesOf(tx: Tx, memberId: string): Promise<ProvidedRow[]> {
  return tx
    .selectFrom("scim_user")
    .select(["directory_id", "is_creator", "is_suspended", "deleted_at"])
    .where("member_id", "=", memberId)
    .execute();
}

export interface SavedUser {
  directoryId: string;
  memberId: string;
  userName: string;
  externalId: string | null;
  attributes: ScimAttributes;
  isCreator: boolean;
  isSuspended: boolean;
  now: Date;
}

/** Inserts the user, or replaces it. A deleted one returns. */
export async function saveUser(tx: Tx, user: SavedUser): Promise<void> {
  const changed = {
    user_name: user.userName,
    external_id: user.externalId,
    attributes: JSON.stringify(user.attributes),
    is_suspended: user.isSuspended,
    deleted_at: null,
    updated_at: user.now,
  };
  await tx
    .insertInto("scim_user")
    .values({
      ...changed,
      directory_id: user.directoryId,
      member_id: user.memberId,
      is_creator: user.isCreator,
      created_at: user.now,
    })
    .onConflict((conflict) => conflict.columns(["directory_id", "member_id"]).doUpdateSet(changed))
    .execute();
}

export async function markUserDeleted(
  tx: Tx,
  of: { directoryId: string; memberId: string; isSuspended: boolean; now: Date },
): Promise<void> {
  await tx
    .updateTable("scim_user")
    .set({ deleted_at: of.now, updated_at: of.now, is_suspended: of.isSuspended })
    .where("directory_id", "=", of.directoryId)
    .where("member_id", "=", of.memberId)
    .execute();
}

export async function updateMemberIdentity(
  tx: Tx,
  of: { organizationId: string; id: string; email: string; name: string },
): Promise<void> {
  await tx
    .updateTable("member")
    .set({ email: of.email, name: of.name })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}

/** A member who was reactivated here and deactivated again stays so. */
export async function forgetSuspension(tx: Tx, memberId: string): Promise<void> {
  await tx
    .updateTable("scim_user")
    .set({ is_suspended: false })
    .where("member_id", "=", memberId)
    .where("is_suspended", "=", true)
    .execute();
}
