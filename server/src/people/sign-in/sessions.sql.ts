import type { Database, Tx } from "#src/db/pool.ts";

export interface SessionRow {
  id: string;
  ip_address: string | null;
  user_agent: string | null;
  started_at: Date;
  last_used_at: Date;
}

/** Lists the member's unexpired sessions, last used first. */
export function listLiveSessions(
  db: Database | Tx,
  of: { memberId: string; startedAfter: Date; usedAfter: Date },
): Promise<SessionRow[]> {
  return db
    .selectFrom("auth_session")
    .select(["id", "ip_address", "user_agent", "started_at", "last_used_at"])
    .where("user_id", "=", of.memberId)
    .where("started_at", ">", of.startedAfter)
    .where("last_used_at", ">", of.usedAfter)
    .orderBy("last_used_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

/** Finds the lengths of sessions that the member's organization has set, in hours. Null: the default. */
export async function findSessionHours(
  db: Database | Tx,
  memberId: string,
): Promise<{ sessionHours: number | null; idleHours: number | null }> {
  const row = await db
    .selectFrom("member")
    .innerJoin("security_settings as rules", "rules.organization_id", "member.organization_id")
    .select(["rules.session_hours", "rules.session_idle_hours"])
    .where("member.id", "=", memberId)
    .executeTakeFirst();
  return { sessionHours: row?.session_hours ?? null, idleHours: row?.session_idle_hours ?? null };
}

/** Deletes one session of the member. Returns whether it existed. */
export async function deleteSession(
  tx: Tx,
  of: { memberId: string; sessionId: string },
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom("auth_session")
    .where("user_id", "=", of.memberId)
    .where("id", "=", of.sessionId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function setSteppedUp(
  tx: Tx,
  of: { sessionId: string; at: Date | null },
): Promise<void> {
  await tx
    .updateTable("auth_session")
    .set({ stepped_up_at: of.at })
    .where("id", "=", of.sessionId)
    .execute();
}

/** Copies the start time of the old session, so that the new one does not live longer. */
export async function copySessionStart(
  tx: Tx,
  of: { fromId: string; toId: string },
): Promise<void> {
  await tx
    .updateTable("auth_session as new")
    .from("auth_session as old")
    .set((eb) => ({ started_at: eb.ref("old.started_at") }))
    .where("new.id", "=", of.toId)
    .where("old.id", "=", of.fromId)
    .execute();
}

/** Moves open codes of Claude Code from the member's earlier sessions of a browser to the one that replaces them. */
export async function moveDeviceAuthorizations(
  tx: Tx,
  of: { memberId: string; tokenHashes: readonly string[]; toId: string },
): Promise<void> {
  if (of.tokenHashes.length === 0) return;
  await tx
    .updateTable("device_authorization as code")
    .from("auth_session as earlier")
    .set({ session_id: of.toId })
    .whereRef("code.session_id", "=", "earlier.id")
    .where("code.status", "=", "pending")
    .where("earlier.user_id", "=", of.memberId)
    .where("earlier.token", "in", of.tokenHashes)
    .execute();
}
