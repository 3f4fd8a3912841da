import { setTimeout as delay } from "node:timers/promises";
import {
  type JobHelpers,
  type ParsedCronItem,
  parseCronItems,
  Logger as QueueLogger,
  type Runner,
  run,
  type TaskList,
} from "graphile-worker";
import { JOB_SCHEMA, type JobPool, openJobPool } from "#src/db/job-queue.ts";
import type { Logger } from "#src/lib/logger.ts";

/** A job of the name it stands under. Throws where another attempt is worth it. */
export type Job = (payload: Record<string, unknown>, attempt: Attempt) => Promise<void>;

export interface Attempt {
  isLast: boolean;
}

export interface JobsOptions {
  connectionString: string;
  /** What this node can do; jobs of other names wait for another node. */
  jobs: Readonly<Record<string, Job>>;
  /** Names of jobs to be run once at each time of the pattern (as crontab has it, in UTC), by one node. */
  schedule: Readonly<Record<string, string>>;
  /** How many may run at once. */
  atOnce?: number;
  /** Names of jobs to be run when this node starts: what a killed one left half way goes on now, not at the next time. */
  atStart?: readonly string[];
  /** Breaks the connections of the queue off. */
  abandoned?: AbortSignal;
  logger: Logger;
}

export interface RunningJobs {
  /** Takes no more jobs, and waits for those that are running. */
  stop(): Promise<void>;
}

const CONCURRENT_JOBS = 2;
/** One connection listens; the others fetch and finish jobs. A job's own statements use the pool of the server. */
const MAX_CONNECTIONS = 3;
/** When nobody says that there is a job: after a restart of the database, and for retries. */
const POLL_INTERVAL_MS = 2_000;
const END_WITHIN_MS = 5_000;
const FIRST_RESTART_MS = 1_000;
const LAST_RESTART_MS = 60_000;

/**
 * Runs jobs on this node until it is stopped. A lost database is waited for: whatever ends the worker, another one
 * starts, later each time.
 */
export function runJobs(options: JobsOptions): RunningJobs {
  const stopping = new AbortController();
  const connections = openJobPool({
    connectionString: options.connectionString,
    maxConnections: MAX_CONNECTIONS,
    ...(options.abandoned && { abandoned: options.abandoned }),
    onIdleError: (error) =>
      options.logger.warn({ err: error }, "a connection of the job queue was lost"),
  });
  let runner: Runner | null = null;

  async function runOnce(): Promise<void> {
    const started = await start(options, connections);
    runner = started;
    try {
      for (const name of options.atStart ?? []) {
        await started.addJob(name, {}, { jobKey: name, jobKeyMode: "replace", maxAttempts: 1 });
      }
      // Stopped while it was starting.
      if (stopping.signal.aborted) await started.stop();
      await started.promise;
    } catch (error) {
      // It may run on, with connections that nobody else would take from it.
      started.promise.catch(() => undefined);
      await started.stop().catch(() => undefined);
      throw error;
    }
  }

  async function keepRunning(): Promise<void> {
    let waitMs = FIRST_RESTART_MS;
    while (!stopping.signal.aborted) {
      const startedMs = performance.now();
      try {
        await runOnce();
      } catch (error) {
        if (!stopping.signal.aborted) options.logger.warn({ err: error }, "jobs have stopped");
      }
      if (performance.now() - startedMs > LAST_RESTART_MS) waitMs = FIRST_RESTART_MS;
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, LAST_RESTART_MS);
    }
  }

  const running = keepRunning();
  return {
    stop: async () => {
      stopping.abort();
      const end = async () => {
        // Rejects where it has stopped by itself.
        await runner?.stop().catch(() => undefined);
        await running;
        await connections.end();
      };
      // A job that does not end, or a connection that a crash of the database left taken, does not hold up the server's end:
      // what is not done is done by another node, or after the next start.
      await Promise.race([end(), delay(END_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}

function start(options: JobsOptions, { pool }: JobPool): Promise<Runner> {
  return run({
    pgPool: pool,
    schema: JOB_SCHEMA,
    taskList: makeTaskList(options.jobs),
    parsedCronItems: parseSchedule(options.schedule),
    concurrency: options.atOnce ?? CONCURRENT_JOBS,
    pollInterval: POLL_INTERVAL_MS,
    // Signals are the process's own business (main.ts).
    noHandleSignals: true,
    logger: makeQueueLogger(options.logger),
    // Else a job whose end cannot be written rejects a promise that nobody has, which would end the process.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  });
}

function makeTaskList(jobs: JobsOptions["jobs"]): TaskList {
  const tasks: TaskList = {};
  for (const [name, job] of Object.entries(jobs)) {
    tasks[name] = async (payload: unknown, { job: { attempts, max_attempts } }: JobHelpers) =>
      job(payload as Record<string, unknown>, { isLast: attempts >= max_attempts });
  }
  return tasks;
}

function parseSchedule(schedule: JobsOptions["schedule"]): ParsedCronItem[] {
  return parseCronItems(
    Object.entries(schedule).map(([task, match]) => ({
      task,
      match,
      // A turn that was missed is not made up for: the next one finds the same things to do.
      options: { backfillPeriod: 0, maxAttempts: 1, jobKey: task, jobKeyMode: "replace" },
    })),
  );
}

/** More jobs at once than connections is meant: a job holds none of them while it works. */
const MEANT = /maxPoolSize \(\d+\) smaller than concurrency/;

/** The queue tells each job's start and end; that is for whoever looks for a fault. */
function makeQueueLogger(logger: Logger): QueueLogger {
  return new QueueLogger(() => (level, message) => {
    if (MEANT.test(message)) return;
    if (level === "error" || level === "warning") logger.warn({ queue: message }, "job queue");
    else logger.debug({ queue: message }, "job queue");
  });
}
