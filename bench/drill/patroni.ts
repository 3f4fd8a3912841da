import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../server/test/harness/eventually.ts";
import type { FailingDatabase } from "../../server/test/harness/failover-run.ts";
import { queryOnce } from "../../server/test/harness/query-once.ts";
import {
  type SwitchingRelay,
  startSwitchingRelay,
} from "../../server/test/harness/switching-relay.ts";
import { killOnExit, stopChild } from "../children.ts";
import { findFreePort } from "../targets/ports.ts";
import type { DrillPrograms } from "./programs.ts";

// PostgreSQL servers under Patroni, one etcd, and HAProxy in front of them, all on loopback. Members read each other's
// log through relays, so that the drill can delay it.

export interface PatroniOptions {
  programs: DrillPrograms;
  isSynchronous: boolean;
  memberCount: number;
}

export interface PatroniCluster extends FailingDatabase {
  stop(): Promise<void>;
}

interface Member {
  name: string;
  /** Port of PostgreSQL, for HAProxy. */
  port: number;
  restPort: number;
  relay: SwitchingRelay;
  dataDir: string;
  process: ChildProcess;
}

interface Cluster extends PatroniOptions {
  folder: string;
  etcdPort: number;
  proxyPort: number;
  members: Member[];
  processes: ChildProcess[];
}

const USER = "bursar";
const PASSWORD = "password-of-the-drill";
const DATABASE = "bursar";
/** Patroni's smallest values, seconds. The lease of a lost leader ends after `TTL`. */
const TTL_SECONDS = 20;
const LOOP_SECONDS = 2;
const RETRY_SECONDS = 3;
/** Patroni's default of 1 MB would keep a standby that is 1.5 s behind from its promotion. */
const MAX_LAG_BYTES = 64 * 1024 * 1024;
const START_BOUND_MS = 120_000;
const PROMOTION_BOUND_MS = 120_000;
const STOP_GRACE_MS = 20_000;

/** Starts the cluster and waits until HAProxy leads to its leader, with all standbys. */
export async function startPatroniCluster(options: PatroniOptions): Promise<PatroniCluster> {
  const folder = mkdtempSync(join(tmpdir(), "bursar-drill-"));
  chmodSync(folder, 0o755); // under root, the programs run as another user
  const cluster: Cluster = {
    ...options,
    folder,
    etcdPort: await findFreePort(),
    proxyPort: await findFreePort(),
    members: [],
    processes: [],
  };
  process.on("exit", () => removeCluster(cluster));
  await startEtcd(cluster);
  for (let number = 1; number <= options.memberCount; number++) {
    cluster.members.push(await startMember(cluster, `pg${number}`));
    // The first member becomes the leader. Otherwise members race for it.
    await eventually(START_BOUND_MS, `${number} members`, async () =>
      (await countRunning(cluster)) === number ? true : null,
    );
  }
  const leader = await findLeader(cluster);
  await queryOnce(toUrl(leader.port, "postgres"), `CREATE DATABASE ${DATABASE}`);
  startHaproxy(cluster);
  await eventually(START_BOUND_MS, "HAProxy to lead to the leader alone", async () => {
    // HAProxy first distributes connections to all members, until their health checks fail.
    for (const _ of cluster.members) if ((await isWritable(cluster)) === null) return null;
    return true;
  });
  await eventually(START_BOUND_MS, "the standbys to stream", () => areStandbysReady(cluster));
  return toFailingDatabase(cluster);
}

function toFailingDatabase(cluster: Cluster): PatroniCluster {
  return {
    connectionString: toUrl(cluster.proxyPort),
    startLoss: cluster.isSynchronous ? null : async () => (await findLeader(cluster)).relay.pause(),
    killPrimary: async () => killMember(cluster, await findLeader(cluster)),
    listStandbys: () => cluster.members.map(({ port }) => toUrl(port)),
    waitForPromotion: async () => {
      await eventually(PROMOTION_BOUND_MS, "the promotion", () => isWritable(cluster));
    },
    stop: () => stopCluster(cluster),
  };
}

async function startEtcd(cluster: Cluster): Promise<void> {
  const client = `http://127.0.0.1:${cluster.etcdPort}`;
  const peer = `http://127.0.0.1:${await findFreePort()}`;
  const folder = makeFolder(cluster, "etcd");
  start(
    cluster,
    "etcd",
    cluster.programs.etcd,
    [
      ["--name", "etcd"],
      ["--data-dir", folder],
      ["--listen-client-urls", client],
      ["--advertise-client-urls", client],
      ["--listen-peer-urls", peer],
      ["--initial-advertise-peer-urls", peer],
      ["--initial-cluster", `etcd=${peer}`],
      // The data is temporary.
      ["--unsafe-no-fsync"],
    ].flat(),
  );
  await eventually(START_BOUND_MS, "etcd to start", async () => {
    const response = await fetch(`${client}/health`).catch(() => null);
    return response?.ok === true ? true : null;
  });
}

async function startMember(cluster: Cluster, name: string): Promise<Member> {
  const [port, restPort] = [await findFreePort(), await findFreePort()];
  const relay = await startSwitchingRelay();
  relay.connectTo({ port });
  const folder = makeFolder(cluster, name);
  const dataDir = join(folder, "data");
  const file = join(folder, "patroni.yml");
  // JSON is valid YAML.
  const config = describeMember(cluster, { name, port, restPort, relay, folder, dataDir });
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o644 });
  const process = start(cluster, name, cluster.programs.patroni, [file]);
  return { name, port, restPort, relay, dataDir, process };
}

function describeMember(
  { etcdPort, isSynchronous, programs }: Cluster,
  member: Omit<Member, "process"> & { folder: string },
): object {
  const { name, port, restPort, relay, folder, dataDir } = member;
  const account = { username: USER, password: PASSWORD };
  return {
    scope: "bursar",
    name,
    etcd3: { host: `127.0.0.1:${etcdPort}` },
    restapi: { listen: `127.0.0.1:${restPort}`, connect_address: `127.0.0.1:${restPort}` },
    bootstrap: {
      dcs: {
        ttl: TTL_SECONDS,
        loop_wait: LOOP_SECONDS,
        retry_timeout: RETRY_SECONDS,
        maximum_lag_on_failover: MAX_LAG_BYTES,
        synchronous_mode: isSynchronous,
        postgresql: { use_pg_rewind: true, parameters: { max_connections: 200 } },
      },
      initdb: [{ encoding: "UTF8" }, { locale: "C.UTF-8" }, "data-checksums"],
    },
    postgresql: {
      listen: `127.0.0.1:${port}`,
      connect_address: `127.0.0.1:${relay.port}`,
      bin_dir: programs.postgresBin,
      data_dir: dataDir,
      pgpass: join(folder, "pgpass"),
      authentication: { superuser: account, replication: account, rewind: account },
      parameters: { unix_socket_directories: folder },
      pg_hba: [
        "local all all scram-sha-256",
        "host all all 127.0.0.1/32 scram-sha-256",
        "host replication all 127.0.0.1/32 scram-sha-256",
      ],
    },
  };
}

function startHaproxy(cluster: Cluster): void {
  const { proxyPort, members, programs } = cluster;
  const servers = members.map(
    ({ name, port, restPort }) => `  server ${name} 127.0.0.1:${port} check port ${restPort}`,
  );
  const file = join(makeFolder(cluster, "haproxy"), "haproxy.cfg");
  const config = `defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
listen primary
  bind 127.0.0.1:${proxyPort}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join("\n")}
`;
  writeFileSync(file, config, { mode: 0o644 });
  start(cluster, "haproxy", programs.haproxy, ["-db", "-f", file]);
}

/** Ends a member as the loss of its machine does. */
async function killMember(cluster: Cluster, member: Member): Promise<void> {
  cluster.members = cluster.members.filter((one) => one !== member);
  member.process.kill("SIGKILL");
  const pid = readPostgresPid(member);
  if (pid !== null) process.kill(pid, "SIGKILL");
  await member.relay.close();
}

async function findLeader({ members }: Cluster): Promise<Member> {
  for (const member of members) {
    if (await hasRole(member, "primary")) return member;
  }
  throw new Error("the cluster has no leader");
}

async function countRunning({ members }: Cluster): Promise<number> {
  const [leaders, replicas] = await Promise.all(
    (["primary", "replica"] as const).map((role) =>
      Promise.all(members.map((member) => hasRole(member, role))),
    ),
  );
  const count = (found: readonly boolean[] = []) => found.filter(Boolean).length;
  return count(leaders) === 1 ? 1 + count(replicas) : 0;
}

async function hasRole({ restPort }: Member, role: "primary" | "replica"): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${restPort}/${role}`).catch(() => null);
  return response?.status === 200;
}

async function isWritable({ proxyPort }: Cluster): Promise<true | null> {
  const rows = await queryOnce<{ isStandby: boolean }>(
    toUrl(proxyPort, "postgres"),
    `SELECT pg_is_in_recovery() AS "isStandby"`,
  ).catch(() => []);
  return rows[0]?.isStandby === false ? true : null;
}

async function areStandbysReady({ proxyPort, members, isSynchronous }: Cluster) {
  const rows = await queryOnce<{ state: string }>(
    toUrl(proxyPort),
    "SELECT sync_state AS state FROM pg_stat_replication WHERE state = 'streaming'",
  );
  const isComplete = rows.length === members.length - 1;
  return isComplete && rows.some(({ state }) => state === "sync") === isSynchronous ? true : null;
}

async function stopCluster(cluster: Cluster): Promise<void> {
  // Patroni needs etcd for its stop.
  for (const child of cluster.processes.toReversed()) {
    await stopChild(child, { signal: "SIGTERM", graceMs: STOP_GRACE_MS });
  }
  for (const { relay } of cluster.members) await relay.close();
  removeCluster(cluster);
}

/** Also kills PostgreSQL, because a killed Patroni leaves it running. */
function removeCluster({ members, folder }: Cluster): void {
  for (const member of members) {
    const pid = readPostgresPid(member);
    if (pid === null) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // PostgreSQL has ended.
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

function readPostgresPid({ dataDir }: Member): number | null {
  try {
    const [line = ""] = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
    return Number(line);
  } catch {
    return null;
  }
}

function makeFolder({ folder, programs }: Cluster, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { mode: 0o700 });
  const { user } = programs;
  if (user !== null) chownSync(path, user.uid, user.gid);
  return path;
}

/** Starts a program, with its output in `<folder>/<name>.log`. */
function start(
  cluster: Cluster,
  name: string,
  program: string,
  args: readonly string[],
): ChildProcess {
  const log = openSync(join(cluster.folder, `${name}.log`), "a");
  const child = killOnExit(
    spawn(program, args, {
      ...cluster.programs.user,
      cwd: "/",
      env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", HOME: cluster.folder },
      stdio: ["ignore", log, log],
    }),
  );
  closeSync(log);
  cluster.processes.push(child);
  return child;
}

function toUrl(port: number, database = DATABASE): string {
  return `postgresql://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
}
