import type { Database, Tx } from "#src/db/pool.ts";
import type { MemberStatus } from "#src/people/leaving/members.sql.ts";
import { type DirectoryRow, selectDirectories } from "./directories.sql.ts";

const MAX_SHOWN = 50;
const DELETE_AT_ONCE = 1_000;

/** Directories through which people can sign in, by name. */
export function listEnabledDirectories(db: Database | Tx): Promise<{ id: string; name: string }[]> {
  return db
    .selectFrom("directory")
    .select(["id", "name"])
    .where("is_enabled", "=", true)
    .orderBy("name")
    .orderBy("id")
    .limit(MAX_SHOWN)
    .execute();
}

/** Finds an enabled directory of any organization, or null. In a transaction, its settings stay until the commit. */
export async function findEnabledDirectory(
  db: Database | Tx,
  id: string,
  isForShare = false,
): Promise<DirectoryRow | null> {
  const query = selectDirectories(db).where("id", "=", id).where("is_enabled", "=", true);
  const row = await (isForShare ? query.forShare() : query).executeTakeFirst();
  return row ?? null;
}

export async function insertBegun(
  db: Database | Tx,
  row: { token_hash: Uint8Array; directory_id: string; expires_at: Date },
): Promise<void> {
  await db
    .insertInto("directory_sign_in")
    .values({ ...row, step: "begun" })
    .execute();
}

/** Ends the step of a sign-in. Returns whether it was pending: one of several calls gets true. */
export async function takeBegun(
  db: Database | Tx,
  of: { tokenHash: Uint8Array; directoryId: string; now: Date },
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("directory_sign_in")
    .where("token_hash", "=", of.tokenHash)
    .where("directory_id", "=", of.directoryId)
    .where("step", "=", "begun")
    .where("expires_at", ">", of.now)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** A person whom the provider has identified, and the member behind it. */
export interface ProvedRow {
  directory_id: string;
  member_id: string;
  subject: string;
  provider_session: string | null;
  has_second_factor: boolean;
  authenticated_at: Date | null;
  /** Mapped values of the claims. Null: the directory maps none. */
  claimed_roles: string[] | null;
  claimed_groups: string[] | null;
}

/** Stores what the sign-in of a browser waits for: the member's second factor, or the confirmation of a link. */
export async function insertPending(
  tx: Tx,
  row: ProvedRow & { token_hash: Uint8Array; step: "proved" | "linking"; expires_at: Date },
): Promise<void> {
  await tx.insertInto("directory_sign_in").values(row).execute();
}

/** Member and directory of a link that waits for its confirmation, or null. */
export async function findLinking(
  db: Database | Tx,
  of: { tokenHash: Uint8Array; now: Date },
): Promise<{
  member_id: string;
  organization_id: string;
  email: string;
  directory_name: string;
  directory_id: string;
} | null> {
  const row = await db
    .selectFrom("directory_sign_in as pending")
    .innerJoin("member", "member.id", "pending.member_id")
    .innerJoin("directory", "directory.id", "pending.directory_id")
    .select([
      "member.id as member_id",
      "member.organization_id",
      "member.email",
      "directory.id as directory_id",
      "directory.name as directory_name",
    ])
    .where("pending.token_hash", "=", of.tokenHash)
    .where("pending.step", "=", "linking")
    .where("pending.expires_at", ">", of.now)
    .where("member.status", "=", "active")
    .where("directory.is_enabled", "=", true)
    .executeTakeFirst();
  return row ?? null;
}

export async function saveMailToken(
  tx: Tx,
  of: { tokenHash: Uint8Array; mailTokenHash: Uint8Array },
): Promise<void> {
  await tx
    .updateTable("directory_sign_in")
    .set({ mail_token_hash: of.mailTokenHash })
    .where("token_hash", "=", of.tokenHash)
    .execute();
}

/** Ends the wait for a confirmation, by the member or by the token of the message. Null: there is no such wait. */
export async function takeLinking(
  tx: Tx,
  of: { tokenHash: Uint8Array; now: Date } & ({ memberId: string } | { mailTokenHash: Uint8Array }),
): Promise<ProvedRow | null> {
  let query = tx
    .deleteFrom("directory_sign_in")
    .where("token_hash", "=", of.tokenHash)
    .where("step", "=", "linking")
    .where("expires_at", ">", of.now);
  query =
    "memberId" in of
      ? query.where("member_id", "=", of.memberId)
      : query.where("mail_token_hash", "=", of.mailTokenHash);
  const row = await query
    .returning([
      "directory_id",
      "member_id",
      "subject",
      "provider_session",
      "has_second_factor",
      "authenticated_at",
      "claimed_roles",
      "claimed_groups",
    ])
    .executeTakeFirst();
  if (!row?.member_id || !row.subject) return null;
  const { member_id, subject, has_second_factor } = row;
  return { ...row, member_id, subject, has_second_factor: has_second_factor ?? false };
}

interface ProvedOf {
  tokenHash: Uint8Array;
  memberId: string;
  now: Date;
}

/** Returns the organization of a sign-in that waits for the member's second factor, or null. */
export async function findOrganizationOfProved(tx: Tx, of: ProvedOf): Promise<string | null> {
  const row = await tx
    .selectFrom("directory_sign_in as pending")
    .innerJoin("directory", "directory.id", "pending.directory_id")
    .select("directory.organization_id")
    .where("pending.token_hash", "=", of.tokenHash)
    .where("pending.member_id", "=", of.memberId)
    .where("pending.step", "=", "proved")
    .where("pending.expires_at", ">", of.now)
    .executeTakeFirst();
  return row?.organization_id ?? null;
}

/** Takes the sign-in of the member that waits for a second factor, or null. */
export async function takeProved(
  tx: Tx,
  of: ProvedOf,
): Promise<Omit<ProvedRow, "has_second_factor" | "authenticated_at"> | null> {
  const row = await tx
    .deleteFrom("directory_sign_in")
    .where("token_hash", "=", of.tokenHash)
    .where("member_id", "=", of.memberId)
    .where("step", "=", "proved")
    .where("expires_at", ">", of.now)
    .returning(["directory_id", "subject", "provider_session", "claimed_roles", "claimed_groups"])
    .executeTakeFirst();
  return row?.subject ? { ...row, subject: row.subject, member_id: of.memberId } : null;
}

export async function deleteExpiredSignIns(db: Database | Tx, now: Date): Promise<void> {
  await db
    .deleteFrom("directory_sign_in")
    .where("token_hash", "in", (eb) =>
      eb
        .selectFrom("directory_sign_in")
        .select("token_hash")
        .where("expires_at", "<", now)
        .limit(DELETE_AT_ONCE)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
}

export interface KnownPerson {
  id: string;
  email: string;
  status: MemberStatus;
}

/** Finds the member whom the provider's subject identifies, also one who was removed, or null. */
export async function findPersonBySubject(
  tx: Tx,
  of: { directoryId: string; issuer: string; subject: string },
): Promise<KnownPerson | null> {
  const row = await tx
    .selectFrom("directory_identity")
    .innerJoin("member", "member.id", "directory_identity.member_id")
    .select(["member.id", "member.email", "member.status"])
    .where("directory_identity.directory_id", "=", of.directoryId)
    .where("directory_identity.issuer", "=", of.issuer)
    .where("directory_identity.subject", "=", of.subject)
    .executeTakeFirst();
  return row ?? null;
}

/** Lists the organization's members with the address, also those who were removed. */
export function listPeopleWithEmail(
  tx: Tx,
  of: { organizationId: string; email: string },
): Promise<KnownPerson[]> {
  return tx
    .selectFrom("member")
    .select(["id", "email", "status"])
    .where("organization_id", "=", of.organizationId)
    .where("email", "=", of.email)
    .execute();
}

/** Whether the member is linked to a person of the directory. */
export async function hasIdentity(
  tx: Tx,
  of: { directoryId: string; memberId: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("directory_identity")
    .select("subject")
    .where("directory_id", "=", of.directoryId)
    .where("member_id", "=", of.memberId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertIdentity(
  tx: Tx,
  row: { directory_id: string; issuer: string; subject: string; member_id: string; now: Date },
): Promise<void> {
  const { now, ...identity } = row;
  await tx
    .insertInto("directory_identity")
    .values({ ...identity, external_id: null, created_at: now, last_used_at: now })
    .execute();
}

export async function recordIdentityUse(
  tx: Tx,
  of: { directoryId: string; subject: string; now: Date },
): Promise<void> {
  await tx
    .updateTable("directory_identity")
    .set({ last_used_at: of.now })
    .where("directory_id", "=", of.directoryId)
    .where("subject", "=", of.subject)
    .execute();
}

export interface DirectorySessionRow {
  session_id: string;
  directory_id: string;
  subject: string;
  provider_session: string | null;
  has_second_factor: boolean;
}

export async function insertDirectorySession(tx: Tx, row: DirectorySessionRow): Promise<void> {
  await tx.insertInto("directory_session").values(row).execute();
}

/** Finds the directory that started the session, or null. */
export async function findDirectoryOfSession(
  db: Database | Tx,
  sessionId: string,
): Promise<{ id: string; name: string; is_enabled: boolean } | null> {
  const row = await db
    .selectFrom("directory_session")
    .innerJoin("directory", "directory.id", "directory_session.directory_id")
    .select(["directory.id", "directory.name", "directory.is_enabled"])
    .where("directory_session.session_id", "=", sessionId)
    .executeTakeFirst();
  return row ?? null;
}

/** Whether the organization has another enabled directory. */
export async function hasOtherEnabledDirectory(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("directory")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "<>", of.id)
    .where("is_enabled", "=", true)
    .executeTakeFirst();
  return row !== undefined;
}

/** Moves the facts of a directory's session to the session that replaces it. */
export async function moveDirectorySession(
  tx: Tx,
  of: { fromId: string; toId: string },
): Promise<void> {
  await tx
    .updateTable("directory_session")
    .set({ session_id: of.toId })
    .where("session_id", "=", of.fromId)
    .execute();
}

/** Ends the sessions that the directory has started. Returns their number. */
export async function deleteSessionsOfDirectory(tx: Tx, directoryId: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom("auth_session")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("directory_session")
        .select("session_id")
        .where("directory_id", "=", directoryId),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Whether the member has an authenticator app. */
export async function hasAuthenticatorApp(tx: Tx, memberId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("auth_user")
    .select("two_factor_enabled")
    .where("id", "=", memberId)
    .executeTakeFirst();
  return row?.two_factor_enabled ?? false;
}
