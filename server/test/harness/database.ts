import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { type Database, openDatabase } from "#src/db/pool.ts";
import { isPreparingStatements } from "./prepare-statements.ts";
import { requireTestProject } from "./test-project.ts";

requireTestProject("database");

export interface TestDatabase {
  connectionString: string;
  /** The same database for a superuser. */
  adminConnectionString: string;
  database: Database;
  /** Closes `database` and drops it, even while a test has connections open. */
  drop(): Promise<void>;
}

export const MAX_CONNECTIONS = 8;
/** A busy machine can stop the test process for longer than the limits of a server. */
const BUSY_MS = 60_000;

/** Creates a migrated database for one test file. Use it in `beforeAll`, and `drop` in `afterAll`. */
export function createTestDatabase(): Promise<TestDatabase> {
  return create(inject("templateDatabase"));
}

/** Creates a database without a schema, for tests of migrations. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return create("template0");
}

async function create(template: string): Promise<TestDatabase> {
  const name = `${inject("databasePrefix")}_${randomBytes(6).toString("hex")}`;
  // Copying files takes 18 ms of processor time with the DROP, and copying through the write-ahead log 39 ms.
  const url = new URL(inject("serverConnectionString"));
  const owner = pg.escapeIdentifier(decodeURIComponent(url.username));
  await runAsAdmin(
    `CREATE DATABASE ${name} OWNER ${owner} TEMPLATE ${template} STRATEGY file_copy`,
    ...(isPreparingStatements()
      ? [`ALTER DATABASE ${name} SET plan_cache_mode = force_generic_plan`]
      : []),
  );
  url.pathname = `/${name}`;
  const admin = new URL(inject("adminConnectionString"));
  admin.pathname = `/${name}`;
  const database = openDatabase({
    connectionString: url.href,
    maxConnections: MAX_CONNECTIONS,
    connectTimeoutMs: BUSY_MS,
    idleTransactionMs: BUSY_MS,
    onIdleError: () => undefined, // `drop` ends connections that a test left open
  });
  return {
    connectionString: url.href,
    adminConnectionString: admin.href,
    database,
    drop: async () => {
      await database.destroy();
      await runAsAdmin(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function runAsAdmin(...statements: readonly string[]): Promise<void> {
  const admin = new pg.Client(inject("adminConnectionString"));
  await admin.connect();
  try {
    for (const statement of statements) await admin.query(statement);
  } finally {
    await admin.end();
  }
}
