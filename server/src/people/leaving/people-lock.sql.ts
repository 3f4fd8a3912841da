import type { Tx } from "#src/db/pool.ts";

/**
 * Locks the organization's members until the commit. Invites, joins, role changes and departures run one after the
 * other, because their conditions (an owner remains, an address is free) concern all members. Rows that only reference
 * the organization are not blocked.
 */
export async function lockPeople(tx: Tx, organizationId: string): Promise<void> {
  await tx
    .selectFrom("organization")
    .select("id")
    .where("id", "=", organizationId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}
