import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
} from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { acquireProcessLock } from "#src/lib/process-lock.ts";
import { copyFolder } from "#test/harness/copy-folder.ts";
import { eventually } from "#test/harness/eventually.ts";
import { createOlderCluster } from "#test/harness/older-cluster.ts";
import { copyPreparedDatabase, TEST_MEMORY_BYTES } from "#test/harness/prepared-database.ts";
import { queryOnce } from "#test/harness/query-once.ts";
import { asSuperuser } from "#test/harness/superuser.ts";
import { requireTestProject } from "#test/harness/test-project.ts";
import { type EmbeddedPostgresEvent, startEmbeddedPostgres } from "../embedded-postgres.ts";
import { migrate } from "../migrate.ts";
import { writeAccessFiles } from "./access.ts";
import { findPostgresPackage, prepareBinaries } from "./binaries.ts";
import { connectServer } from "./connection.ts";
import { ensureCluster } from "./data-directory.ts";
import { waitUntilReady } from "./readiness.ts";
import { startServerProcess } from "./server-process.ts";
import { chooseServerUser } from "./server-user.ts";

requireTestProject("product");

const isRoot = process.getuid?.() === 0;
const OTHER_USER = { uid: 65_534, gid: 65_534 };
/** A user id without a name. */
const NAMELESS_USER = { uid: 54_321, gid: 54_321 };
const PROGRAM = join(import.meta.dirname, "../../../test/harness/postgres-process.ts");
const WAIT_MS = 60_000;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function makeParent(): Promise<string> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), "bursar-roles-test-")));
  await chmod(parent, 0o755);
  return parent;
}

async function makeDataDir(): Promise<string> {
  const parent = await makeParent();
  cleanUps.push(() => rm(parent, { recursive: true, force: true }));
  return join(parent, "data");
}

async function start(dataDir: string) {
  const events: EmbeddedPostgresEvent["kind"][] = [];
  const lock = await acquireProcessLock(dataDir);
  const postgres = await startEmbeddedPostgres({
    ...{ lock, isThrowAway: true, memoryBytes: TEST_MEMORY_BYTES },
    onEvent: ({ kind }) => void events.push(kind),
  }).catch(async (error) => {
    await lock.release();
    throw error;
  });
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await postgres.stop();
    await lock.release();
  };
  cleanUps.push(stop);
  return { url: postgres.connectionString, events, stop };
}

/** Objects that belong neither to the server's role nor to PostgreSQL itself. */
const FOREIGN_OBJECTS = `
  SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM own) AND c.relowner <> (SELECT oid FROM role)
  UNION ALL SELECT proname FROM pg_proc WHERE pronamespace IN (SELECT oid FROM own) AND proowner <> (SELECT oid FROM role)
  UNION ALL SELECT typname FROM pg_type WHERE typnamespace IN (SELECT oid FROM own) AND typowner <> (SELECT oid FROM role)
  UNION ALL SELECT nspname FROM own WHERE nspowner NOT IN (SELECT oid FROM role UNION ALL SELECT 'pg_database_owner'::regrole)
  UNION ALL SELECT datname FROM pg_database WHERE datname = 'bursar' AND datdba <> (SELECT oid FROM role)`;

async function listForeignObjects(url: string): Promise<string[]> {
  const rows = await queryOnce<{ name: string }>(
    url,
    `WITH role AS (SELECT oid FROM pg_roles WHERE rolname = 'bursar'),
       own AS (SELECT * FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')
     ${FOREIGN_OBJECTS}`,
  );
  return rows.map(({ name }) => name);
}

/** Rights of the server's role beyond its database, and of other roles than the superuser. */
async function expectSeparateRoles(url: string): Promise<void> {
  const roles = await queryOnce(
    asSuperuser(url),
    `SELECT rolname AS name, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS "hasRights",
       rolpassword IS NOT NULL AS "hasPassword",
       EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS "isMember"
     FROM pg_authid AS r WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1`,
  );
  expect(roles).toEqual([
    { name: "bursar", hasRights: false, hasPassword: false, isMember: false },
    { name: "bursar_superuser", hasRights: true, hasPassword: false, isMember: false },
  ]);
  expect(await listForeignObjects(url)).toEqual([]);
}

test("the server's role owns its database, can migrate it, and has no further rights", async () => {
  const { url } = await start(await makeDataDir());
  await migrate({ connectionString: url });
  await expectSeparateRoles(url);
  for (const statement of [
    "CREATE ROLE intruder SUPERUSER",
    "CREATE DATABASE other",
    "ALTER ROLE bursar SUPERUSER",
    "SET ROLE bursar_superuser",
    "SET SESSION AUTHORIZATION bursar_superuser",
    "ALTER SYSTEM SET archive_command = 'id'",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT lo_export(1, '/tmp/file')",
    "CREATE EXTENSION adminpack",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'system'",
  ]) {
    await expect(queryOnce(url, statement), statement).rejects.toMatchObject({
      message: expect.stringMatching(/permission denied|must be|Only roles|not available/),
    });
  }
});

test("no password exists: not in the connection string, the database or the data folder", async () => {
  const dataDir = await makeDataDir();
  const { url } = await start(dataDir);
  expect(new URL(url).password).toBe("");
  const names = await readdir(join(dataDir, "postgres"), { recursive: true });
  expect(names.filter((name) => name.includes("password"))).toEqual([]);
  const [row] = await queryOnce(
    asSuperuser(url),
    "SELECT count(*)::integer AS passwords FROM pg_authid WHERE rolpassword IS NOT NULL",
  );
  expect(row).toEqual({ passwords: 0 });
});

const rootOnly = isRoot ? test : () => undefined;

rootOnly("as root: a process of another user has no access, even with an open socket", async () => {
  const dataDir = await makeDataDir();
  await copyPreparedDatabase(dataDir);
  const { url } = await start(dataDir);
  const folder = new URL(url).searchParams.get("host") ?? "";
  const socket = join(folder, ".s.PGSQL.5432");
  await chmod(folder, 0o755);
  await chmod(socket, 0o777);
  for (const role of ["bursar", "bursar_superuser"]) {
    expect(await logInAs(OTHER_USER, socket, role)).toContain("Peer authentication failed");
    expect(await logInAs({}, socket, role)).toContain("server_version");
  }
});

/** Sends a start message as another system user. Returns the response. */
async function logInAs(user: { uid?: number; gid?: number }, socket: string, role: string) {
  const text = `user\0${role}\0database\0bursar\0\0`;
  const message = Buffer.alloc(8 + text.length);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(196_608, 4); // protocol 3.0
  message.write(text, 8, "latin1");
  // The package of another user may be closed to this one, so the program comes with the system.
  const child = spawn("python3", ["-c", LOG_IN, socket, message.toString("hex")], {
    ...user,
    cwd: "/",
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("latin1");
  });
  await once(child, "close");
  return output;
}
const LOG_IN = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(bytes.fromhex(sys.argv[2]))
sys.stdout.buffer.write(s.recv(65536))`;

const asNameless = canRunAs(NAMELESS_USER) ? test : () => undefined;

asNameless("as root, for a user id without a name: the folder of the socket decides", async () => {
  const dataDir = await makeDataDir();
  await copyPreparedDatabase(dataDir);
  for (const name of ["", ...(await readdir(dataDir, { recursive: true }))]) {
    await chown(join(dataDir, name), NAMELESS_USER.uid, NAMELESS_USER.gid);
  }
  const child = spawn(process.execPath, [PROGRAM, dataDir], { ...NAMELESS_USER, cwd: "/" });
  cleanUps.push(async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
  });
  const [line] = await once(child.stdout, "data");
  const { connectionString } = JSON.parse(String(line)) as { connectionString: string };
  expect(await queryOnce(connectionString, "SELECT current_user AS name")).toEqual([
    { name: "bursar" },
  ]);
  const folder = new URL(connectionString).searchParams.get("host") ?? "";
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

function canRunAs(user: { uid: number; gid: number }): boolean {
  if (!isRoot) return false;
  const script = `require("node:fs").readFileSync(${JSON.stringify(PROGRAM)})`;
  return spawnSync(process.execPath, ["-e", script], { ...user, cwd: "/" }).status === 0;
}

/** Objects of each kind, in two schemas. */
const OBJECTS = `
  CREATE SCHEMA queue;
  CREATE TYPE queue.spec AS (name text);
  CREATE TYPE mood AS ENUM ('calm');
  CREATE DOMAIN amount AS bigint CHECK (VALUE >= 0);
  CREATE TABLE queue.job (id bigint GENERATED ALWAYS AS IDENTITY, note text);
  CREATE TABLE "Odd ""name" (id serial PRIMARY KEY, value amount);
  CREATE TABLE event (id int, month date) PARTITION BY RANGE (month);
  CREATE TABLE event_2026_11 PARTITION OF event FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
  CREATE SEQUENCE free_sequence;
  CREATE VIEW event_view AS SELECT * FROM event;
  CREATE STATISTICS event_statistics ON id, month FROM event;
  CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT a + b';
  CREATE PROCEDURE queue.clean() LANGUAGE sql AS 'DELETE FROM queue.job';
  INSERT INTO event VALUES (7, '2026-11-28')`;
const READ_OBJECTS = `SELECT id, add(1, 2) AS sum FROM event_view`;

let older: Promise<{ parent: string; password: string }> | null = null;
afterAll(async () => {
  if (older !== null) await rm((await older).parent, { recursive: true, force: true });
});

/** Copies a cluster of version 0.1 with the objects. A new one takes a second of processor time. Returns its password. */
async function copyOlderCluster(dataDir: string): Promise<string> {
  older ??= (async () => {
    const parent = await makeParent();
    return { parent, password: await createOlderCluster(join(parent, "data"), OBJECTS) };
  })();
  const { parent, password } = await older;
  await copyFolder(join(parent, "data"), dataDir);
  return password;
}

test("a folder of version 0.1 keeps its data, and its server's role is a superuser no longer", async () => {
  const dataDir = await makeDataDir();
  await copyOlderCluster(dataDir);
  const first = await start(dataDir);
  expect(first.events).toEqual(["server_role_demoted"]);
  await expectSeparateRoles(first.url);
  expect(await queryOnce(first.url, READ_OBJECTS)).toEqual([{ id: 7, sum: 3 }]);
  await queryOnce(first.url, "DROP SCHEMA queue CASCADE");
  expect(await readdir(join(dataDir, "postgres"))).not.toContain("bursar.password");
  await first.stop();
  const second = await start(dataDir);
  expect(second.events).toEqual([]);
  expect(await queryOnce(second.url, READ_OBJECTS)).toEqual([{ id: 7, sum: 3 }]);
});

const RENAME = `CREATE ROLE renaming SUPERUSER; SET SESSION AUTHORIZATION renaming;
  ALTER ROLE bursar RENAME TO bursar_superuser; RESET SESSION AUTHORIZATION; DROP ROLE renaming;
  ALTER ROLE bursar_superuser PASSWORD NULL`;
/** Statements that an interrupted first start had committed. */
const interruptions = {
  "before the rename": [],
  "after the rename": [RENAME],
  "after the role": [RENAME, "CREATE ROLE bursar LOGIN"],
};

test.each(Object.entries(interruptions))(
  "a folder of version 0.1 whose change ended %s is changed by the next start",
  async (_, statements) => {
    const dataDir = await makeDataDir();
    if (statements.length === 0) await copyOlderCluster(dataDir);
    else await createOlderCluster(dataDir, [OBJECTS, ...statements].join(";\n"));
    const { url } = await start(dataDir);
    await expectSeparateRoles(url);
    expect(await queryOnce(url, READ_OBJECTS)).toEqual([{ id: 7, sum: 3 }]);
  },
);

test("a start that is killed while it changes a folder of version 0.1 leaves one that starts again", async () => {
  const dataDir = await makeDataDir();
  await copyOlderCluster(dataDir);
  const log = join(dataDir, "postgres.log");
  const countStarts = async () => (await readFile(log, "utf8")).split("ready to accept").length;
  for (const afterMs of [0, 4, 8, 16]) {
    const before = await countStarts();
    const child = spawn(process.execPath, [PROGRAM, dataDir], { cwd: "/", stdio: "ignore" });
    const exited = once(child, "exit");
    await eventually(WAIT_MS, "PostgreSQL to start", async () =>
      (await countStarts()) > before ? true : null,
    );
    setTimeout(() => child.kill("SIGKILL"), afterMs);
    await exited;
  }
  const { url } = await start(dataDir);
  await expectSeparateRoles(url);
  expect(await queryOnce(url, READ_OBJECTS)).toEqual([{ id: 7, sum: 3 }]);
});

test("with passwords, as on Windows: a new folder and one of version 0.1 have two roles", async () => {
  for (const isOlder of [false, true]) {
    const dataDir = await makeDataDir();
    const password = isOlder ? await copyOlderCluster(dataDir) : null;
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const databaseDir = join(dataDir, "postgres");
    const user = await chooseServerUser(dataDir, databaseDir);
    const binaries = await prepareBinaries(await findPostgresPackage(), user, dataDir);
    const access = { kind: "password" } as const;
    const { passwords } = await ensureCluster({
      ...{ databaseDir, binaries, user, access, isDurable: false },
    });
    if (passwords === null) throw new Error("access by password needs passwords");
    if (isOlder) expect(passwords.server).toBe(password);
    for (const name of ["bursar.password", "superuser.password"]) {
      expect((await stat(join(databaseDir, name))).mode & 0o777).toBe(0o600);
    }
    await writeAccessFiles(databaseDir, access, user);
    const place = { host: "127.0.0.1", port: await findFreePort() };
    const server = await startServerProcess({
      ...{ binaries, databaseDir, user, logFile: join(dataDir, "postgres.log") },
      settings: {
        ...{ listen_addresses: place.host, port: String(place.port) },
        unix_socket_directories: "",
      },
    });
    cleanUps.push(() => server.stop());
    const addresses = {
      server: { ...place, user: "bursar", password: passwords.server },
      superuser: { ...place, user: "bursar_superuser", password: passwords.superuser },
    };
    const database = "bursar";
    expect(await waitUntilReady(server, { ...addresses, database })).toEqual({
      kind: "ready",
      wasSuperuser: isOlder,
    });
    expect(await waitUntilReady(server, { ...addresses, database })).toEqual({
      kind: "ready",
      wasSuperuser: false,
    });
    const swapped = { ...addresses.superuser, password: passwords.server };
    await expect(connectServer(swapped, database, { isSuperuser: true })).rejects.toMatchObject({
      code: "28P01",
    });
    const client = await connectServer(addresses.server, database, { isSuperuser: false });
    const { rows } = await client.query(
      "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
    );
    expect(rows).toEqual([{ rolsuper: false }]);
    await client.end();
  }
});

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
