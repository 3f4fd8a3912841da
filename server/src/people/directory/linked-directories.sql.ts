import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface LinkRow {
  directory_id: string;
  name: string;
  is_enabled: boolean;
  /** Claims of the directory decide about the role, or state a membership. */
  is_managing: boolean;
  /** Claims of the directory set the role at each sign-in. */
  sets_role: boolean;
  created_at: Date;
  last_used_at: Date;
}

interface LinkOf {
  memberId: string;
  directoryId: string;
}

/** Owners keep their role. */
const setsRole = sql<boolean>`(member.role <> 'owner' AND EXISTS (
  SELECT FROM directory_role WHERE directory_id = directory.id))`;

/** Lists the directories that the member is linked to, by name. */
export function listLinks(
  db: Database | Tx,
  of: { organizationId: string; memberId: string },
): Promise<LinkRow[]> {
  return db
    .selectFrom("directory_identity as link")
    .innerJoin("directory", "directory.id", "link.directory_id")
    .innerJoin("member", "member.id", "link.member_id")
    .select([
      "link.directory_id",
      "directory.name",
      "directory.is_enabled",
      "link.created_at",
      "link.last_used_at",
      setsRole.as("sets_role"),
      sql<boolean>`${setsRole} OR EXISTS (
          SELECT FROM claimed_membership AS claimed
          WHERE claimed.directory_id = directory.id AND claimed.member_id = member.id)`.as(
        "is_managing",
      ),
    ])
    .where("member.organization_id", "=", of.organizationId)
    .where("member.id", "=", of.memberId)
    .orderBy("directory.name")
    .orderBy("directory.id")
    .execute();
}

/** Deletes the link, and ends the sessions that the directory started. Returns the number of sessions. */
export async function deleteLink(tx: Tx, of: LinkOf): Promise<number> {
  await tx
    .deleteFrom("directory_identity")
    .where("directory_id", "=", of.directoryId)
    .where("member_id", "=", of.memberId)
    .execute();
  await tx
    .deleteFrom("directory_sign_in")
    .where("directory_id", "=", of.directoryId)
    .where("member_id", "=", of.memberId)
    .execute();
  const { numDeletedRows } = await tx
    .deleteFrom("auth_session")
    .where("user_id", "=", of.memberId)
    .where("id", "in", (eb) =>
      eb
        .selectFrom("directory_session")
        .select("session_id")
        .where("directory_id", "=", of.directoryId),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Whether the member has a password or a passkey. */
export async function hasOwnSignIn(tx: Tx, memberId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("auth_user")
    .select((eb) => [
      eb
        .or([
          eb.exists(
            eb
              .selectFrom("auth_account")
              .select("auth_account.id")
              .whereRef("auth_account.user_id", "=", "auth_user.id")
              .where("auth_account.password", "is not", null),
          ),
          eb.exists(
            eb
              .selectFrom("auth_passkey")
              .select("auth_passkey.id")
              .whereRef("auth_passkey.user_id", "=", "auth_user.id"),
          ),
        ])
        .as("has"),
    ])
    .where("auth_user.id", "=", memberId)
    .executeTakeFirst();
  return Boolean(row?.has);
}
