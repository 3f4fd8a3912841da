import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** Numbers of members of the directories who were not removed, by directory. */
export async function countPeople(
  db: Database | Tx,
  directoryIds: readonly string[],
): Promise<ReadonlyMap<string, { linked: number; provided: number }>> {
  const { rows } = await sql<{ id: string; linked: number; provided: number }>`
    SELECT wanted.id,
      (SELECT count(DISTINCT link.member_id)::integer FROM directory_identity AS link
        JOIN member ON member.id = link.member_id AND member.status <> 'removed'
        WHERE link.directory_id = wanted.id) AS linked,
      (SELECT count(*)::integer FROM scim_user AS provided
        JOIN member ON member.id = provided.member_id AND member.status <> 'removed'
        WHERE provided.directory_id = wanted.id AND provided.deleted_at IS NULL) AS provided
    FROM unnest(${[...directoryIds]}::text[]) AS wanted (id)`.execute(db);
  return new Map(rows.map(({ id, linked, provided }) => [id, { linked, provided }]));
}
