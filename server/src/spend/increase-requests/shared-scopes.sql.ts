import { type SqlBool, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { tagIds } from "#src/key-lookup/api-key-lookup.sql.ts";

// Groups and tags that a person shares with others.

export async function isMemberOfGroup(
  tx: Tx,
  { memberId, groupId }: { memberId: string; groupId: string },
): Promise<boolean> {
  return exists(
    tx,
    sql`SELECT FROM group_member WHERE group_id = ${groupId} AND member_id = ${memberId}`,
  );
}

/** True if a personal key of the member that is not archived has the tag. */
export async function hasTaggedKey(
  tx: Tx,
  of: { organizationId: string; memberId: string; tagId: string },
): Promise<boolean> {
  return exists(
    tx,
    sql`SELECT FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id
      WHERE api_key.organization_id = ${of.organizationId}::uuid AND api_key.owner_member_id = ${of.memberId}
        AND api_key.status <> 'archived' AND ${of.tagId} = ANY(${tagIds})`,
  );
}

async function exists(tx: Tx, select: ReturnType<typeof sql>): Promise<boolean> {
  const { rows } = await sql<{ found: SqlBool }>`SELECT EXISTS (${select}) AS found`.execute(tx);
  return rows[0]?.found === true;
}
