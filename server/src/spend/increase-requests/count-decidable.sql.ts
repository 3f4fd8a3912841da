import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { isSamePerson } from "./actors-behind.sql.ts";
import type { ActorType } from "./increase-requests.sql.ts";

/**
 * Counts pending requests that the caller can decide. `workspaceIds`: workspaces whose limits the caller can set. Null:
 * all limits of the organization. Own requests count for the operator only.
 */
export async function countDecidableRequests(
  db: Database,
  of: {
    organizationId: string;
    caller: { type: ActorType; id: string };
    workspaceIds: readonly string[] | null;
  },
): Promise<number> {
  const requester = { type: sql`r.requester_type`, id: sql`r.requester_id` };
  const isPermitted =
    of.workspaceIds === null
      ? sql`true`
      : sql`r.workspace_id = ANY(${[...of.workspaceIds]}::text[])`;
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM spend_limit_increase_request AS r
    WHERE r.organization_id = ${of.organizationId}::uuid AND r.status = 'pending' AND ${isPermitted}
      AND NOT ${isSamePerson(of.organizationId, requester, of.caller)}`.execute(db);
  return rows[0]?.count ?? 0;
}
