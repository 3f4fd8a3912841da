import type { Database } from "#src/db/pool.ts";

/** Publishes the most connections of the node's process, for the sum over all nodes. */
export async function publishMaxConnections(
  db: Database,
  node: { id: string; maxConnections: number },
): Promise<void> {
  await db
    .updateTable("node")
    .set({ max_connections: node.maxConnections })
    .where("id", "=", node.id)
    .execute();
}
