import { createServer } from "node:net";
import { join } from "node:path";
import { assert } from "#src/lib/assert.ts";
import type { ProcessLock } from "#src/lib/process-lock.ts";
import { chooseAccess, writeAccessFiles } from "./embedded-postgres/access.ts";
import {
  findPostgresPackage,
  type PostgresPackage,
  prepareBinaries,
} from "./embedded-postgres/binaries.ts";
import type { ServerAddress } from "./embedded-postgres/connection.ts";
import {
  DATABASE_FOLDER,
  ensureCluster,
  removeServerPassword,
} from "./embedded-postgres/data-directory.ts";
import { stopOrphan } from "./embedded-postgres/orphan.ts";
import { readServerPlace } from "./embedded-postgres/read-machine.ts";
import { SERVER_ROLE, SUPERUSER_ROLE } from "./embedded-postgres/roles.ts";
import { sizeServer } from "./embedded-postgres/server-size.rule.ts";
import { chooseServerUser, type ServerUser } from "./embedded-postgres/server-user.ts";
import {
  makeSocketDirectory,
  removeSocketDirectory,
  SOCKET_PORT,
} from "./embedded-postgres/socket-directory.ts";
import { type SupervisorEvent, superviseServer } from "./embedded-postgres/supervise.ts";
import { commandPools, countConnections } from "./pool-sizes.ts";

export interface EmbeddedPostgresOptions {
  /** Proof that no other process uses the data folder. The database is in `<lock.folder>/postgres`. */
  lock: ProcessLock;
  /** Receives events for the operator. Must not throw. */
  onEvent?: (event: EmbeddedPostgresEvent) => void;
  /** Only for a temporary database of a test run: nothing is synced to disk. */
  isThrowAway?: boolean;
  /** Memory of the server and its connections. Default: a share of the machine's. */
  memoryBytes?: number | undefined;
  /** Connections that clients keep open. Default: those of one process. */
  connections?: number;
  /** Further PostgreSQL settings (`max_connections`), by name. They override the computed ones. */
  settings?: Readonly<Record<string, string>>;
  /** Package with PostgreSQL. Default: the installed one of this platform. */
  postgresPackage?: PostgresPackage;
}

export type EmbeddedPostgresEvent =
  | { kind: "created"; databaseDir: string }
  /** A server of a killed Bursar was stopped. */
  | { kind: "orphan_stopped"; pid: number }
  | SupervisorEvent;

export interface EmbeddedPostgres {
  /**
   * Connection string of the database `bursar`, for its owner, which is no superuser. Restarts do not change it. With a
   * password on Windows: not for a log.
   */
  connectionString: string;
  /** Process id of the server's first process. Restarts change it. */
  readonly pid: number;
  /** Stops the server, cleanly if it responds in time. Safe to call twice. */
  stop(): Promise<void>;
}

const DATABASE_NAME = "bursar";
const LOG_FILE = "postgres.log";
const LOOPBACK = "127.0.0.1";

/**
 * Starts PostgreSQL 18 on the data folder and supervises it until `stop()`. The first start creates the database (1–2
 * s), later ones take about 100 ms. Throws a StartError that states the remedy.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const dataDir = options.lock.folder;
  const databaseDir = join(dataDir, DATABASE_FOLDER);
  const user = await chooseServerUser(dataDir, databaseDir);
  const source = options.postgresPackage ?? (await findPostgresPackage());
  const binaries = await prepareBinaries(source, user, dataDir);
  const onEvent = options.onEvent ?? (() => undefined);

  const orphan = await stopOrphan(databaseDir, binaries);
  if (orphan !== null) onEvent({ kind: "orphan_stopped", pid: orphan });
  const isDurable = options.isThrowAway !== true;
  const access = await chooseAccess(user);
  const { isNew, passwords } = await ensureCluster({
    ...{ databaseDir, binaries, user, access, isDurable },
  });
  if (isNew) onEvent({ kind: "created", databaseDir });
  await writeAccessFiles(databaseDir, access, user);

  const place = await choosePlace(dataDir, user);
  const server = { ...place, user: SERVER_ROLE, password: passwords?.server ?? null };
  const superuser = { ...place, user: SUPERUSER_ROLE, password: passwords?.superuser ?? null };
  // Computed at each start, so a machine with more memory changes them.
  const size = await readServerPlace(dataDir, {
    memoryBytes: options.memoryBytes,
    connections: options.connections ?? countConnections(commandPools),
  });
  const supervisor = await superviseServer({
    binaries,
    databaseDir,
    user,
    settings: { ...makeServerSettings(place, isDurable), ...sizeServer(size), ...options.settings },
    logFile: join(dataDir, LOG_FILE),
    access: { server, superuser, database: DATABASE_NAME },
    onEvent,
  });
  if (passwords === null) await removeServerPassword(databaseDir);
  return {
    connectionString: toConnectionString(server),
    get pid() {
      return supervisor.pid();
    },
    stop: async () => {
      await supervisor.stop();
      await removeSocketDirectory(place.host);
    },
  };
}

/** Address of the server: a socket in `host`, or a loopback port on Windows. */
interface Place {
  host: string;
  port: number;
}

async function choosePlace(dataDir: string, user: ServerUser | null): Promise<Place> {
  if (process.platform === "win32") return { host: LOOPBACK, port: await findFreePort() };
  return { host: await makeSocketDirectory(dataDir, user), port: SOCKET_PORT };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, LOOPBACK, () => {
      const address = probe.address();
      assert(address !== null && typeof address === "object", "a TCP server has a port");
      probe.close(() => resolve(address.port));
    });
  });
}

function makeServerSettings({ host, port }: Place, isDurable: boolean): Record<string, string> {
  const synced = isDurable ? "on" : "off";
  return {
    listen_addresses: host === LOOPBACK ? LOOPBACK : "",
    unix_socket_directories: host === LOOPBACK ? "" : host,
    unix_socket_permissions: "0700",
    port: String(port),
    fsync: synced,
    synchronous_commit: synced,
    full_page_writes: synced,
    // One file, trimmed by log-file.ts, in the language that explain.ts parses.
    logging_collector: "off",
    log_destination: "stderr",
    log_checkpoints: "off",
    lc_messages: "C",
    log_timezone: "UTC",
    timezone: "UTC",
    // Statements are short, so compiling one costs more than running it.
    jit: "off",
  };
}

export function toConnectionString({ host, port, user, password }: ServerAddress): string {
  const login = password === null ? user : `${user}:${password}`;
  if (host === LOOPBACK) return `postgresql://${login}@${host}:${port}/${DATABASE_NAME}`;
  // The host of the query has priority. The other one only makes the URL valid for every parser.
  const socket = encodeURIComponent(host);
  return `postgresql://${login}@localhost:${port}/${DATABASE_NAME}?host=${socket}`;
}
