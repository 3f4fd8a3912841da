import type { Tx } from "#src/db/pool.ts";

/**
 * Keeps two changes of the organization's own limits apart until the transaction ends. What refers to the organization
 * (balances of the flush above all) does not wait for it.
 */
export async function lockOrganization(tx: Tx, organizationId: string): Promise<void> {
  await tx
    .selectFrom("organization")
    .select("id")
    .where("id", "=", organizationId)
    .forNoKeyUpdate()
    .execute();
}

/** True for an archived key. The key stays locked until the transaction ends, so that it cannot be archived meanwhile. */
export async function isApiKeyArchivedForChange(
  tx: Tx,
  of: { organizationId: string; apiKeyId: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("api_key")
    .select("status")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.apiKeyId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return row.status === "archived";
}
