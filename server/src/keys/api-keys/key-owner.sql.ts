import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { OwnerState } from "#src/domain/owner-state.ts";
import { ownerState } from "#src/key-lookup/owner-state.sql.ts";

/**
 * Returns the state of a member as owner of a key in the workspace. Null: the organization has no such member. Locks the
 * member until the transaction ends, so that the member cannot be removed while the key is created, and concurrent creations
 * count one another.
 */
export async function findOwnerForKey(
  tx: Tx,
  of: { organizationId: string; memberId: string; workspaceId: string },
): Promise<OwnerState | null> {
  await sql`
    SELECT id FROM member WHERE organization_id = ${of.organizationId} AND id = ${of.memberId} FOR NO KEY UPDATE`.execute(
    tx,
  );
  const { rows } = await sql<{ state: OwnerState | null }>`
    SELECT ${ownerState} AS state
    FROM (SELECT ${of.workspaceId}::text AS workspace_id, ${of.memberId}::text AS owner_member_id) AS api_key
    JOIN member ON member.id = api_key.owner_member_id AND member.organization_id = ${of.organizationId}
  `.execute(tx);
  return rows[0]?.state ?? null;
}
