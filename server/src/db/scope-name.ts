import { type RawBuilder, sql } from "kysely";

/**
 * SQL of the name of a row's scope, by its columns organization_id, scope_type and scope_id. Null: the organization has no
 * such scope.
 */
export function scopeName(table: string): RawBuilder<string | null> {
  const of = (column: string) => sql.ref(`${table}.${column}`);
  const find = (
    name: string,
    from: string,
  ) => sql`(SELECT ${sql.raw(name)} FROM ${sql.table(from)} AS own
    WHERE own.id = ${of("scope_id")} AND own.organization_id = ${of("organization_id")})`;
  return sql`CASE ${of("scope_type")}
    WHEN 'organization' THEN (SELECT name FROM organization AS own WHERE own.id = ${of("organization_id")})
    WHEN 'workspace' THEN ${find("name", "workspace")} WHEN 'api_key' THEN ${find("name", "api_key")}
    WHEN 'member' THEN ${find("coalesce(nullif(name, ''), email)", "member")}
    WHEN 'group' THEN ${find("name", "member_group")} WHEN 'group_member' THEN ${find("name", "member_group")}
    WHEN 'tag' THEN ${find("name || ': ' || value", "tag")} END`;
}

/** SQL of the name of a row's group or tag, which all its people may see. Null: another scope. */
export function sharedScopeName(table: string): RawBuilder<string | null> {
  return sql`CASE WHEN ${sql.ref(`${table}.scope_type`)} IN ('group', 'tag') THEN ${scopeName(table)} END`;
}
