import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { GroupModels } from "#src/domain/group-models.ts";

/** Lists of models that a member has through groups. A group without a list is left out. */
export async function listModelsOfMember(
  db: Database | Tx,
  of: { memberId: string; exceptGroupId?: string },
): Promise<GroupModels[]> {
  const { rows } = await sql<GroupModels>`
    SELECT g.allowed_models, g.model_lists FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
    WHERE held.member_id = ${of.memberId} AND g.id IS DISTINCT FROM ${of.exceptGroupId ?? null}
      AND g.allowed_models IS NOT NULL`.execute(db);
  return rows;
}

/** Lists of models that people have through groups other than this one. */
interface OtherModels {
  isInGroup: boolean;
  lists: GroupModels[];
}

/**
 * Lists of models that people have through other groups: one entry for each combination of lists. Without `memberIds`: all
 * members of the group.
 */
export async function listOtherModels(
  tx: Tx,
  { groupId, memberIds }: { groupId: string; memberIds?: readonly string[] },
): Promise<OtherModels[]> {
  const people =
    memberIds === undefined
      ? sql`(SELECT member_id AS id FROM group_member WHERE group_id = ${groupId})`
      : sql`unnest(${[...memberIds]}::text[])`;
  const { rows } = await sql<OtherModels>`
    SELECT DISTINCT EXISTS (SELECT FROM group_member WHERE group_id = ${groupId} AND member_id = person.id) AS "isInGroup",
      coalesce((
        SELECT jsonb_agg(jsonb_build_object('allowed_models', other.allowed_models, 'model_lists', other.model_lists)
          ORDER BY other.id)
        FROM group_member AS also JOIN member_group AS other ON other.id = also.group_id
        WHERE also.member_id = person.id AND other.id <> ${groupId} AND other.allowed_models IS NOT NULL),
        '[]') AS lists
    FROM ${people} AS person (id)`.execute(tx);
  return rows;
}

/** Returns the lists of models of a group. */
export async function findModelLists(
  tx: Tx,
  of: { organizationId: string; groupId: string },
): Promise<GroupModels> {
  const { rows } = await sql<GroupModels>`
    SELECT allowed_models, model_lists FROM member_group
    WHERE organization_id = ${of.organizationId}::uuid AND id = ${of.groupId}`.execute(tx);
  return rows[0] ?? { allowed_models: null, model_lists: null };
}
