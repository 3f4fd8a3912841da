import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

/**
 * Serializes changes of what the organization itself has, such as its limits, until the transaction ends. References to the organization,
 * mainly balances of the flush, do not wait for the lock.
 */
export async function lockOrganization(tx: Tx, organizationId: string): Promise<void> {
  await tx
    .selectFrom("organization")
    .select("id")
    .where("id", "=", organizationId)
    .forNoKeyUpdate()
    .execute();
}

/**
 * Serializes changes of the limits in force of members, until the transaction ends: own values, defaults of groups, memberships
 * and the mode. Acquired after locks of rows, and before any limit is written.
 */
export async function lockMemberLimits(tx: Tx, organizationId: string): Promise<void> {
  const key = sql`hashtextextended(${`member limits of ${organizationId}`}, 0)`;
  await tx.selectNoFrom(sql`pg_advisory_xact_lock(${key})`.as("lock")).execute();
}

/** False: the organization has no such member, or the member was removed. Locks the member until the transaction ends. */
export async function lockLimitedMember(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .where("status", "<>", "removed")
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** False: the organization has no such group or tag. Locks the row until the transaction ends. */
export async function lockLimitedRow(
  tx: Tx,
  table: "member_group" | "tag",
  of: { organizationId: string; id: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom(table)
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** True for an archived key. Locks the key until the transaction ends, so that it cannot be archived concurrently. */
export async function isApiKeyArchivedForChange(
  tx: Tx,
  of: { organizationId: string; apiKeyId: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("api_key")
    .select("status")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.apiKeyId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return row.status === "archived";
}
