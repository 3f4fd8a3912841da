import type { Finding } from "./finding.ts";

/** Connections of PostgreSQL, from the system's state. */
export interface ConnectionCounts {
  max_connections: number;
  reserved_connections: number;
  needed_connections: number;
}

/** Compares the pools of all nodes in contact with the connections that PostgreSQL accepts. */
export function checkConnections(counts: ConnectionCounts): Finding {
  const { max_connections, reserved_connections, needed_connections } = counts;
  const accepted = max_connections - reserved_connections;
  const facts = `all nodes open up to ${needed_connections}, and PostgreSQL accepts ${accepted}`;
  if (needed_connections <= accepted) return { check: "connections", ok: true, detail: facts };
  const least = needed_connections + reserved_connections;
  const detail = `${facts}: requests fail with 503 when none is left. Set max_connections of PostgreSQL to ${least} or more, or lower BURSAR_REQUEST_CONNECTIONS and BURSAR_ADMIN_CONNECTIONS`;
  return { check: "connections", ok: false, detail };
}
