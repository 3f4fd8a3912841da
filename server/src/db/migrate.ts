import pg from "pg";
import { StartError } from "#src/lib/start-error.ts";
import { explainConnectError } from "./database-error.ts";
import { installJobQueue } from "./job-queue.ts";
import { type Migration, readMigrations } from "./migration-files.ts";
import { refuseForeignDatabase, refusePooler, refuseUnsuitableServer } from "./server-checks.ts";
import { isRestoreUnfinished, makeUnfinishedRestoreError } from "./unfinished-restore.ts";

export interface AppliedMigration {
  number: number;
  name: string;
  sha256: string;
  appliedAt: Date;
}

export interface MigrateOptions {
  connectionString: string;
  /** Migrations of this program by default. Tests pass others. */
  migrations?: readonly Migration[];
  /** True for a restore, which continues on a database that a server must not use. */
  isRestore?: boolean;
}

export interface MigrateResult {
  /** Migrations applied by this call, in order. Empty if the schema was the newest already. */
  applied: readonly AppliedMigration[];
  /** Number of the last migration in the database. */
  schemaNumber: number;
}

// "bursar" in ASCII: a number that no other program on this server is likely to use.
const MIGRATION_LOCK = "108170552795506";
const LOCK_TIMEOUT_MS = 300_000;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Migrates the schema to the newest version. Nodes that start concurrently wait on a session advisory lock. Each
 * migration commits in its own transaction together with its row in `schema_migration`. The job queue's schema follows
 * under the same lock. Throws a StartError with the remedy if the server or the database is unsuitable.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const migrations = options.migrations ?? (await readMigrations());
  await refusePooler(options.connectionString);
  const client = await connect(options.connectionString);
  try {
    await refuseUnsuitableServer(client);
    await acquireMigrationLock(client);
    if (options.isRestore !== true && (await isRestoreUnfinished(client)))
      throw makeUnfinishedRestoreError();
    const result = await migrateLocked(client, migrations);
    await installJobQueue(options.connectionString);
    return result;
  } finally {
    // The end of the session releases the lock, also after a failed statement.
    await client.end();
  }
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "bursar migrate",
  });
  // A connection lost between statements fails the next one. Without a listener it would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw explainConnectError(error, connectionString);
  }
  return client;
}

async function acquireMigrationLock(client: pg.Client): Promise<void> {
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await client.query("SET lock_timeout = 0");
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== "55P03") throw error;
    throw new StartError(
      `Another Bursar node has been migrating this database for ${LOCK_TIMEOUT_MS / 60_000} minutes. ` +
        "Wait until it finishes, or stop it, then start again.",
      { cause: error },
    );
  }
}

async function migrateLocked(
  client: pg.Client,
  migrations: readonly Migration[],
): Promise<MigrateResult> {
  await refuseForeignDatabase(client);
  const recorded = await readRecorded(client);
  refuseOtherSchema(recorded, migrations);
  const applied: AppliedMigration[] = [];
  for (const migration of migrations.slice(recorded.length)) {
    applied.push(await applyMigration(client, migration));
  }
  return { applied, schemaNumber: recorded.length + applied.length };
}

async function readRecorded(client: pg.Client): Promise<AppliedMigration[]> {
  await client.query(`
    CREATE TABLE IF NOT EXISTS schema_migration (
      number integer PRIMARY KEY,
      name text NOT NULL,
      sha256 text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
  const { rows } = await client.query<AppliedMigration>(
    'SELECT number, name, sha256, applied_at AS "appliedAt" FROM schema_migration ORDER BY number',
  );
  return rows;
}

function refuseOtherSchema(
  recorded: readonly AppliedMigration[],
  migrations: readonly Migration[],
): void {
  const newest = recorded.at(-1);
  if (newest && newest.number > migrations.length) {
    throw new StartError(
      `The database has schema ${newest.number} (${newest.name}), but this Bursar supports schemas up to ` +
        `${migrations.length}: a newer Bursar has upgraded it. Start that version or a newer one: ` +
        "a schema is never downgraded.",
    );
  }
  for (const [index, row] of recorded.entries()) {
    const known = migrations[index];
    if (known?.number === row.number && known.sha256 === row.sha256) continue;
    throw new StartError(
      `Migration ${row.number} (${row.name}) in the database differs from the one of this Bursar` +
        `${known ? ` (${known.name})` : ""}: a migration file was changed after it was applied, or the ` +
        "database belongs to another build. Restore the released file, and put changes in a new migration.",
    );
  }
}

async function applyMigration(client: pg.Client, migration: Migration): Promise<AppliedMigration> {
  try {
    await client.query("BEGIN");
    await client.query(migration.sql);
    const { rows } = await client.query<AppliedMigration>(
      'INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3) RETURNING number, name, sha256, applied_at AS "appliedAt"',
      [migration.number, migration.name, migration.sha256],
    );
    await client.query("COMMIT");
    const [row] = rows;
    if (!row) throw new Error("schema_migration returned no row");
    return row;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `Migration ${migration.number} (${migration.name}) failed and was rolled back: ${reason}`,
      { cause: error },
    );
  }
}
