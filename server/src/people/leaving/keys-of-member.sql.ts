import { archiveApiKeys } from "#src/access/stop-keys.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";

/** A personal key that stopped with its owner, as an audit event and a page show it. */
export interface StoppedKey {
  id: string;
  name: string;
  workspaceId: string;
}

/** The personal keys of the person that are not archived: what stops with it. Oldest first. */
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
    // A session of the playground ends with the person by itself, and is nobody's to miss.
    .where("purpose", "=", "calls")
    .orderBy("created_at")
    .orderBy("id");
  if (of.workspaceId !== undefined) query = query.where("workspace_id", "=", of.workspaceId);
  return query.execute();
}

/**
 * Archives the personal keys of a person who leaves the organization, or with `workspaceId` only that workspace, for
 * good, and gives which those were. A person who is deactivated, or who may come back to a workspace, needs no call: the
 * key lookup reads the state of the owner, and the keys stop and start with it. The transaction's change must have the
 * member as its subject or raise the change counter without a scope, so that nodes forget these keys.
 */
export async function stopKeysOfMember(
  tx: Tx,
  of: { organizationId: string; memberId: string; workspaceId?: string; nowMs: number },
): Promise<StoppedKey[]> {
  const stopped = await listKeysOfMember(tx, of);
  await archiveApiKeys(tx, { ids: stopped.map(({ id }) => id), nowMs: of.nowMs });
  return stopped;
}
