import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

export interface ConnectedNodes {
  /** Connections of nodes and of other commands. */
  connections: number;
  /** Addresses of these connections. */
  addresses: string[];
  /** Nodes that were in contact in the last two minutes. */
  nodes: string[];
}

/** Reads the connections of other processes at this moment. */
export async function readConnectedNodes(tx: Tx): Promise<ConnectedNodes> {
  // PostgreSQL caches the view until the end of a transaction.
  await sql`SELECT pg_stat_clear_snapshot()`.execute(tx);
  const { rows } = await sql<ConnectedNodes>`
    SELECT count(*)::integer AS connections,
      coalesce(array_agg(DISTINCT host(client_addr)) FILTER (WHERE client_addr IS NOT NULL), '{}') AS addresses,
      (SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM node
        WHERE seen_at > now() - interval '2 minutes') AS nodes
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND application_name IN ('bursar', 'bursar jobs', 'bursar listener')`.execute(tx);
  return rows[0] ?? { connections: 0, addresses: [], nodes: [] };
}
