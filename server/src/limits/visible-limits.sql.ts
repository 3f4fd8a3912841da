import { type SelectQueryBuilder, type SqlBool, sql } from "kysely";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { LimitFilter, LimitType } from "./limit-kind.ts";

/** Narrows a query over a table of limits to a page of visible limits: newest first, one row more than the page holds. */
export function selectVisible<Tables, Table extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Table, Row>,
  table: LimitType & Table,
  { filter, page }: { filter: LimitFilter; page: PageRequest },
): SelectQueryBuilder<Tables, Table, Row> {
  const { organizationId, onlyWorkspaceIds, id, scopeTypes, workspaceId, apiKeyId } = filter;
  const column = (name: string) => sql.ref(`${table}.${name}`);
  const scopeType = column("scope_type");
  const scopeId = column("scope_id");
  /** True for limits of these workspaces and of their keys. */
  const isIn = (workspaceIds: readonly string[]) => sql`CASE ${scopeType}
    WHEN 'workspace' THEN ${scopeId} = ANY(${[...workspaceIds]}::text[])
    WHEN 'api_key' THEN ${scopeId} IN (SELECT api_key.id FROM api_key WHERE api_key.organization_id = ${organizationId}::uuid
      AND api_key.workspace_id = ANY(${[...workspaceIds]}::text[]))
    ELSE false END`;
  // A cursor has milliseconds. Compared with microseconds, rows of its millisecond would appear twice.
  const createdAt = sql`date_trunc('milliseconds', ${column("created_at")})`;
  const conditions = [
    sql`${column("organization_id")} = ${organizationId}::uuid`,
    onlyWorkspaceIds &&
      sql`(${filter.hasOrganizationLimits} AND ${scopeType} = 'organization' OR ${isIn(onlyWorkspaceIds)})`,
    id !== undefined && sql`${column("id")} = ${id}`,
    scopeTypes && sql`${scopeType} = ANY(${[...scopeTypes]}::text[])`,
    workspaceId !== undefined && isIn([workspaceId]),
    apiKeyId !== undefined && sql`(${scopeType} = 'api_key' AND ${scopeId} = ${apiKeyId})`,
    filter.scopeIds && sql`${scopeId} = ALL(${[...filter.scopeIds]}::text[])`,
    page.from &&
      sql`(${createdAt}, ${column("id")}) < (${new Date(page.from.createdAtMs)}::timestamptz, ${page.from.id})`,
  ].filter((condition) => !!condition);
  return query
    .where(sql<SqlBool>`${sql.join(conditions, sql` AND `)}`)
    .orderBy(createdAt, "desc")
    .orderBy(column("id"), "desc")
    .limit(page.limit + 1);
}
