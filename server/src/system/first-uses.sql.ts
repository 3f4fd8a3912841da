import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

/** Features that an organization has used so far, for the next steps that a start prints. */
export interface FirstUses {
  hasAdminKey: boolean;
  hasApiKey: boolean;
  hasRequest: boolean;
}

/** Checks for active keys, and for requests at any time. */
export async function findFirstUses(db: Database, organizationId: string): Promise<FirstUses> {
  const { rows } = await sql<FirstUses>`
    SELECT
      EXISTS (SELECT FROM admin_key
        WHERE organization_id = ${organizationId} AND status = 'active') AS "hasAdminKey",
      EXISTS (SELECT FROM api_key
        WHERE organization_id = ${organizationId} AND status = 'active' AND purpose = 'calls') AS "hasApiKey",
      EXISTS (SELECT FROM usage_hour WHERE organization_id = ${organizationId})
        OR EXISTS (SELECT FROM usage_organization_day WHERE organization_id = ${organizationId}) AS "hasRequest"`.execute(
    db,
  );
  return rows[0] ?? { hasAdminKey: false, hasApiKey: false, hasRequest: false };
}
