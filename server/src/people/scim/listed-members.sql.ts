import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

// Members whom directories list in their groups, and the end of directories.

export interface ListedMemberRow {
  group_id: string;
  member_id: string;
}

/** Members whom directories list in the groups. */
export async function listListedMembers(
  db: Database | Tx,
  groupIds: readonly string[],
): Promise<ListedMemberRow[]> {
  const { rows } = await sql<ListedMemberRow>`
    SELECT listed.group_id, listed.member_id
    FROM scim_group_member AS listed JOIN member ON member.id = listed.member_id
    WHERE listed.group_id = ANY(${[...groupIds]}::text[]) AND member.status <> 'removed'
    ORDER BY listed.group_id, listed.created_at, listed.member_id`.execute(db);
  return rows;
}

/** Returns the ids that are no users of the directory. */
export async function listUnknownUsers(
  tx: Tx,
  { directoryId, ids }: { directoryId: string; ids: readonly string[] },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT wanted.id FROM unnest(${[...ids]}::text[]) AS wanted (id)
    WHERE NOT EXISTS (SELECT FROM scim_user AS provided JOIN member ON member.id = provided.member_id
      WHERE provided.directory_id = ${directoryId} AND provided.member_id = wanted.id
        AND provided.deleted_at IS NULL AND member.status <> 'removed')
    LIMIT 1`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Ends all places of a user in groups of the directory, after the directory deleted the user. */
export async function deleteListedMember(
  tx: Tx,
  of: { directoryId: string; memberId: string },
): Promise<void> {
  await sql`
    DELETE FROM scim_group_member AS listed USING member_group AS g
    WHERE g.id = listed.group_id AND g.directory_id = ${of.directoryId}
      AND listed.member_id = ${of.memberId}`.execute(tx);
}

export interface ReleasedGroup {
  id: string;
  name: string;
}

/** Makes the groups of the directory groups by hand, with all memberships. Returns them. */
export async function releaseGroups(tx: Tx, directoryId: string): Promise<ReleasedGroup[]> {
  await sql`
    DELETE FROM scim_group_member USING member_group AS g
    WHERE g.id = group_id AND g.directory_id = ${directoryId}`.execute(tx);
  await sql`
    UPDATE group_member SET source = 'direct' FROM member_group AS g
    WHERE g.id = group_id AND g.directory_id = ${directoryId} AND group_member.source = 'scim'`.execute(
    tx,
  );
  const { rows } = await sql<ReleasedGroup>`
    UPDATE member_group SET source = 'direct', directory_id = NULL, external_id = NULL
    WHERE directory_id = ${directoryId} RETURNING id, name`.execute(tx);
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Counts the users of the directory, and its tokens that are not revoked. */
export async function countProvided(
  tx: Tx,
  directoryId: string,
): Promise<{ users: number; tokens: number }> {
  const { rows } = await sql<{ users: number; tokens: number }>`
    SELECT
      (SELECT count(*)::integer FROM scim_user WHERE directory_id = ${directoryId} AND deleted_at IS NULL) AS users,
      (SELECT count(*)::integer FROM scim_token
        WHERE directory_id = ${directoryId} AND revoked_at IS NULL) AS tokens`.execute(tx);
  return rows[0] ?? { users: 0, tokens: 0 };
}

/** Locks the directory against its deletion, until the transaction ends. False: there is none. */
export async function holdDirectory(tx: Tx, id: string): Promise<boolean> {
  const { rows } = await sql`SELECT FROM directory WHERE id = ${id} FOR KEY SHARE`.execute(tx);
  return rows.length > 0;
}
