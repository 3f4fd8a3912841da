import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { networkOf } from "./address-ranges.ts";
import type { AdminKeyUse, Use } from "./key-use.ts";

/** Highest difference between the clocks of two nodes. */
const CLOCK_DIFFERENCE_MS = 1_000;

/**
 * Advances the last use of secrets, never backwards, because another node may have written a later one. Rows are locked
 * in id order, so that two nodes wait for each other and never deadlock. The networks are recorded too, at most once an
 * hour. A secret that is newer than its use has the id of one that a failover lost, and is not changed.
 */
export async function saveUses(db: Database, uses: readonly Use[]): Promise<void> {
  const column = <Name extends keyof Use>(name: Name) => uses.map((use) => use[name]);
  const times = uses.map(({ atMs }) => new Date(atMs));
  const networks = uses.map(({ address }) => (address === null ? null : networkOf(address)));
  await sql`
    WITH used AS (
      SELECT * FROM unnest(${column("secretId")}::bigint[], ${times}::timestamptz[], ${column("address")}::text[],
        ${networks}::text[], ${column("model")}::text[]) AS used (id, at, address, network, model)
    ), locked AS MATERIALIZED (
      SELECT secret.id, secret.api_key_id FROM api_key_secret AS secret JOIN used USING (id)
      WHERE secret.created_at <= used.at + ${CLOCK_DIFFERENCE_MS} * interval '1 millisecond'
      ORDER BY secret.id FOR NO KEY UPDATE OF secret
    ), seen AS (
      INSERT INTO api_key_network AS known (api_key_id, network, first_seen_at, last_seen_at)
      SELECT locked.api_key_id, used.network, min(used.at), max(used.at)
      FROM used JOIN locked USING (id) WHERE used.network IS NOT NULL
      GROUP BY locked.api_key_id, used.network ORDER BY locked.api_key_id, used.network
      ON CONFLICT (api_key_id, network) DO UPDATE SET last_seen_at = excluded.last_seen_at
        WHERE known.last_seen_at < excluded.last_seen_at - interval '1 hour'
    )
    UPDATE api_key_secret AS secret
    SET last_used_at = used.at, last_used_address = used.address, last_used_model = used.model
    FROM used JOIN locked USING (id)
    WHERE secret.id = used.id AND (secret.last_used_at IS NULL OR secret.last_used_at < used.at)
  `.execute(db);
}

/** Advances the last use of admin keys. */
export async function saveAdminKeyUses(db: Database, uses: readonly AdminKeyUse[]): Promise<void> {
  const column = <Name extends keyof AdminKeyUse>(name: Name) => uses.map((use) => use[name]);
  const times = uses.map(({ atMs }) => new Date(atMs));
  await sql`
    WITH used AS (
      SELECT * FROM unnest(${column("adminKeyId")}::text[], ${times}::timestamptz[], ${column("address")}::text[])
        AS used (id, at, address)
    ), locked AS MATERIALIZED (
      SELECT id FROM admin_key WHERE id IN (SELECT id FROM used) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE admin_key AS key
    SET last_used_at = used.at, last_used_address = used.address
    FROM used JOIN locked USING (id)
    WHERE key.id = used.id AND (key.last_used_at IS NULL OR key.last_used_at < used.at)
  `.execute(db);
}
