import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../server/src/db/pool.ts";
import { cpuMicrosOf, listDescendants, treeCpuMicros } from "../proc.ts";
import type { DatabaseProbe } from "./target.ts";

// A type, not an interface, because kysely needs an index signature.
type SystemViews = {
  pg_stat_database: { datname: string; xact_commit: bigint; xact_rollback: bigint };
  pg_settings: { name: string; setting: string };
};

/** Connects to the embedded PostgreSQL of a running server, for measurements. */
export async function probeDatabase(server: {
  serverPid: number;
  /** Processes of the server that are not PostgreSQL's. */
  gatewayPids: readonly number[];
  databaseDir: string;
}): Promise<DatabaseProbe> {
  const { serverPid, gatewayPids, databaseDir } = server;
  const database = openDatabase({
    connectionString: readConnectionString(databaseDir),
    maxConnections: 1,
    onIdleError: () => {}, // the server stops its database before the probe closes
  });
  const views = database.withTables<SystemViews>();
  const { setting } = await views
    .selectFrom("pg_settings")
    .select("setting")
    .where("name", "=", "server_version")
    .executeTakeFirstOrThrow();
  return {
    version: setting,
    pids: () => listDescendants(serverPid).filter((pid) => !gatewayPids.includes(pid)),
    cpuMicros: () => treeCpuMicros(serverPid) - cpuMicrosOf(gatewayPids),
    async countTransactions() {
      const row = await views
        .selectFrom("pg_stat_database")
        .select(["xact_commit", "xact_rollback"])
        .where("datname", "=", "bursar")
        .executeTakeFirstOrThrow();
      return Number(row.xact_commit + row.xact_rollback);
    },
    close: () => database.destroy(),
  };
}

/**
 * Connection string from PostgreSQL's pid file. The fourth line is the port, then the socket's folder, then the
 * address.
 */
export function readConnectionString(databaseDir: string): string {
  const lines = readFileSync(join(databaseDir, "postmaster.pid"), "utf8").split("\n");
  const [port = "5432", socketFolder = "", address = "127.0.0.1"] = lines
    .slice(3, 6)
    .map((line) => line.trim());
  const query = new URLSearchParams({ host: socketFolder || address, port });
  // Only an earlier revision has a password.
  const passwordFile = join(databaseDir, "bursar.password");
  const password = existsSync(passwordFile) ? `:${readFileSync(passwordFile, "utf8").trim()}` : "";
  return `postgres://bursar${password}@/bursar?${query}`;
}
