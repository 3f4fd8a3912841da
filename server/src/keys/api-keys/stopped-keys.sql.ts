import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";

type StoppedRow = Pick<
  ApiKeyRow,
  | "id"
  | "status"
  | "expires_at"
  | "archived_at"
  | "archived_rank"
  | "allowed_models"
  | "allowed_addresses"
>;

/** Saves the columns that change when locked keys are disabled or archived. */
export async function saveStoppedKeys(
  tx: Tx,
  organizationId: string,
  rows: readonly StoppedRow[],
): Promise<void> {
  const changed = rows.map((row) => ({
    id: row.id,
    status: row.status,
    expires_at: row.expires_at,
    archived_at: row.archived_at,
    archived_rank: row.archived_rank,
    allowed_models: row.allowed_models,
    allowed_addresses: row.allowed_addresses,
  }));
  await sql`
    UPDATE api_key SET status = changed.status, expires_at = changed.expires_at, archived_at = changed.archived_at,
      archived_rank = changed.archived_rank, allowed_models = changed.allowed_models,
      allowed_addresses = changed.allowed_addresses
    FROM jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) AS changed (id text, status text, expires_at timestamptz,
      archived_at timestamptz, archived_rank text, allowed_models text[], allowed_addresses text[])
    WHERE api_key.organization_id = ${organizationId}::uuid AND api_key.id = changed.id`.execute(
    tx,
  );
}
