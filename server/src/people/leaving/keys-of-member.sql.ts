import { archiveApiKeys } from "#src/access/stop-keys.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";

/** Personal key that stopped with its owner, as audit events and pages show it. */
export interface StoppedKey {
  id: string;
  name: string;
  workspaceId: string;
}

/** Lists the member's personal keys that are not archived, oldest first. */
export async function listKeysOfMember(
  db: Database | Tx,
  of: { organizationId: string; memberId: string; workspaceId?: string },
): Promise<StoppedKey[]> {
  let query = db
    .selectFrom("api_key")
    .select(["id", "name", "workspace_id as workspaceId"])
    .where("organization_id", "=", of.organizationId)
    .where("owner_member_id", "=", of.memberId)
    .where("status", "!=", "archived")
    // Playground sessions end with the member and need no mention.
    .where("purpose", "!=", "playground")
    .orderBy("created_at")
    .orderBy("id");
  if (of.workspaceId !== undefined) query = query.where("workspace_id", "=", of.workspaceId);
  return query.execute();
}

/**
 * Archives the member's personal keys in all workspaces, or only in `workspaceId`, and returns them. Deactivation needs
 * no call, because the key lookup reads the owner's state. The change must have the member as its subject or raise the
 * change counter without a scope. Nodes then invalidate these keys.
 */
export async function stopKeysOfMember(
  tx: Tx,
  of: { organizationId: string; memberId: string; workspaceId?: string; nowMs: number },
): Promise<StoppedKey[]> {
  const stopped = await listKeysOfMember(tx, of);
  const { organizationId, nowMs } = of;
  await archiveApiKeys(tx, { organizationId, ids: stopped.map(({ id }) => id), nowMs });
  return stopped;
}
