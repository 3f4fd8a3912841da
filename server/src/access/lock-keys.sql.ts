import type { Tx } from "#src/db/pool.ts";

// Locks of API keys and of their workspaces, until the transaction ends. The order is that of db/transaction.ts.

/** Locks the workspaces of API keys against changes. Other keys of the workspaces can change meanwhile. */
export async function shareWorkspacesOfKeys(
  tx: Tx,
  of: { organizationId: string; apiKeyIds: readonly string[] },
): Promise<void> {
  await tx
    .selectFrom("workspace")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "in", (eb) =>
      eb
        .selectFrom("api_key")
        .select("workspace_id")
        .where("organization_id", "=", of.organizationId)
        .where("id", "in", of.apiKeyIds),
    )
    .orderBy("id")
    .forShare()
    .execute();
}

/** Locks API keys. An UPDATE of several rows locks them in any order. */
export async function lockApiKeys(
  tx: Tx,
  of: { organizationId: string; ids: readonly string[] },
): Promise<void> {
  await tx
    .selectFrom("api_key")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "in", of.ids)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
}

/** Locks the keys of a workspace that are not archived. */
export async function lockUnarchivedKeys(
  tx: Tx,
  of: { organizationId: string; workspaceId: string },
): Promise<void> {
  await tx
    .selectFrom("api_key")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("workspace_id", "=", of.workspaceId)
    .where("status", "!=", "archived")
    .where("purpose", "!=", "playground")
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
}
