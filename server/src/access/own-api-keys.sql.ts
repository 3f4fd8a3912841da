import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** Lists the ids of a member's own keys, including archived ones, like `isOwnApiKey`. */
export async function listOwnApiKeyIds(
  db: Database | Tx,
  of: { organizationId: string; memberId: string },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM api_key WHERE organization_id = ${of.organizationId} AND owner_member_id = ${of.memberId}`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}
