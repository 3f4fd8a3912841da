import type { Database, Tx } from "#src/db/pool.ts";

/** Status of the member, or null if there is none. */
export async function findMemberStatus(
  db: Database | Tx,
  memberId: string,
): Promise<"active" | "deactivated" | "removed" | null> {
  const row = await db
    .selectFrom("member")
    .select("status")
    .where("id", "=", memberId)
    .executeTakeFirst();
  return row?.status ?? null;
}

export async function insertIdentity(
  tx: Tx,
  row: { memberId: string; email: string; accountId: string; passwordHash: string },
): Promise<void> {
  await insertUser(tx, row);
  await tx
    .insertInto("auth_account")
    .values({
      id: row.accountId,
      user_id: row.memberId,
      provider_id: "credential",
      account_id: row.memberId,
      password: row.passwordHash,
    })
    .execute();
}

/** Inserts the user of better-auth, without a password. */
export async function insertUser(tx: Tx, row: { memberId: string; email: string }): Promise<void> {
  await tx
    .insertInto("auth_user")
    .values({ id: row.memberId, email: row.email, email_verified: true })
    .execute();
}

export async function deleteSessions(
  tx: Tx,
  of: { memberId: string; exceptSessionId: string | null },
): Promise<number> {
  let query = tx.deleteFrom("auth_session").where("user_id", "=", of.memberId);
  if (of.exceptSessionId !== null) query = query.where("id", "<>", of.exceptSessionId);
  const { numDeletedRows } = await query.executeTakeFirst();
  return Number(numDeletedRows);
}

/** Returns the hash of the member's password, or null without one. */
export async function findPasswordHash(db: Database, memberId: string): Promise<string | null> {
  const row = await db
    .selectFrom("auth_account")
    .select("password")
    .where("user_id", "=", memberId)
    .where("provider_id", "=", "credential")
    .executeTakeFirst();
  return row?.password ?? null;
}

/** Deletes the identity. Its passwords, passkeys and sessions are deleted by cascade. */
export async function deleteIdentity(tx: Tx, memberId: string): Promise<void> {
  await tx.deleteFrom("auth_user").where("id", "=", memberId).execute();
}
