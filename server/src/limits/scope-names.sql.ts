import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { ScopeOfLimit } from "./limit-kind.ts";

/** Names of scopes by id. An id is missing if its scope does not exist. */
export async function findScopeNames(
  db: Database | Tx,
  scopes: readonly ScopeOfLimit[],
): Promise<ReadonlyMap<string, string>> {
  if (scopes.length === 0) return new Map();
  const { rows } = await sql<{ id: string; name: string | null }>`
    SELECT place.scope_id AS id, ${scopeName("place")} AS name
    FROM (SELECT DISTINCT * FROM unnest(${scopes.map(({ organizationId }) => organizationId)}::uuid[],
      ${scopes.map(({ scopeType }) => scopeType)}::text[], ${scopes.map(({ scopeId }) => scopeId)}::text[])
      AS wanted (organization_id, scope_type, scope_id)) AS place`.execute(db);
  return new Map(rows.flatMap(({ id, name }) => (name === null ? [] : [[id, name] as const])));
}
