import { type RawBuilder, type SqlBool, sql } from "kysely";

/**
 * True if one person can act as both. A key can be used by its owner and its creator, and by those behind a creating key.
 * The operator and the server are no person here.
 */
export function isSamePerson(
  organizationId: string,
  one: { type: RawBuilder<unknown>; id: RawBuilder<unknown> },
  other: { type: string; id: string },
): RawBuilder<SqlBool> {
  const ofOther = { type: sql`${other.type}::text`, id: sql`${other.id}::text` };
  return sql<SqlBool>`EXISTS (SELECT FROM (${selectActorsBehind(organizationId, one)}) AS one
    JOIN (${selectActorsBehind(organizationId, ofOther)}) AS other ON other.type = one.type AND other.id = one.id
    WHERE one.type IN ('member', 'api_key', 'admin_key'))`;
}

/** The actor, and the members and keys that can act as it. */
function selectActorsBehind(
  organizationId: string,
  { type, id }: { type: RawBuilder<unknown>; id: RawBuilder<unknown> },
): RawBuilder<unknown> {
  return sql`WITH RECURSIVE behind (type, id) AS (
    SELECT ${type}, ${id}
    UNION
    SELECT maker.type, maker.id FROM behind CROSS JOIN LATERAL (
      SELECT key.created_by_type, key.created_by_id FROM api_key AS key
      WHERE behind.type = 'api_key' AND key.id = behind.id AND key.organization_id = ${organizationId}::uuid
      UNION ALL
      SELECT 'member', key.owner_member_id FROM api_key AS key
      WHERE behind.type = 'api_key' AND key.id = behind.id AND key.organization_id = ${organizationId}::uuid
        AND key.owner_member_id IS NOT NULL
      UNION ALL
      SELECT key.created_by_type, key.created_by_id FROM admin_key AS key
      WHERE behind.type = 'admin_key' AND key.id = behind.id AND key.organization_id = ${organizationId}::uuid
    ) AS maker (type, id))
    SELECT type, id FROM behind`;
}
