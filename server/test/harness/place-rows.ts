import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

/** Inserts an organization with one workspace and one API key, without a secret. */
export async function insertPlace(database: Database) {
  const organizationId = randomUUID();
  const suffix = organizationId.slice(0, 8);
  const workspaceId = `wksp_${suffix}`;
  const apiKeyId = `apikey_${suffix}`;
  await sql`INSERT INTO organization (id, name) VALUES (${organizationId}, 'Acme')`.execute(
    database,
  );
  await sql`INSERT INTO workspace (id, organization_id, name, display_color)
    VALUES (${workspaceId}, ${organizationId}, 'Research', '#000000')`.execute(database);
  await sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
    VALUES (${apiKeyId}, ${organizationId}, ${workspaceId}, 'key', 'write', 'member', 'user_1')`.execute(
    database,
  );
  return { organizationId, workspaceId, apiKeyId, suffix };
}
