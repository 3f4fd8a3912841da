import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { ProvidedContext } from "vitest";
import type { TestProject } from "vitest/node";
import { SERVER_ROLE } from "#src/db/embedded-postgres/roles.ts";
import { startEmbeddedPostgres } from "#src/db/embedded-postgres.ts";
import { migrate } from "#src/db/migrate.ts";
import { acquireProcessLock } from "#src/lib/process-lock.ts";
import { StartError } from "#src/lib/start-error.ts";
import { TEST_MEMORY_BYTES } from "./prepared-database.ts";
import { queryOnce } from "./query-once.ts";
import { asSuperuser } from "./superuser.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Database connection that can create and drop other databases. */
    adminConnectionString: string;
    /** Database connection of the role that owns the databases of tests, as a server has it. */
    serverConnectionString: string;
    /** Prefix of this run's databases. Several runs may share one server. */
    databasePrefix: string;
    /** Migrated database that test files clone. */
    templateDatabase: string;
  }
}

const FOLDER_PREFIX = "bursar-test-run-";
const FRESH_MS = 60_000;
const MIGRATION_ATTEMPTS = 3;

interface Server {
  adminConnectionString: string;
  serverConnectionString: string;
  stop(): Promise<void>;
}

interface TestServer {
  provided: Pick<
    ProvidedContext,
    "adminConnectionString" | "serverConnectionString" | "databasePrefix" | "templateDatabase"
  >;
  stop(): Promise<void>;
}

let shared: { server: Promise<TestServer>; users: number } | null = null;

/** One PostgreSQL for all projects of a run: `DATABASE_URL`, else an embedded one without data to keep. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared ??= { server: startTestServer(), users: 0 };
  const used = shared;
  used.users++;
  const { provided, stop } = await used.server;
  project.provide("adminConnectionString", provided.adminConnectionString);
  project.provide("serverConnectionString", provided.serverConnectionString);
  project.provide("databasePrefix", provided.databasePrefix);
  project.provide("templateDatabase", provided.templateDatabase);
  return async () => {
    used.users--;
    if (used.users > 0) return;
    shared = null;
    await stop();
  };
}

async function startTestServer(): Promise<TestServer> {
  const given = process.env["DATABASE_URL"];
  const server = given ? await useServer(given) : await startServer();
  const { adminConnectionString, serverConnectionString } = server;
  const databasePrefix = `bursar_test_${randomBytes(4).toString("hex")}`;
  const templateDatabase = `${databasePrefix}_template`;
  const admin = new pg.Client(adminConnectionString);
  await admin.connect();
  const template = new URL(serverConnectionString);
  const owner = pg.escapeIdentifier(decodeURIComponent(template.username));
  await admin.query(`CREATE DATABASE ${templateDatabase} OWNER ${owner}`);
  template.pathname = `/${templateDatabase}`;
  await migrateTemplate(template.href);
  return {
    provided: { adminConnectionString, serverConnectionString, databasePrefix, templateDatabase },
    stop: async () => {
      await dropDatabases(admin, databasePrefix);
      await admin.end();
      await server.stop();
    },
  };
}

/** Migrates again after a refused start. The machine is busiest now, and then no connection opens in time. */
async function migrateTemplate(connectionString: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await migrate({ connectionString });
      return;
    } catch (error) {
      if (attempt === MIGRATION_ATTEMPTS || !(error instanceof StartError)) throw error;
    }
  }
}

async function useServer(connectionString: string): Promise<Server> {
  return {
    adminConnectionString: connectionString,
    serverConnectionString: connectionString,
    stop: async () => undefined,
  };
}

async function startServer(): Promise<Server> {
  await removeLeftovers();
  const folder = await realpath(await mkdtemp(join(tmpdir(), FOLDER_PREFIX)));
  const lock = await acquireProcessLock(folder);
  const postgres = await startEmbeddedPostgres({
    lock,
    isThrowAway: true,
    memoryBytes: TEST_MEMORY_BYTES,
    settings: {
      // Four workers may run four nodes each, with up to 24 connections. Tests and PostgreSQL itself use some more.
      max_connections: "500",
      // A run has up to a hundred databases, and each is looked at once in this time.
      autovacuum_naptime: "1min",
      // A deadlock waits for this time before one of its transactions fails. The default is 1 s.
      deadlock_timeout: "100ms",
    },
  });
  const { connectionString } = postgres;
  const adminConnectionString = asSuperuser(connectionString);
  // Tests of failovers put back rows without triggers (database-snapshot.ts).
  await queryOnce(
    adminConnectionString,
    `GRANT SET ON PARAMETER session_replication_role TO ${SERVER_ROLE}`,
  );
  return {
    adminConnectionString,
    serverConnectionString: connectionString,
    stop: async () => {
      await postgres.stop();
      await lock.release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Stops servers of earlier runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (!name.startsWith(FOLDER_PREFIX) || (await isFresh(folder))) continue;
    const lock = await acquireProcessLock(folder).catch(() => null); // another run uses it
    if (lock === null) continue;
    // A start stops the server of the killed run.
    const server = await startEmbeddedPostgres({
      lock,
      isThrowAway: true,
      memoryBytes: TEST_MEMORY_BYTES,
    }).catch(() => null);
    await server?.stop();
    await lock.release();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether another run may have just created the folder without a lock. */
async function isFresh(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => null);
  return found === null || Date.now() - found.mtimeMs < FRESH_MS;
}

/** Drops databases of the run. Some are of files that failed before their `afterAll`. */
async function dropDatabases(admin: pg.Client, prefix: string): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE starts_with(datname, $1)",
    [prefix],
  );
  for (const { datname } of rows) {
    await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(datname)} WITH (FORCE)`);
  }
}
