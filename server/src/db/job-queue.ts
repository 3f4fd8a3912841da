import { Logger as QueueLogger, runMigrations } from "graphile-worker";
import { sql } from "kysely";
import pg from "pg";
import { StartError } from "#src/lib/start-error.ts";
import { type Database, outliveLosses, type Tx } from "./pool.ts";

// The queue is graphile-worker's, in a schema of its own: a job that is added in a transaction exists from its commit
// on, or never. `jobs/` runs them.

export const JOB_SCHEMA = "graphile_worker";

/** Brings the queue's own tables up to date. Called under the lock of our migrations, after them. Throws a StartError. */
export async function installJobQueue(connectionString: string): Promise<void> {
  const logger = new QueueLogger(() => () => undefined);
  // One of its own would still be closing its connection when it says that it is done, and a loss then end the process.
  const { pool, end } = openJobPool({
    connectionString,
    maxConnections: 1,
    onIdleError: () => undefined, // its next statement fails
  });
  try {
    await runMigrations({ pgPool: pool, schema: JOB_SCHEMA, logger });
  } catch (error) {
    if (!isPermissionDenied(error)) throw error;
    throw new StartError(
      `The role may not make the schema "${JOB_SCHEMA}", which the job queue needs. ` +
        "Make it the owner of the database, or GRANT CREATE ON DATABASE to it.",
      { cause: error },
    );
  } finally {
    await end();
  }
}

function isPermissionDenied(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "42501";
}

export interface NewJob {
  task: string;
  /** No secret: it stands in the queue's tables as it is. */
  payload: { readonly [key: string]: string | number | boolean | null };
  /** A job that waits under the same key is replaced, so there is one at most. */
  key: string;
  maxAttempts: number;
  /** How long it waits before it runs, in seconds. At once where it is left out. */
  delaySeconds?: number;
}

/** Adds the job to the transaction. It runs on one node, and again after a failure, later each time (at most 6 h). */
export async function addJob(tx: Database | Tx, job: NewJob): Promise<void> {
  await sql`SELECT id FROM graphile_worker.add_job(
    ${job.task},
    payload => ${JSON.stringify(job.payload)}::json,
    job_key => ${job.key},
    run_at => CASE WHEN ${job.delaySeconds ?? 0}::double precision > 0
      THEN now() + make_interval(secs => ${job.delaySeconds ?? 0}::double precision) END,
    max_attempts => ${job.maxAttempts}::integer
  )`.execute(tx);
}

/** Takes the job back that waits under the key. One that is running goes on. */
export async function removeJob(tx: Database | Tx, key: string): Promise<void> {
  await sql`SELECT 1 FROM graphile_worker.remove_job(${key})`.execute(tx);
}

/** Nobody waits for a job's end, and one that cannot be written stops the queue on this node: better late. */
const CONNECT_TIMEOUT_MS = 30_000;

export interface JobPool {
  pool: pg.Pool;
  /** Resolves when its connections are closed. */
  end(): Promise<void>;
}

/**
 * Connections for the queue alone. It writes its ids as JSON and so needs int8 as text, which the other connections read
 * as bigint. The caller ends it.
 */
export function openJobPool(options: {
  connectionString: string;
  maxConnections: number;
  onIdleError: (error: Error) => void;
  /** As for `openDatabase`. */
  abandoned?: AbortSignal;
}): JobPool {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "bursar jobs",
    keepAlive: true,
    types: { getTypeParser: getJobTypeParser },
  });
  return { pool, ...outliveLosses(pool, options.onIdleError, options.abandoned) };
}

const getJobTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: string) =>
  oid === pg.types.builtins.INT8
    ? (text: string) => text
    : pg.types.getTypeParser(oid, format as "text");
