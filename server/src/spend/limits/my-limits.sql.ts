import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { tagIds } from "#src/key-lookup/api-key-lookup.sql.ts";
import { type SpendLimit, spendLimitColumns } from "#src/spend/ledger/limits.sql.ts";

/** Workspaces in which the member has a personal key that is not archived. */
export async function listKeyWorkspaces(
  db: Database,
  of: { organizationId: string; memberId: string },
): Promise<string[]> {
  const rows = await db
    .selectFrom("api_key")
    .select("workspace_id")
    .distinct()
    .where("organization_id", "=", of.organizationId)
    .where("owner_member_id", "=", of.memberId)
    .where("status", "!=", "archived")
    .execute();
  return rows.map(({ workspace_id }) => workspace_id);
}

const MAX_LIMITS = 200;

/**
 * Lists the limits of the member, of their keys with tags, of their groups, of these workspaces, and of the organization if
 * included. Narrowest first.
 */
export async function listLimitsOfMember(
  db: Database,
  of: {
    organizationId: string;
    memberId: string;
    workspaceIds: readonly string[];
    withOrganization: boolean;
  },
): Promise<SpendLimit[]> {
  const { organizationId, memberId } = of;
  const keyIds = sql`SELECT id FROM api_key WHERE organization_id = ${organizationId}
    AND owner_member_id = ${memberId} AND status <> 'archived'`;
  const tagsOfKeys = sql`SELECT unnest(${tagIds}) FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id
    WHERE api_key.organization_id = ${organizationId} AND owner_member_id = ${memberId}
      AND api_key.status <> 'archived'`;
  const groupIds = sql`SELECT group_id FROM group_member WHERE member_id = ${memberId}`;
  const isTheirs = sql<boolean>`CASE scope_type
    WHEN 'api_key' THEN scope_id IN (${keyIds})
    WHEN 'member' THEN scope_id = ${memberId}
    WHEN 'group' THEN scope_id IN (${groupIds})
    WHEN 'workspace' THEN scope_id = ANY(${[...of.workspaceIds]}::text[])
    WHEN 'organization' THEN ${of.withOrganization}
    WHEN 'tag' THEN scope_id IN (${tagsOfKeys})
    ELSE false END`;
  return await db
    .selectFrom("spend_limit")
    .select(spendLimitColumns)
    .where("organization_id", "=", organizationId)
    .where(isTheirs)
    .orderBy(
      sql`array_position(ARRAY['member', 'api_key', 'tag', 'group', 'workspace', 'organization'], scope_type)`,
    )
    .orderBy("scope_id")
    .orderBy(sql`array_position(ARRAY['daily', 'weekly', 'monthly'], period)`)
    .limit(MAX_LIMITS)
    .execute();
}

/** False: the organization has no such member, or the member was removed. */
export async function hasMember(
  db: Database,
  of: { organizationId: string; memberId: string },
): Promise<boolean> {
  const row = await db
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.memberId)
    .where("status", "<>", "removed")
    .executeTakeFirst();
  return row !== undefined;
}
