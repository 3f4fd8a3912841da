import type { Database, Tx } from "#src/db/pool.ts";

export interface PersonRow {
  id: string;
  organization_id: string;
  email: string;
  name: string;
  role: string;
  status: "active" | "deactivated" | "removed";
}

const columns = ["id", "organization_id", "email", "name", "role", "status"] as const;

export async function findPerson(db: Database | Tx, memberId: string): Promise<PersonRow | null> {
  const row = await db
    .selectFrom("member")
    .select(columns)
    .where("id", "=", memberId)
    .executeTakeFirst();
  return row ?? null;
}

/** Whoever has the address, active or not. */
export async function findPersonByEmail(
  db: Database | Tx,
  email: string,
): Promise<PersonRow | null> {
  const row = await db
    .selectFrom("member")
    .select(columns)
    .where("email", "=", email)
    .where("status", "<>", "removed")
    .executeTakeFirst();
  return row ?? null;
}

/** The person, locked until the transaction ends: its ways to sign in change one after the other. */
export async function lockPerson(tx: Tx, memberId: string): Promise<void> {
  await tx.selectFrom("auth_user").select("id").where("id", "=", memberId).forUpdate().execute();
}

/** Sign-ins that wait for a second factor, and links to set a password: all of them stop. */
export async function deletePendingSteps(tx: Tx, memberId: string): Promise<void> {
  await tx.deleteFrom("auth_verification").where("value", "=", memberId).execute();
}

/** Ends the member's oldest sessions, so that `keep` are left. */
export async function endOldestSessions(
  tx: Tx,
  of: { memberId: string; keep: number },
): Promise<void> {
  await tx
    .deleteFrom("auth_session")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("auth_session")
        .select("id")
        .where("user_id", "=", of.memberId)
        .orderBy("last_used_at", "desc")
        .orderBy("id", "desc")
        .offset(of.keep),
    )
    .execute();
}

/** Forgets a bounded number of things whose time is over. */
export async function deleteExpired(
  db: Database | Tx,
  before: { now: Date; startedAt: Date; lastUsedAt: Date },
): Promise<void> {
  await db
    .deleteFrom("auth_session")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("auth_session")
        .select("id")
        .where((or) =>
          or.or([
            or("last_used_at", "<", before.lastUsedAt),
            or("started_at", "<", before.startedAt),
          ]),
        )
        .limit(DELETE_AT_ONCE)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
  await db
    .deleteFrom("auth_verification")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("auth_verification")
        .select("id")
        .where("expires_at", "<", before.now)
        .limit(DELETE_AT_ONCE)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
}

const DELETE_AT_ONCE = 1_000;

export async function countSessions(tx: Tx, memberId: string): Promise<number> {
  const { count } = await tx
    .selectFrom("auth_session")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("user_id", "=", memberId)
    .executeTakeFirstOrThrow();
  return Number(count);
}
