import type { Database, Tx } from "#src/db/pool.ts";
import { type DirectoryRow, selectDirectories } from "./directories.sql.ts";

const DELETE_AT_ONCE = 1_000;

/** Finds a directory of any organization, also a disabled one, or null. */
export async function findAnyDirectory(db: Database, id: string): Promise<DirectoryRow | null> {
  const row = await selectDirectories(db).where("id", "=", id).executeTakeFirst();
  return row ?? null;
}

/** Records the id of a logout token. Returns false if it was used before. */
export async function useLogoutToken(
  tx: Tx,
  row: { directory_id: string; token_id_hash: Uint8Array; expires_at: Date },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("directory_logout")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function deleteExpiredLogouts(db: Database, now: Date): Promise<void> {
  await db
    .deleteFrom("directory_logout")
    .where((eb) =>
      eb(
        eb.refTuple("directory_id", "token_id_hash"),
        "in",
        eb
          .selectFrom("directory_logout")
          .select(["directory_id", "token_id_hash"])
          .where("expires_at", "<", now)
          .limit(DELETE_AT_ONCE)
          .forUpdate()
          .skipLocked()
          .$asTuple("directory_id", "token_id_hash"),
      ),
    )
    .execute();
}

export interface LogoutOf {
  directoryId: string;
  subject: string | null;
  providerSession: string | null;
}

/**
 * Ends the sessions of the subject, or those of the provider's session. A session without one counts as every session of
 * its subject. Returns the members with the number of ended sessions.
 */
export async function endProviderSessions(
  tx: Tx,
  { directoryId, subject, providerSession }: LogoutOf,
): Promise<{ memberId: string; sessions: number }[]> {
  const rows = await tx
    .deleteFrom("auth_session")
    .where("id", "in", (eb) => {
      let query = eb
        .selectFrom("directory_session")
        .select("session_id")
        .where("directory_id", "=", directoryId);
      if (subject !== null) query = query.where("subject", "=", subject);
      if (providerSession === null) return query;
      return query.where((or) =>
        or.or([
          or("provider_session", "=", providerSession),
          ...(subject === null ? [] : [or("provider_session", "is", null)]),
        ]),
      );
    })
    .returning("user_id")
    .execute();
  const counts = Map.groupBy(rows, ({ user_id }) => user_id);
  return [...counts]
    .map(([memberId, ended]) => ({ memberId, sessions: ended.length }))
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
}

/** Ends sign-ins that wait for a second factor or a link. */
export async function endPendingSignIns(
  tx: Tx,
  { directoryId, subject, providerSession }: LogoutOf,
): Promise<void> {
  let query = tx
    .deleteFrom("directory_sign_in")
    .where("directory_id", "=", directoryId)
    .where("step", "<>", "begun");
  if (subject !== null) query = query.where("subject", "=", subject);
  if (providerSession !== null) {
    query = query.where((or) =>
      or.or([
        or("provider_session", "=", providerSession),
        ...(subject === null ? [] : [or("provider_session", "is", null)]),
      ]),
    );
  }
  await query.execute();
}
