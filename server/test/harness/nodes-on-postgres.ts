import { join } from "node:path";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "#src/db/embedded-postgres.ts";
import { type Database, openDatabase } from "#src/db/pool.ts";
import { acquireProcessLock } from "#src/lib/process-lock.ts";
import { copyPreparedDatabase, TEST_MEMORY_BYTES } from "./prepared-database.ts";
import { type ServerProcess, startServer, temporaryFolder } from "./server-process.ts";
import { TEST_SECRET } from "./test-secret.ts";

const MAX_CONNECTIONS = "300";

/** Settings with which nodes are fenced within seconds. Unresolved holds outlive every test. */
export const SHORT_LEASES = {
  BURSAR_LEASE_TTL: "2s",
  BURSAR_HOLD_WAIT: "1s",
  BURSAR_UNRESOLVED_RELEASE: "24h",
} as const;

/** Server processes that share one PostgreSQL, which does not end with any of them. */
export interface NodesOnPostgres {
  postgres: EmbeddedPostgres;
  db: Database;
  nodes: ServerProcess[];
}

/** Starts the database and the nodes. `parts` stops the database, and `stopAllServers` the nodes. */
export async function startNodesOnPostgres(
  parts: AsyncDisposableStack,
  options: { nodes: number; upstreamOrigin: string; env: Record<string, string> },
): Promise<NodesOnPostgres> {
  const folder = join(await temporaryFolder(), "database");
  await copyPreparedDatabase(folder);
  const lock = parts.adopt(await acquireProcessLock(folder), (one) => one.release());
  const settings = { max_connections: MAX_CONNECTIONS };
  const postgres = parts.adopt(
    await startEmbeddedPostgres({ lock, memoryBytes: TEST_MEMORY_BYTES, settings }),
    (one) => one.stop(),
  );
  const { connectionString } = postgres;
  // A process that a signal ends does not dispose of anything.
  const killPostgres = () => process.kill(postgres.pid, "SIGKILL");
  process.on("exit", killPostgres);
  parts.defer(() => void process.off("exit", killPostgres));
  const db = parts.adopt(
    openDatabase({ connectionString, maxConnections: 4, onIdleError: () => undefined }),
    (one) => one.destroy(),
  );
  const env = {
    BURSAR_SECRET: TEST_SECRET,
    ANTHROPIC_API_KEY: "upstream-credential",
    ANTHROPIC_UPSTREAM_URL: options.upstreamOrigin,
    ...options.env,
  };
  const nodes = await Promise.all(
    Array.from({ length: options.nodes }, (_, node) =>
      startServer({ env: { ...env, DATABASE_URL: nameConnections(connectionString, node) } }),
    ),
  );
  return { postgres, db, nodes };
}

/** First part of the names of a node's connections. */
export const NODE_NAME = "node ";

/** Names the connections of a node, so that PostgreSQL shows which node folds. */
function nameConnections(connectionString: string, node: number): string {
  const url = new URL(connectionString);
  url.searchParams.set("application_name", `${NODE_NAME}${node}`);
  return url.href;
}
