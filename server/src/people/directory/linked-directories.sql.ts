import type { OrganizationRole } from "@bursar/contract/permissions.ts";
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

/** SQL of whether a person has a password or a passkey. */
const ownSignInOf = (id: "auth_user.id" | "member.id") => sql<boolean>`(
  EXISTS (SELECT FROM auth_account WHERE user_id = ${sql.ref(id)} AND password IS NOT NULL)
  OR EXISTS (SELECT FROM auth_passkey WHERE user_id = ${sql.ref(id)}))`;

/** Active members whom a directory identifies, with equal facts. */
export interface LinkedPeople {
  /** Part of their addresses after the @. */
  domain: string;
  role: OrganizationRole;
  hasOwnSignIn: boolean;
  /** Another enabled directory identifies them too. */
  hasOtherDirectory: boolean;
  members: number;
}

export function countLinkedPeople(db: Database | Tx, directoryId: string): Promise<LinkedPeople[]> {
  return db
    .selectFrom("directory_identity as link")
    .innerJoin("member", "member.id", "link.member_id")
    .select([
      sql<string>`substring(member.email FROM '[^@]*$')`.as("domain"),
      "member.role",
      ownSignInOf("member.id").as("hasOwnSignIn"),
      sql<boolean>`EXISTS (SELECT FROM directory_identity AS other
        JOIN directory ON directory.id = other.directory_id AND directory.is_enabled
        WHERE other.member_id = member.id AND other.directory_id <> link.directory_id)`.as(
        "hasOtherDirectory",
      ),
      sql<number>`count(*)::integer`.as("members"),
    ])
    .where("link.directory_id", "=", directoryId)
    .where("member.status", "=", "active")
    .groupBy(sql`1, 2, 3, 4`)
    .execute();
}

/** Number of sessions that the directory has started and that last. */
export async function countSessions(
  db: Database | Tx,
  of: { directoryId: string; now: Date },
): Promise<number> {
  const { count } = await db
    .selectFrom("directory_session as started")
    .innerJoin("auth_session as session", "session.id", "started.session_id")
    .select(sql<number>`count(*)::integer`.as("count"))
    .where("started.directory_id", "=", of.directoryId)
    .where("session.expires_at", ">", of.now)
    .executeTakeFirstOrThrow();
  return count;
}

/** Whether the member has a password or a passkey. */
export async function hasOwnSignIn(tx: Tx, memberId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("auth_user")
    .select(ownSignInOf("auth_user.id").as("has"))
    .where("auth_user.id", "=", memberId)
    .executeTakeFirst();
  return Boolean(row?.has);
}
