import type { Database, Tx } from "#src/db/pool.ts";

export interface PersonRow {
  id: string;
  organization_id: string;
  organization_name: string;
  email: string;
  name: string;
  role: string;
  status: "active" | "deactivated" | "removed";
}

const columns = [
  "member.id",
  "organization_id",
  "organization.name as organization_name",
  "email",
  "member.name",
  "role",
  "status",
] as const;

export async function findPerson(db: Database | Tx, memberId: string): Promise<PersonRow | null> {
  const row = await db
    .selectFrom("member")
    .innerJoin("organization", "organization.id", "organization_id")
    .select(columns)
    .where("member.id", "=", memberId)
    .executeTakeFirst();
  return row ?? null;
}

/** Returns the member with the address, active or not. */
export async function findPersonByEmail(
  db: Database | Tx,
  email: string,
): Promise<PersonRow | null> {
  const row = await db
    .selectFrom("member")
    .innerJoin("organization", "organization.id", "organization_id")
    .select(columns)
    .where("email", "=", email)
    .where("status", "<>", "removed")
    .executeTakeFirst();
  return row ?? null;
}

/** Replaces a password's hash by another one of the same password, unless the password has changed. */
export async function replacePasswordHash(
  db: Database | Tx,
  of: { before: string; after: string },
): Promise<void> {
  await db
    .updateTable("auth_account")
    .set({ password: of.after })
    .where("password", "=", of.before)
    .execute();
}

/** Locks the member until the transaction ends, so that sign-in changes run one after the other. */
export async function lockPerson(tx: Tx, memberId: string): Promise<void> {
  await tx.selectFrom("auth_user").select("id").where("id", "=", memberId).forUpdate().execute();
}

/** Deletes pending second-factor sign-ins and password links of the member. */
export async function deletePendingSteps(tx: Tx, memberId: string): Promise<void> {
  await tx.deleteFrom("auth_verification").where("value", "=", memberId).execute();
}

/** Deletes a bounded number of expired rows. */
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
