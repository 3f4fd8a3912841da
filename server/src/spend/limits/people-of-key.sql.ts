import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { tagIds } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";

/** Finds the owner of a key, the groups of the owner and the tags of the key, as of its next request. */
export async function findPeopleOfKey(
  db: Database | Tx,
  of: { organizationId: string; apiKeyId: string },
): Promise<Pick<SpendScope, "memberId" | "groupIds" | "tagIds">> {
  const { rows } = await sql<{
    memberId: string | null;
    groupIds: string[];
    tagIds: string[];
  }>`
    SELECT api_key.owner_member_id AS "memberId",
      ARRAY(SELECT group_id FROM group_member WHERE member_id = api_key.owner_member_id ORDER BY group_id) AS "groupIds",
      ${tagIds} AS "tagIds"
    FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id
    WHERE api_key.organization_id = ${of.organizationId}::uuid AND api_key.id = ${of.apiKeyId}`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) return {};
  return { ...row, memberId: row.memberId ?? undefined };
}
