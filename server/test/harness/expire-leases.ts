import type { Database } from "#src/db/pool.ts";

/** Makes a node silent: another node may fence it now. */
export async function expireLeases(database: Database, nodeId: string): Promise<void> {
  await database
    .updateTable("lease_node")
    .set({ expires_at: new Date(0) })
    .where("node_id", "=", nodeId)
    .execute();
}
