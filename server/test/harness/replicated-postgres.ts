import {
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { ServerAddress } from "#src/db/embedded-postgres/connection.ts";
import { DATABASE_FOLDER } from "#src/db/embedded-postgres/data-directory.ts";
import { waitUntilReady } from "#src/db/embedded-postgres/readiness.ts";
import { SERVER_ROLE, SUPERUSER_ROLE } from "#src/db/embedded-postgres/roles.ts";
import {
  type ServerProcess,
  startServerProcess,
} from "#src/db/embedded-postgres/server-process.ts";
import { makeSocketDirectory, SOCKET_PORT } from "#src/db/embedded-postgres/socket-directory.ts";
import { toConnectionString } from "#src/db/embedded-postgres.ts";
import { migrate } from "#src/db/migrate.ts";
import { copyFolder } from "./copy-folder.ts";
import { eventually } from "./eventually.ts";
import { findTestPostgres, type TestPostgres } from "./postgres-programs.ts";
import { queryOnce } from "./query-once.ts";
import { asSuperuser } from "./superuser.ts";
import { type SwitchingRelay, startSwitchingRelay } from "./switching-relay.ts";
import { requireTestProject } from "./test-project.ts";

// A primary PostgreSQL with one physical standby, for tests of failovers. Clients connect through a relay that leads to
// the current primary, as HAProxy in front of a cluster does.

requireTestProject("database");

export interface ReplicatedPostgresOptions {
  /** Whether a commit waits until the standby has written it (`synchronous_standby_names`). */
  isSynchronous: boolean;
  /** Further settings of both servers, by name. */
  settings?: Readonly<Record<string, string>>;
}

export interface FailOver {
  /**
   * Time before the kill in which the standby receives nothing, milliseconds. Commits of this time are lost, or with
   * synchronous replication stall and are never acknowledged. Default: 0.
   */
  lostMs?: number;
  /** Time without a primary before the promotion, milliseconds. Default: 0. */
  awayMs?: number;
}

export interface ReplicatedPostgres {
  /** Connection string of the current primary, through the relay. A failover does not change it. */
  readonly connectionString: string;
  readonly isSynchronous: boolean;
  /** Connection string of the standby itself. Throws without a standby. */
  readonly standbyConnectionString: string;
  /** Runs one statement on the current primary. */
  sql<T extends object>(statement: string, values?: readonly unknown[]): Promise<T[]>;
  /** Runs one statement on the current primary as its superuser. */
  superuserSql(statement: string): Promise<void>;
  /** The standby receives nothing from now on. */
  pauseReplication(): void;
  resumeReplication(): void;
  /** Waits until the standby has all commits so far. */
  waitUntilReplicated(): Promise<void>;
  /** Ends the primary without a checkpoint. Connections break, and the relay closes new ones. */
  killPrimary(): Promise<void>;
  /** Makes the standby the primary. The relay then leads to it. */
  promoteStandby(): Promise<void>;
  /** Kills the primary, then promotes the standby. */
  failOver(options?: FailOver): Promise<void>;
  /** Creates a standby of the current primary after a failover, for another one. */
  addStandby(): Promise<void>;
  /** Stops both servers and removes their files. */
  stop(): Promise<void>;
}

/** Name of the standby in `synchronous_standby_names`. */
const STANDBY_NAME = "bursar_standby";
const DATABASE = "bursar";
const BOUND_MS = 60_000;
const FOLDER_PREFIX = "bursar-test-replicated-";
const LOG_FILE = "postgres.log";
const PROMOTE_BOUND_SECONDS = 60;

const SETTINGS = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  port: String(SOCKET_PORT),
  max_connections: "200",
  shared_buffers: "64MB",
  // A standby is copied without this log and reads it from the primary.
  wal_keep_size: "1GB",
  max_wal_size: "1GB",
  wal_init_zero: "off",
  wal_recycle: "off",
  hot_standby: "on",
  // The default of 5 s would delay a standby that starts before its primary.
  wal_retrieve_retry_interval: "50ms",
  wal_receiver_status_interval: "1s",
  logging_collector: "off",
  log_destination: "stderr",
  lc_messages: "C",
  timezone: "UTC",
  log_timezone: "UTC",
  jit: "off",
};

interface Server {
  process: ServerProcess;
  folder: string;
  address: ServerAddress;
}

interface Cluster {
  folder: string;
  postgres: TestPostgres;
  options: ReplicatedPostgresOptions;
  clientRelay: SwitchingRelay;
  replicationRelay: SwitchingRelay;
  primary: Server | null;
  standby: Server | null;
  /** Servers that the process must end. */
  running: Set<ServerProcess>;
  serverCount: number;
}

/** Starts a primary with the schema of the product and no rows, and a standby. */
export async function startReplicatedPostgres(
  options: ReplicatedPostgresOptions,
): Promise<ReplicatedPostgres> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), FOLDER_PREFIX)));
  const postgres = await findTestPostgres(folder);
  const primaryFolder = join(folder, "server-1");
  await postgres.createDatabase(primaryFolder);
  const cluster: Cluster = {
    folder,
    postgres,
    options,
    clientRelay: await startSwitchingRelay(),
    replicationRelay: await startSwitchingRelay(),
    primary: null,
    standby: null,
    running: new Set(),
    serverCount: 1,
  };
  const killAll = () => {
    for (const { pid } of cluster.running) process.kill(pid, "SIGKILL");
  };
  // A process that a signal ends does not stop anything.
  process.on("exit", killAll);
  try {
    cluster.primary = await startPostgres(cluster, primaryFolder);
    openRelays(cluster, cluster.primary);
    await migrate({ connectionString: toRelayUrl(cluster) });
    // Without it the doctor cannot see which standbys are synchronous.
    await queryAsSuperuser(cluster, `GRANT pg_monitor TO ${SERVER_ROLE}`);
    await addStandby(cluster);
  } catch (error) {
    await stopCluster(cluster);
    throw error;
  }
  return {
    connectionString: toRelayUrl(cluster),
    isSynchronous: options.isSynchronous,
    get standbyConnectionString() {
      return toConnectionString(getStandby(cluster).address);
    },
    sql: (statement, values) => queryOnce(toRelayUrl(cluster), statement, values),
    superuserSql: (statement) => queryAsSuperuser(cluster, statement),
    pauseReplication: () => cluster.replicationRelay.pause(),
    resumeReplication: () => cluster.replicationRelay.resume(),
    waitUntilReplicated: () => waitUntilReplicated(cluster),
    killPrimary: () => killPrimary(cluster),
    promoteStandby: () => promoteStandby(cluster),
    failOver: (how) => failOver(cluster, how),
    addStandby: () => addStandby(cluster),
    stop: async () => {
      process.off("exit", killAll);
      await stopCluster(cluster);
    },
  };
}

async function failOver(
  cluster: Cluster,
  { lostMs = 0, awayMs = 0 }: FailOver = {},
): Promise<void> {
  if (lostMs > 0) {
    cluster.replicationRelay.pause();
    await delay(lostMs);
  }
  await killPrimary(cluster);
  await delay(awayMs);
  await promoteStandby(cluster);
}

async function killPrimary(cluster: Cluster): Promise<void> {
  const { primary, clientRelay, replicationRelay } = cluster;
  if (primary === null) throw new Error("there is no primary");
  cluster.primary = null;
  // Bytes in the relay are lost, as in the buffers of a machine that fails.
  replicationRelay.connectTo(null);
  clientRelay.connectTo(null);
  process.kill(primary.process.pid, "SIGQUIT");
  await primary.process.exited;
  await removeServer(primary);
}

async function promoteStandby(cluster: Cluster): Promise<void> {
  const standby = getStandby(cluster);
  const [row] = await queryOnce<{ promoted: boolean }>(
    asSuperuser(toConnectionString(standby.address)),
    `SELECT pg_promote(true, ${PROMOTE_BOUND_SECONDS}) AS promoted`,
  );
  if (row?.promoted !== true) throw new Error("the standby could not be promoted");
  cluster.standby = null;
  cluster.primary = standby;
  openRelays(cluster, standby);
}

/** Copies the running primary and starts the copy as its standby. */
async function addStandby(cluster: Cluster): Promise<void> {
  const { primary } = cluster;
  if (primary === null) throw new Error("there is no primary to copy");
  if (cluster.standby !== null) throw new Error("there is a standby already");
  cluster.serverCount += 1;
  const folder = join(cluster.folder, `server-${cluster.serverCount}`);
  await mkdir(folder, { mode: 0o700 });
  const target = join(folder, DATABASE_FOLDER);
  const label = await copyPrimary(primary, target);
  await rm(join(target, "postmaster.pid"));
  // The standby reads its whole log from the primary.
  for (const name of await readdir(join(target, "pg_wal"))) {
    await rm(join(target, "pg_wal", name), { recursive: true });
  }
  const files = {
    backup_label: label,
    "standby.signal": "",
    "postgresql.auto.conf": `primary_conninfo = '${describePrimary(cluster)}'\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = join(target, name);
    await writeFile(file, text, { mode: 0o600 });
    const { user } = cluster.postgres;
    if (user !== null) await chown(file, user.uid, user.gid);
  }
  cluster.standby = await startPostgres(cluster, folder);
  await waitUntilStreaming(cluster);
}

/** Copies the files of a running server. Returns the label with the start of the log that the copy needs. */
async function copyPrimary({ address, folder }: Server, target: string): Promise<string> {
  const backup = new pg.Client(asSuperuser(toConnectionString(address)));
  await backup.connect();
  try {
    await backup.query("SELECT pg_backup_start('standby', fast => true)");
    await copyFolder(join(folder, DATABASE_FOLDER), target);
    const { rows } = await backup.query<{ labelfile: string }>(
      "SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)",
    );
    return rows[0]?.labelfile ?? "";
  } finally {
    await backup.end();
  }
}

function describePrimary({ replicationRelay }: Cluster): string {
  const { port } = replicationRelay;
  return `host=127.0.0.1 port=${port} user=${SUPERUSER_ROLE} application_name=${STANDBY_NAME}`;
}

/** With synchronous replication commits wait for the standby from now on. */
async function waitUntilStreaming(cluster: Cluster): Promise<void> {
  const { isSynchronous } = cluster.options;
  const url = toRelayUrl(cluster);
  if (isSynchronous) {
    await queryAsSuperuser(
      cluster,
      `ALTER SYSTEM SET synchronous_standby_names = '${STANDBY_NAME}'`,
    );
    await queryAsSuperuser(cluster, "SELECT pg_reload_conf()");
  }
  await eventually(BOUND_MS, "the standby to stream", async () => {
    const [row] = await queryOnce<{ isStreaming: boolean }>(
      url,
      `SELECT state = 'streaming' AND sync_state = $1 AS "isStreaming"
       FROM pg_stat_replication WHERE application_name = $2`,
      [isSynchronous ? "sync" : "async", STANDBY_NAME],
    );
    return row?.isStreaming === true ? true : null;
  });
  await waitUntilReplicated(cluster);
}

async function waitUntilReplicated(cluster: Cluster): Promise<void> {
  const url = toRelayUrl(cluster);
  const [written] = await queryOnce<{ position: string }>(
    url,
    "SELECT pg_current_wal_flush_lsn() AS position",
  );
  await eventually(BOUND_MS, "the standby to replay all commits", async () => {
    const [row] = await queryOnce<{ isReplayed: boolean }>(
      url,
      `SELECT replay_lsn >= $1 AS "isReplayed" FROM pg_stat_replication WHERE application_name = $2`,
      [written?.position, STANDBY_NAME],
    );
    return row?.isReplayed === true ? true : null;
  });
}

async function startPostgres(cluster: Cluster, folder: string): Promise<Server> {
  const { postgres, options } = cluster;
  const host = await makeSocketDirectory(folder, postgres.user);
  const address = { host, port: SOCKET_PORT, user: SERVER_ROLE, password: null };
  const logFile = join(folder, LOG_FILE);
  const server = await startServerProcess({
    binaries: postgres.binaries,
    databaseDir: join(folder, DATABASE_FOLDER),
    user: postgres.user,
    settings: { ...SETTINGS, unix_socket_directories: host, ...options.settings },
    logFile,
  });
  cluster.running.add(server);
  void server.exited.then(() => cluster.running.delete(server));
  const superuser = { ...address, user: SUPERUSER_ROLE };
  const readiness = await waitUntilReady(server, {
    ...{ server: address, superuser, database: DATABASE },
  });
  if (readiness.kind === "exited") {
    throw new Error(
      `PostgreSQL ${readiness.exit.how}: ${readiness.exit.reason}\n${await readFile(logFile, "utf8")}`,
    );
  }
  return { process: server, folder, address };
}

function openRelays({ clientRelay, replicationRelay }: Cluster, { address }: Server): void {
  const target = { path: join(address.host, `.s.PGSQL.${address.port}`) };
  replicationRelay.resume();
  replicationRelay.connectTo(target);
  clientRelay.connectTo(target);
}

async function stopCluster(cluster: Cluster): Promise<void> {
  const { clientRelay, replicationRelay, primary, standby } = cluster;
  await clientRelay.close();
  await replicationRelay.close();
  for (const { pid, exited } of [...cluster.running]) {
    process.kill(pid, "SIGQUIT");
    await exited;
  }
  for (const server of [primary, standby]) if (server !== null) await removeServer(server);
  await rm(cluster.folder, { recursive: true, force: true });
}

async function removeServer({ folder, address }: Server): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rm(address.host, { recursive: true, force: true });
}

function getStandby({ standby }: Cluster): Server {
  if (standby === null) throw new Error("there is no standby");
  return standby;
}

async function queryAsSuperuser(cluster: Cluster, statement: string): Promise<void> {
  await queryOnce(asSuperuser(toRelayUrl(cluster)), statement);
}

function toRelayUrl({ clientRelay }: Cluster): string {
  const { port } = clientRelay;
  return toConnectionString({ host: "127.0.0.1", port, user: SERVER_ROLE, password: null });
}
