import type { Tx } from "#src/db/pool.ts";

/**
 * Changes of an organization's people follow one another from here to the commit: who is invited, who joins, roles, who
 * leaves. They are rare, and what they rest on (that an owner remains, that an address is free) is about all people at
 * once. Rows that only refer to the organization are not held up.
 */
export async function lockPeople(tx: Tx, organizationId: string): Promise<void> {
  await tx
    .selectFrom("organization")
    .select("id")
    .where("id", "=", organizationId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}
