import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { GroupModels } from "#src/domain/group-models.ts";
import type { LostJoin } from "./restrict.rule.ts";
import type { Membership, SignedRow } from "./subject-state.rule.ts";

// Groups and memberships that a promoted database lacks.

export interface JoinedGroup extends LostJoin {
  name: string;
  /** Directory that provides the group. */
  directoryId: string | null;
}

/** Finds the groups of lost memberships, in a fixed order. */
export async function listJoinedGroups(
  tx: Tx,
  of: { organizationId: string; groupIds: readonly string[] },
): Promise<JoinedGroup[]> {
  const { rows } = await sql<JoinedGroup>`
    SELECT id, name, directory_id AS "directoryId",
      json_build_object('allowed_models', allowed_models, 'model_lists', model_lists) AS models,
      EXISTS (SELECT FROM spend_limit WHERE scope_type IN ('group', 'group_member') AND scope_id = g.id
          AND enforcement <> 'alert_only')
        OR EXISTS (SELECT FROM rate_limit WHERE scope_type IN ('group', 'group_member') AND scope_id = g.id)
        AS "isLimited"
    FROM member_group AS g
    WHERE organization_id = ${of.organizationId}::uuid AND id = ANY(${[...of.groupIds]}::text[])
    ORDER BY id`.execute(tx);
  return rows;
}

/** Lists of models of the member's groups. */
export async function listModelsOfGroups(tx: Tx, memberId: string): Promise<GroupModels[]> {
  const { rows } = await sql<GroupModels>`
    SELECT g.allowed_models, g.model_lists FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
    WHERE held.member_id = ${memberId} AND g.allowed_models IS NOT NULL`.execute(tx);
  return rows;
}

/** Returns those of the directories that exist. */
export async function listKeptDirectories(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM directory WHERE id = ANY(${[...ids]}::text[]) ORDER BY id`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Records that directories list or claim the membership, which exists. */
export async function attributeMembership(
  tx: Tx,
  { memberId, groupId, isListed, directoryIds }: AttributedMembership,
): Promise<void> {
  if (isListed) {
    await sql`INSERT INTO scim_group_member (group_id, member_id, created_at)
      VALUES (${groupId}, ${memberId}, now()) ON CONFLICT DO NOTHING`.execute(tx);
  }
  await sql`INSERT INTO claimed_membership (directory_id, group_id, member_id)
    SELECT id, ${groupId}, ${memberId} FROM unnest(${[...directoryIds]}::text[]) AS id
    ON CONFLICT DO NOTHING`.execute(tx);
}

interface AttributedMembership extends Pick<Membership, "groupId" | "directoryIds"> {
  memberId: string;
  isListed: boolean;
}

/** Inserts a group as it was, without a MAC. A group of a directory that does not exist becomes one by hand. */
export async function insertLostGroup(tx: Tx, row: SignedRow): Promise<void> {
  await sql`
    INSERT INTO member_group (id, organization_id, name, source, directory_id, external_id, allowed_models, model_lists,
      created_at, updated_at)
    SELECT g.id, g.organization_id, g.name, CASE WHEN kept.id IS NULL THEN 'direct' ELSE g.source END, kept.id,
      CASE WHEN kept.id IS NOT NULL THEN g.external_id END, g.allowed_models, g.model_lists, g.created_at, g.updated_at
    FROM jsonb_populate_record(NULL::member_group, ${JSON.stringify(row)}::jsonb) AS g
      LEFT JOIN directory AS kept ON kept.id = g.directory_id`.execute(tx);
}
