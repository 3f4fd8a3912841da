import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
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
 * Lists the limits of the member, of their keys and groups, of these workspaces, and of the organization if it is included.
 * Narrowest first.
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
  const groupIds = sql`SELECT group_id FROM group_member WHERE member_id = ${memberId}`;
  const isTheirs = sql<boolean>`CASE scope_type
    WHEN 'api_key' THEN scope_id IN (${keyIds})
    WHEN 'member' THEN scope_id = ${memberId}
    WHEN 'group' THEN scope_id IN (${groupIds})
    WHEN 'workspace' THEN scope_id = ANY(${[...of.workspaceIds]}::text[])
    WHEN 'organization' THEN ${of.withOrganization}
    ELSE false END`;
  return await db
    .selectFrom("spend_limit")
    .select(spendLimitColumns)
    .where("organization_id", "=", organizationId)
    .where(isTheirs)
    .orderBy(
      sql`array_position(ARRAY['member', 'api_key', 'group', 'workspace', 'organization'], scope_type)`,
    )
    .orderBy("scope_id")
    .orderBy(sql`array_position(ARRAY['daily', 'weekly', 'monthly'], period)`)
    .limit(MAX_LIMITS)
    .execute();
}
