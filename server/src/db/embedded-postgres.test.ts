import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { acquireProcessLock, type ProcessLock } from "#src/lib/process-lock.ts";
import { isAlive } from "#src/lib/running-process.ts";
import {
  POSTGRES_PROGRAM,
  type PostgresProgram,
  startPostgresProgram,
} from "#test/harness/postgres-program.ts";
import { copyPreparedDatabase, TEST_MEMORY_BYTES } from "#test/harness/prepared-database.ts";
import { asSuperuser } from "#test/harness/superuser.ts";
import { requireTestProject } from "#test/harness/test-project.ts";
import { isDiskFull } from "./database-error.ts";
import { findPostgresPackage, type PostgresPackage } from "./embedded-postgres/binaries.ts";
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresEvent,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from "./embedded-postgres.ts";

requireTestProject("product");

// All tests run as root and as an ordinary user. Tests that need root have that in their name and are defined only
// there.
const isRoot = process.getuid?.() === 0;
const UNPRIVILEGED_ID = 65534;
const START_TIMEOUT_MS = 120_000;

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function temporaryFolder(name = "data"): Promise<string> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), "bursar-postgres-test-")));
  // Like a user's folder: others can enter, only the owner can write.
  await chmod(parent, 0o755);
  cleanUps.push(() => rm(parent, { recursive: true, force: true }));
  return join(parent, name);
}

/** Data folder with a created database, copied from one that the test run shares. initdb costs 0.5 s of CPU time. */
async function folderWithDatabase(): Promise<string> {
  const dataDir = await temporaryFolder();
  await copyPreparedDatabase(dataDir);
  return dataDir;
}

interface Started {
  postgres: EmbeddedPostgres;
  lock: ProcessLock;
  events: EmbeddedPostgresEvent[];
  stop(): Promise<void>;
}

async function start(
  dataDir: string,
  isThrowAway = true,
  options: Partial<EmbeddedPostgresOptions> = {},
): Promise<Started> {
  const events: EmbeddedPostgresEvent[] = [];
  const lock = await acquireProcessLock(dataDir);
  const onEvent = (event: EmbeddedPostgresEvent) => void events.push(event);
  const postgres = await startEmbeddedPostgres({
    ...{ lock, isThrowAway, onEvent, memoryBytes: TEST_MEMORY_BYTES },
    ...options,
  }).catch(async (error) => {
    await lock.release();
    throw error;
  });
  const stop = async () => {
    await postgres.stop();
    await lock.release();
  };
  cleanUps.push(stop);
  return { postgres, lock, events, stop };
}

async function query<Row extends object>(connectionString: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  // The statement fails if the server is killed during it, which is enough.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

function runProgram(...started: Parameters<typeof startPostgresProgram>): PostgresProgram {
  const program = startPostgresProgram(...started);
  cleanUps.push(program.stop);
  return program;
}

const CREATE_MARK = "CREATE TABLE mark AS SELECT 7 AS value";
const READ_MARK = "SELECT value FROM mark";

describe("embedded PostgreSQL", { timeout: START_TIMEOUT_MS }, () => {
  test("the first start creates a durable UTF-8 database without a network port, and stop ends it", async () => {
    const { postgres, events, lock, stop } = await start(await temporaryFolder(), false);
    const settings = await query<{ name: string; setting: string }>(
      postgres.connectionString,
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes',
         'listen_addresses', 'server_encoding', 'data_checksums') ORDER BY name`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      data_checksums: "on",
      fsync: "on",
      full_page_writes: "on",
      listen_addresses: "",
      server_encoding: "UTF8",
      synchronous_commit: "on",
    });
    const [database] = await query(
      postgres.connectionString,
      `SELECT datname, datcollate, datlocprovider, datlocale, current_user AS owner
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(database).toEqual({
      datname: "bursar",
      datcollate: "C",
      datlocprovider: "b",
      datlocale: "C.UTF-8",
      owner: "bursar",
    });
    expect(events).toEqual([{ kind: "created", databaseDir: join(lock.folder, "postgres") }]);
    const { pid, connectionString } = postgres;
    await stop();
    expect(isAlive(pid)).toBe(false);
    const socketFolder = new URL(connectionString).searchParams.get("host") ?? "";
    await expect(stat(socketFolder)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("the folders of the database and of its socket are closed to other users", async () => {
    const { postgres, lock } = await start(await temporaryFolder());
    const url = new URL(postgres.connectionString);
    const folders = [url.searchParams.get("host") ?? "", join(lock.folder, "postgres")];
    const modes = await Promise.all(folders.map(async (path) => (await stat(path)).mode & 0o777));
    expect(modes).toEqual([0o700, 0o700]);
  });

  test("a restart keeps the data and the connection string", async () => {
    const dataDir = await folderWithDatabase();
    const first = await start(dataDir, false);
    await query(first.postgres.connectionString, CREATE_MARK);
    await first.stop();
    const second = await start(dataDir, false);
    expect(second.postgres.connectionString).toBe(first.postgres.connectionString);
    expect(await query(second.postgres.connectionString, READ_MARK)).toEqual([{ value: 7 }]);
    expect(second.events).toEqual([]);
  });

  test("a restart applies the settings of the memory that it has", async () => {
    const dataDir = await folderWithDatabase();
    const read = async (memoryBytes: number) => {
      const { postgres, stop } = await start(dataDir, true, { memoryBytes, connections: 24 });
      const [row] = await query<{ shared: string; work: string }>(
        postgres.connectionString,
        "SELECT current_setting('shared_buffers') AS shared, current_setting('work_mem') AS work",
      );
      await stop();
      return row;
    };
    expect(await read(256 * 1024 ** 2)).toEqual({ shared: "92MB", work: "2208kB" });
    expect(await read(512 * 1024 ** 2)).toEqual({ shared: "220MB", work: "5280kB" });
  });

  test("a data folder with spaces, quotes, commas, accents and a long path works", async () => {
    const dataDir = await temporaryFolder(join(`dätä, 'of' "mine"`, "x".repeat(120)));
    const { postgres } = await start(dataDir);
    expect(await query(postgres.connectionString, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("after kill -9 of Bursar, the next start ends the server without losing a commit", async () => {
    const dataDir = await folderWithDatabase();
    const killed = runProgram([dataDir]);
    const before = await killed.told("ready");
    await query(before.connectionString, CREATE_MARK);
    killed.child.kill("SIGKILL");
    await killed.exited;
    expect(isAlive(before.pid)).toBe(true);

    const { postgres, events } = await start(dataDir, false);
    expect(events).toEqual([{ kind: "orphan_stopped", pid: before.pid }]);
    expect(isAlive(before.pid)).toBe(false);
    expect(await query(postgres.connectionString, READ_MARK)).toEqual([{ value: 7 }]);
  });

  test("refuses a second start on the same data folder and names the owner", async () => {
    const dataDir = await folderWithDatabase();
    const owner = runProgram([dataDir]);
    const { connectionString, pid } = await owner.told("ready");
    const second = runProgram([dataDir]);
    const { message } = await second.told("failed");
    expect(message).toContain(`Another Bursar (process ${owner.child.pid}, since `);
    expect(message).toContain(`is using the data folder ${dataDir}.`);
    await second.exited;
    expect(second.child.exitCode).toBe(1);
    expect(isAlive(pid)).toBe(true);
    expect(await query(connectionString, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s to Bursar ends the server cleanly",
    async (signal) => {
      const dataDir = await folderWithDatabase();
      const program = runProgram([dataDir]);
      const { pid } = await program.told("ready");
      program.child.kill(signal);
      await program.told("stopped");
      await program.exited;
      expect(program.child.exitCode).toBe(0);
      expect(isAlive(pid)).toBe(false);
      expect(await readFile(join(dataDir, "postgres.log"), "utf8")).toContain(
        "database system is shut down",
      );
      expect(await readdir(join(dataDir, "postgres"))).not.toContain("postmaster.pid");
    },
  );

  test("Ctrl-C in the terminal does not reach the server", async () => {
    const { postgres } = await start(await folderWithDatabase());
    const status = await readFile(`/proc/${postgres.pid}/stat`, "utf8");
    const [, , processGroup, session] = status.slice(status.lastIndexOf(")") + 2).split(" ");
    expect([Number(processGroup), Number(session)]).toEqual([postgres.pid, postgres.pid]);
  });

  test("restarts a dead server at the same address", async () => {
    const { postgres, events } = await start(await folderWithDatabase(), false);
    await query(postgres.connectionString, CREATE_MARK);
    const { pid } = postgres;
    process.kill(pid, "SIGKILL");
    await expect.poll(() => events.at(-1)?.kind, { timeout: 20_000 }).toBe("restarted");
    expect(events.map(({ kind }) => kind)).toEqual(["died", "restarted"]);
    expect(postgres.pid).not.toBe(pid);
    expect(await query(postgres.connectionString, READ_MARK)).toEqual([{ value: 7 }]);
  });

  test("gives up on a server that cannot restart, with the reason", async () => {
    const { postgres, events, lock } = await start(await folderWithDatabase());
    await rm(join(lock.folder, "postgres", "PG_VERSION"));
    process.kill(postgres.pid, "SIGKILL");
    await expect.poll(() => events.at(-1)?.kind, { timeout: 20_000 }).toBe("gave_up");
    const last = events.at(-1);
    expect(last?.kind === "gave_up" && last.reason).toContain("is not a valid data directory");
  });

  test("an interrupted first start does not block the next one", async () => {
    const dataDir = await temporaryFolder();
    const killed = runProgram([dataDir]);
    const hasBegun = async () =>
      (await readdir(dataDir).catch(() => [])).some((name) => name.startsWith("postgres.new-"));
    await expect.poll(hasBegun, { timeout: 20_000, interval: 5 }).toBe(true);
    killed.child.kill("SIGKILL");
    await killed.exited;
    expect(await readdir(dataDir)).not.toContain("postgres");

    const { postgres } = await start(dataDir);
    expect(await query(postgres.connectionString, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("does not kill another process with the old server's id", async () => {
    const dataDir = await folderWithDatabase();
    const first = await start(dataDir);
    await first.stop();
    const stranger = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
      ...(isRoot && { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID }),
    });
    await once(stranger, "spawn");
    cleanUps.push(async () => void stranger.kill("SIGKILL"));
    await writeFile(join(dataDir, "postgres", "postmaster.pid"), `${stranger.pid}\n`);
    const { events } = await start(dataDir);
    expect(events).toEqual([]);
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
  });

  test("refuses a folder with other files or another version, and keeps it", async () => {
    const dataDir = await temporaryFolder();
    const database = join(dataDir, "postgres");
    await mkdir(database, { recursive: true });
    await writeFile(join(database, "notes.txt"), "mine");
    await expect(start(dataDir)).rejects.toThrow("contains files but no PostgreSQL database");
    await writeFile(join(database, "PG_VERSION"), "17\n");
    await expect(start(dataDir)).rejects.toThrow(
      "contains a database of PostgreSQL 17, but this Bursar includes PostgreSQL 18",
    );
    expect((await readdir(database)).sort()).toEqual(["PG_VERSION", "notes.txt"]);
  });

  test("creates missing library links of the installation", async () => {
    const postgresPackage = await copyOfPackage(await temporaryFolder("node_modules"));
    const { postgres } = await start(await temporaryFolder(), true, { postgresPackage });
    expect(await query(postgres.connectionString, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(await readdir(join(postgresPackage.nativeDir, "lib"))).toContain("libpq.so.5");
  });

  const closedTo = isRoot ? "that the server's user cannot enter" : "that its user cannot write to";
  test(`an installation in a folder ${closedTo} runs from a copy, which the next start uses again`, async () => {
    const parent = await temporaryFolder("node_modules");
    const postgresPackage = await copyOfPackage(parent);
    const { nativeDir } = postgresPackage;
    const closed = isRoot ? [parent] : [nativeDir, join(nativeDir, "lib")];
    for (const folder of closed) await chmod(folder, isRoot ? 0o700 : 0o555);
    cleanUps.push(async () => {
      for (const folder of closed) await chmod(folder, 0o755);
    });
    const dataDir = await temporaryFolder();
    const name = `postgresql-${postgresPackage.version}-${process.platform}-${process.arch}`;
    const copy = join(isRoot ? "/var/cache/bursar" : dataDir, name);
    cleanUps.push(() => rm(copy, { recursive: true, force: true }));

    const first = await start(dataDir, true, { postgresPackage });
    expect(await query(first.postgres.connectionString, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    const { ino } = await stat(copy);
    await first.stop();
    await start(dataDir, true, { postgresPackage });
    expect((await stat(copy)).ino).toBe(ino);
  });

  const rootOnly = isRoot ? test : () => undefined;

  rootOnly(
    "as root: the server runs as an unprivileged user, also below a folder that only root can enter",
    async () => {
      const dataDir = await temporaryFolder();
      await chmod(dirname(dataDir), 0o700);
      const first = await start(dataDir, false);
      await query(first.postgres.connectionString, CREATE_MARK);
      expect([0, UNPRIVILEGED_ID]).not.toContain(await ownerOf(first.postgres.pid));
      // After a session crash the server restarts its processes from the same closed folder.
      const [writer] = await query<{ pid: number }>(
        asSuperuser(first.postgres.connectionString),
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'background writer'",
      );
      if (writer === undefined) throw new Error("PostgreSQL has a background writer");
      process.kill(writer.pid, "SIGKILL");
      const readAgain = () => query(first.postgres.connectionString, READ_MARK).catch(() => null);
      await expect.poll(readAgain, { timeout: 20_000 }).toEqual([{ value: 7 }]);
      expect(first.events.map(({ kind }) => kind)).toEqual(["created"]);
      await first.stop();
      const second = await start(dataDir, false);
      expect(await query(second.postgres.connectionString, READ_MARK)).toEqual([{ value: 7 }]);
    },
  );

  rootOnly(
    "as root: the server runs as the owner of the data folder, also one without a user name",
    async () => {
      const dataDir = await temporaryFolder();
      const owner = 54_321;
      await mkdir(dataDir);
      await chown(dataDir, owner, owner);
      const { postgres } = await start(dataDir, false);
      expect(await stat(`/proc/${postgres.pid}`)).toMatchObject({ uid: owner, gid: owner });
      const { uid, mode } = await stat(join(dataDir, "postgres", "pg_hba.conf"));
      expect([uid, mode & 0o777]).toEqual([owner, 0o600]);
    },
  );

  rootOnly("as root: a database of user 65534 gets a user of its own", async () => {
    const dataDir = await folderWithDatabase();
    const { uid, gid } = await stat(join(dataDir, "postgres"));
    for (const entry of ["", ...(await readdir(join(dataDir, "postgres"), { recursive: true }))]) {
      await chown(join(dataDir, "postgres", entry), UNPRIVILEGED_ID, UNPRIVILEGED_ID);
    }
    const { postgres } = await start(dataDir);
    expect(await ownerOf(postgres.pid)).toBe(uid);
    expect(await stat(join(dataDir, "postgres", "base"))).toMatchObject({ uid, gid });
  });

  const asNobody = canRunAsNobody() ? test : () => undefined;

  asNobody("as root, for an ordinary user: kill -9, orphan, restart", async () => {
    const dataDir = await temporaryFolder();
    await mkdir(dataDir);
    await chown(dataDir, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
    const user = { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID };
    const killed = runProgram([dataDir], user);
    const before = await killed.told("ready");
    await query(before.connectionString, CREATE_MARK);
    killed.child.kill("SIGKILL");
    await killed.exited;
    const restarted = runProgram([dataDir], user);
    expect((await restarted.told("orphan_stopped")).pid).toBe(before.pid);
    const { connectionString } = await restarted.told("ready");
    expect(await query(connectionString, READ_MARK)).toEqual([{ value: 7 }]);
  });

  const withMount = canMount() ? test : () => undefined;

  withMount("as root: reports a too small disk as full and leaves no files", async () => {
    const dataDir = await mountSmallDisk("24m");
    await expect(start(dataDir)).rejects.toThrow(
      `Cannot create the database in ${dataDir}/postgres: the disk is full (no space left on device).`,
    );
    expect(await readdir(dataDir)).toEqual(["bursar.lock"]);
  });

  withMount(
    "as root: a disk that fills up later fails statements with 53100, matched by isDiskFull",
    async () => {
      const { postgres } = await start(await mountSmallDisk("96m"));
      const fill = query(
        postgres.connectionString,
        "CREATE UNLOGGED TABLE fill AS SELECT repeat('x', 2000) FROM generate_series(1, 100000)",
      );
      const error: unknown = await fill.then(
        () => null,
        (reason) => reason,
      );
      expect(isDiskFull(error)).toBe(true);
    },
  );
});

/** Copies the package as npm leaves it without install scripts, under a version that no other test has. */
async function copyOfPackage(parent: string): Promise<PostgresPackage> {
  const { nativeDir } = await findPostgresPackage();
  const links: { target: string }[] = JSON.parse(
    await readFile(join(nativeDir, "pg-symlinks.json"), "utf8"),
  );
  const names = new Set(links.map(({ target }) => join(dirname(nativeDir), target)));
  const copy = join(parent, "native");
  await cp(nativeDir, copy, { recursive: true, filter: (path) => !names.has(path) });
  return { nativeDir: copy, version: `test-${randomBytes(4).toString("hex")}` };
}

/** User id of a process. */
async function ownerOf(pid: number): Promise<number> {
  return (await stat(`/proc/${pid}`)).uid;
}

/** True if another user can read and run this checkout. */
function canRunAsNobody(): boolean {
  if (!isRoot) return false;
  const user = { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID };
  const script = `require("node:fs").readFileSync(${JSON.stringify(POSTGRES_PROGRAM)})`;
  return spawnSync(process.execPath, ["-e", script], { ...user, cwd: "/" }).status === 0;
}

function canMount(): boolean {
  if (!isRoot || process.platform !== "linux") return false;
  const folder = mkdtempSync(join(tmpdir(), "bursar-mount-"));
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "tmpfs", folder]).status === 0;
  if (isMounted) spawnSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  return isMounted;
}

async function mountSmallDisk(size: string): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(folder);
  const { status, stderr } = spawnSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${size}`,
    "tmpfs",
    folder,
  ]);
  if (status !== 0) throw new Error(`mount: ${stderr}`);
  cleanUps.push(async () => void spawnSync("umount", ["-l", folder]));
  return folder;
}
