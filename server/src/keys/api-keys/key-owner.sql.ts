import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { OwnerState } from "#src/domain/owner-state.ts";
import { ownerState } from "#src/key-lookup/owner-state.sql.ts";

/**
 * Where a person of the organization stands as the owner of a key of the workspace, locked until the transaction ends, so
 * that the person cannot be removed while the key is made; null where there is no such person.
 */
export async function findOwnerForKey(
  tx: Tx,
  of: { organizationId: string; memberId: string; workspaceId: string },
): Promise<OwnerState | null> {
  await tx
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.memberId)
    .forShare()
    .execute();
  const { rows } = await sql<{ state: OwnerState | null }>`
    SELECT ${ownerState} AS state
    FROM (SELECT ${of.workspaceId}::text AS workspace_id, ${of.memberId}::text AS owner_member_id) AS api_key
    JOIN member ON member.id = api_key.owner_member_id AND member.organization_id = ${of.organizationId}
  `.execute(tx);
  return rows[0]?.state ?? null;
}
