import type { Database, Tx } from "#src/db/pool.ts";

export interface FoundSession {
  id: string;
  /** Hash of the token. */
  token: string;
  user_id: string;
  started_at: Date;
  last_used_at: Date;
  stepped_up_at: Date | null;
  /** Signature. `findSessionByToken` does not check it. */
  mac: Uint8Array | null;
}

/** Finds a session by the hash of its token, also an expired one, or null. */
export async function findSessionByToken(
  db: Database | Tx,
  tokenHash: string,
): Promise<FoundSession | null> {
  const row = await db
    .selectFrom("auth_session")
    .select(["id", "token", "user_id", "started_at", "last_used_at", "stepped_up_at", "mac"])
    .where("token", "=", tokenHash)
    .executeTakeFirst();
  return row ?? null;
}

/** Records the time of use of a session and its member. */
export async function recordSessionUse(
  db: Database | Tx,
  of: { sessionId: string; memberId: string; nowMs: number },
): Promise<void> {
  const now = new Date(of.nowMs);
  await db
    .updateTable("auth_session")
    .set({ last_used_at: now })
    .where("id", "=", of.sessionId)
    .where("last_used_at", "<", now)
    .execute();
  await db
    .updateTable("member")
    .set({ last_active_at: now })
    .where("id", "=", of.memberId)
    .execute();
}
