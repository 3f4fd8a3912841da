import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { LEAST_REST_NANO_USD } from "#src/domain/blocking-limit.ts";
import { isUnstoppedByOwner } from "#src/key-lookup/owner-state.sql.ts";

// Reads which limits block requests now, and how many keys a limit of a scope blocks.

export interface BlockingTime {
  now: Date;
  /** First day of the current period, "YYYY-MM-DD". */
  periodStarts: Readonly<Record<PeriodName, string>>;
}

/** The SQL form of `isBlocking` in `domain/blocking-limit.ts`, without archived workspaces and keys that cannot send messages. */
export function isBlockingAt({ now, periodStarts }: BlockingTime): RawBuilder<SqlBool> {
  const periodStart = sql`CASE spend_limit.period WHEN 'daily' THEN ${periodStarts.daily}::date
    WHEN 'weekly' THEN ${periodStarts.weekly}::date ELSE ${periodStarts.monthly}::date END`;
  return sql<SqlBool>`(spend_limit.enforcement <> 'alert_only'
    AND spend_limit.amount_nano_usd - coalesce((SELECT used.settled_nano_usd
        + CASE spend_limit.enforcement WHEN 'strict' THEN used.unresolved_nano_usd ELSE 0 END
      FROM balance_sum AS used WHERE used.scope_type = spend_limit.scope_type
        AND used.scope_id = spend_limit.scope_id AND used.period = spend_limit.period
        AND used.period_start = ${periodStart}), 0)
      < CASE spend_limit.enforcement WHEN 'strict' THEN ${LEAST_REST_NANO_USD}::bigint ELSE 1 END
    AND CASE spend_limit.scope_type WHEN 'organization' THEN true
      WHEN 'workspace' THEN EXISTS (SELECT FROM workspace
        WHERE workspace.id = spend_limit.scope_id AND workspace.archived_at IS NULL)
      WHEN 'group_member' THEN false
      WHEN 'api_key' THEN ${countWorkingKeys(sql`key.id = spend_limit.scope_id`, now)} > 0
      WHEN 'member' THEN ${countWorkingKeys(sql`key.owner_member_id = spend_limit.scope_id`, now)} > 0
      WHEN 'group' THEN ${countWorkingKeys(isInGroup(sql`spend_limit.scope_id`), now)} > 0
      ELSE ${countWorkingKeys(isTagged("spend_limit.scope_id"), now)} > 0 END)`;
}

export interface DescribedScope {
  scopeType: ScopeType;
  scopeId: string;
  /** Null: the organization has no such scope. */
  name: string | null;
  /** Null: not a workspace or key. */
  workspaceId: string | null;
  /** Keys of the scope that can send messages. */
  workingKeys: number;
}

/** Describes scopes of the organization, in any order. */
export async function describeScopes(
  db: Database | Tx,
  of: {
    organizationId: string;
    scopes: readonly { scopeType: ScopeType; scopeId: string }[];
    now: Date;
  },
): Promise<DescribedScope[]> {
  const types = of.scopes.map(({ scopeType }) => scopeType);
  const ids = of.scopes.map(({ scopeId }) => scopeId);
  // One count per kind of scope, so that each uses its own index.
  const { rows } = await sql<DescribedScope>`
    SELECT scope.scope_type AS "scopeType", scope.scope_id AS "scopeId",
      ${scopeName("scope")} AS name, coalesce(api_key.workspace_id, workspace.id) AS "workspaceId",
      CASE scope.scope_type
        WHEN 'organization' THEN ${countWorkingKeys(sql`key.organization_id = organization.id`, of.now)}
        WHEN 'workspace' THEN ${countWorkingKeys(sql`key.workspace_id = workspace.id`, of.now)}
        WHEN 'api_key' THEN ${countWorkingKeys(sql`key.id = api_key.id`, of.now)}
        WHEN 'member' THEN ${countWorkingKeys(sql`key.owner_member_id = scope.scope_id`, of.now)}
        WHEN 'group' THEN ${countWorkingKeys(isInGroup(sql`scope.scope_id`), of.now)}
        ELSE ${countWorkingKeys(isTagged("scope.scope_id"), of.now)} END AS "workingKeys"
    FROM (SELECT ${of.organizationId}::uuid AS organization_id, named.*
        FROM unnest(${types}::text[], ${ids}::text[]) AS named (scope_type, scope_id)) AS scope
      JOIN organization ON organization.id = scope.organization_id
      LEFT JOIN workspace ON scope.scope_type = 'workspace' AND workspace.id = scope.scope_id
        AND workspace.organization_id = organization.id
      LEFT JOIN api_key ON scope.scope_type = 'api_key' AND api_key.id = scope.scope_id
        AND api_key.organization_id = organization.id`.execute(db);
  return rows;
}

function isInGroup(groupId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`key.owner_member_id IN (SELECT member_id FROM group_member WHERE group_id = ${groupId})`;
}

/** Keys with the tag. A value of the key replaces that of its workspace. */
function isTagged(tagId: string): RawBuilder<unknown> {
  return sql`EXISTS (SELECT FROM tag JOIN workspace AS place ON place.id = key.workspace_id
    WHERE tag.id = ${sql.ref(tagId)} AND tag.organization_id = key.organization_id
      AND (place.tags || key.tags) ->> tag.name = tag.value)`;
}

/** Counts keys that can send messages, by the rules of `access/authenticate.ts`. `isInScope` names the key `key`. */
function countWorkingKeys(isInScope: RawBuilder<unknown>, now: Date): RawBuilder<number> {
  return sql<number>`(SELECT count(*)::integer FROM (SELECT key.* FROM api_key AS key WHERE ${isInScope}) AS api_key
      JOIN workspace AS home ON home.id = api_key.workspace_id
      LEFT JOIN member ON member.id = api_key.owner_member_id
    WHERE api_key.purpose <> 'playground' AND api_key.permission <> 'read' AND api_key.status = 'active'
      AND (api_key.expires_at IS NULL OR api_key.expires_at > ${now})
      AND home.archived_at IS NULL AND ${isUnstoppedByOwner})`;
}
