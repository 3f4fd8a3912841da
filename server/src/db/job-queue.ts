import { Logger as QueueLogger, runMigrations } from "graphile-worker";
import { sql } from "kysely";
import pg from "pg";
import { StartError } from "#src/lib/start-error.ts";
import type { Incarnations } from "./incarnation.ts";
import { type Database, surviveConnectionLosses, type Tx, verifyBy } from "./pool.ts";

// The queue is graphile-worker's, in its own schema. A job added in a transaction exists only from its commit on.
// `jobs/` runs the jobs.

export const JOB_SCHEMA = "graphile_worker";

/** Migrates the queue's tables. Called under the migration lock, after the migrations. Throws a StartError. */
export async function installJobQueue(connectionString: string): Promise<void> {
  const logger = new QueueLogger(() => () => undefined);
  // graphile-worker's own pool would still close its connection after it returns, and a loss would then end the
  // process.
  const { pool, end } = openJobPool({
    connectionString,
    maxConnections: 1,
    onIdleError: () => undefined, // the next statement fails
  });
  try {
    await runMigrations({ pgPool: pool, schema: JOB_SCHEMA, logger });
  } catch (error) {
    if (!isPermissionDenied(error)) throw error;
    throw new StartError(
      `The role has no permission to create the schema "${JOB_SCHEMA}", which the job queue needs. ` +
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
  /** Must not contain a secret, because the queue's tables store it unencrypted. */
  payload: { readonly [key: string]: string | number | boolean | null };
  /** A waiting job with the same key is replaced, so each key has one job at most. */
  key: string;
  maxAttempts: number;
  /** Delay before it runs, seconds. Default: none. */
  delaySeconds?: number;
}

/** Adds a job to the transaction, which runs on one node. Retries have growing delays (at most 6 h). */
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

/** Removes the waiting job with this key. A running job continues. */
export async function removeJob(tx: Database | Tx, key: string): Promise<void> {
  await sql`SELECT 1 FROM graphile_worker.remove_job(${key})`.execute(tx);
}

/**
 * Jobs are not urgent, and a job whose end cannot be written stops the queue on this node, so a longer timeout is
 * better.
 */
const CONNECT_TIMEOUT_MS = 30_000;
/** Longer than a minute, the interval of scheduled jobs, so that a quiet queue keeps its connections. */
const MAX_IDLE_MS = 90_000;

export interface JobPool {
  pool: pg.Pool;
  /** Resolves when its connections are closed. */
  end(): Promise<void>;
}

/**
 * Opens connections for the queue only. The queue writes its ids as JSON and needs int8 as text. Other connections read
 * int8 as bigint. The caller closes the pool.
 */
export function openJobPool(options: {
  connectionString: string;
  maxConnections: number;
  onIdleError: (error: Error) => void;
  /** See `openDatabase`. */
  abandoned?: AbortSignal;
  incarnations?: Incarnations;
}): JobPool {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: MAX_IDLE_MS,
    application_name: "bursar jobs",
    keepAlive: true,
    ...verifyBy(options.incarnations),
    types: { getTypeParser: getJobTypeParser },
  });
  return { pool, ...surviveConnectionLosses(pool, options.onIdleError, options.abandoned) };
}

const getJobTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: string) =>
  oid === pg.types.builtins.INT8
    ? (text: string) => text
    : pg.types.getTypeParser(oid, format as "text");

export interface WaitingJobs {
  /** Jobs whose time has come, and that no node runs. */
  due: number;
  /** Time until the next one, milliseconds. Null: none waits. */
  nextInMs: number | null;
}

/** Counts the jobs of these tasks that wait for a worker. Throws the database's error. */
export async function countWaitingJobs(
  { pool }: JobPool,
  tasks: readonly string[],
): Promise<WaitingJobs> {
  const { rows } = await pool.query<{ due: number; next_in_ms: number | null }>({
    name: "count_waiting_jobs",
    text: `SELECT (count(*) FILTER (WHERE run_at <= now()))::integer AS due,
      (extract(epoch FROM min(run_at) FILTER (WHERE run_at > now()) - now()) * 1000)::double precision AS next_in_ms
    FROM ${JOB_SCHEMA}.jobs
    WHERE task_identifier = ANY($1) AND locked_at IS NULL AND attempts < max_attempts`,
    values: [tasks],
  });
  const [row] = rows;
  return { due: row?.due ?? 0, nextInMs: row?.next_in_ms ?? null };
}

/** Removes the waiting and the failed jobs with these keys. Throws the database's error. */
export async function removeWaitingJobs({ pool }: JobPool, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await pool.query(`SELECT ${JOB_SCHEMA}.remove_job(key) FROM unnest($1::text[]) AS key`, [keys]);
}
