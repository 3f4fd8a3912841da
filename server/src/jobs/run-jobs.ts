import { EventEmitter } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  type JobHelpers,
  type ParsedCronItem,
  parseCronItems,
  Logger as QueueLogger,
  type Runner,
  run,
  type TaskList,
  type WorkerEvents,
  type WorkerPool,
} from "graphile-worker";
import type { Incarnations } from "#src/db/incarnation.ts";
import {
  countWaitingJobs,
  JOB_SCHEMA,
  type JobPool,
  openJobPool,
  removeWaitingJobs,
} from "#src/db/job-queue.ts";
import type { Notifications } from "#src/db/notifications.ts";
import type { Logger } from "#src/lib/logger.ts";
import { wakeWorkers } from "./wake-workers.ts";

/** A job. Throws if a retry is useful. */
export type Job = (payload: Record<string, unknown>, attempt: Attempt) => Promise<void>;

export interface Attempt {
  isLast: boolean;
}

export interface JobsOptions {
  connectionString: string;
  /** Jobs of this node by name. Jobs of other names wait for another node. */
  jobs: Readonly<Record<string, Job>>;
  /** Crontab pattern (UTC) by job name. Each time runs on one node. Jobs of one pattern run one after the other. */
  schedule: Readonly<Record<string, string>>;
  /** Maximum number of concurrent jobs. */
  maxConcurrent?: number;
  /** One connection listens, the others fetch and finish jobs. Statements of a job use the server's pool. */
  maxConnections?: number;
  /** Jobs to run when this node starts, to continue interrupted work before the next scheduled time. */
  startJobNames?: readonly string[];
  /** Default: none, and waiting jobs are polled more often. */
  notifications?: Pick<Notifications, "subscribe" | "isListening">;
  /** Aborts the connections of the queue. */
  abandoned?: AbortSignal;
  /** Checks each new connection of the queue. */
  incarnations?: Incarnations;
  logger: Logger;
}

export interface RunningJobs {
  /** Accepts no more jobs and waits for running ones. */
  stop(): Promise<void>;
}

const CONCURRENT_JOBS = 2;
const CONNECTIONS = 3;
/**
 * Interval of each worker. wake-workers.ts wakes them earlier, so this one only finds jobs of dead nodes, after their four
 * hours. Ten workers with an interval of a minute ran an idle node's most frequent statement of the queue.
 */
const POLL_INTERVAL_MS = 600_000;
const END_WITHIN_MS = 5_000;
const FIRST_RESTART_MS = 1_000;
const LAST_RESTART_MS = 60_000;

/**
 * Runs jobs on this node until it is stopped. After a failure, such as a lost database, the worker restarts with
 * growing delays.
 */
export function runJobs(options: JobsOptions): RunningJobs {
  const stopping = new AbortController();
  const jobs = addScheduledJob(options);
  const connections = openJobPool({
    connectionString: options.connectionString,
    maxConnections: options.maxConnections ?? CONNECTIONS,
    ...(options.abandoned && { abandoned: options.abandoned }),
    ...(options.incarnations && { incarnations: options.incarnations }),
    onIdleError: (error) =>
      options.logger.warn({ err: error }, "lost a connection of the job queue"),
  });
  let runner: Runner | null = null;
  let workers: WorkerPool | null = null;
  const waking = wakeWorkers({
    countWaiting: () => countWaitingJobs(connections, Object.keys(jobs)),
    nudge: (count) => workers?.nudge(count),
    notifications: options.notifications,
    signal: stopping.signal,
  });
  const events: WorkerEvents = new EventEmitter();
  events.on("pool:create", ({ workerPool }) => {
    workers = workerPool;
  });
  events.on("job:error", () => waking.lookSoon());

  async function runOnce(): Promise<void> {
    const started = await start({ ...options, jobs }, connections, events);
    runner = started;
    try {
      // Earlier versions queued each scheduled job by its name. A failed one would stay.
      await removeWaitingJobs(connections, Object.keys(options.schedule));
      for (const name of options.startJobNames ?? []) {
        await started.addJob(name, {}, { jobKey: name, jobKeyMode: "replace", maxAttempts: 1 });
      }
      // Stopped during its start.
      if (stopping.signal.aborted) await started.stop();
      await started.promise;
    } catch (error) {
      // A failed runner can continue and keep its connections.
      started.promise.catch(() => undefined);
      await started.stop().catch(() => undefined);
      throw error;
    }
  }

  async function runUntilStopped(): Promise<void> {
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

  const running = runUntilStopped();
  return {
    stop: async () => {
      stopping.abort();
      const end = async () => {
        // Rejects if the runner stopped by itself.
        await runner?.stop().catch(() => undefined);
        await Promise.all([running, waking.ended]);
        await connections.end();
      };
      // An endless job, or a connection blocked by a database crash, does not delay the server's end. Another node or
      // the next start does the remaining work.
      await Promise.race([end(), delay(END_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}

function start(options: JobsOptions, { pool }: JobPool, events: WorkerEvents): Promise<Runner> {
  return run({
    pgPool: pool,
    events,
    schema: JOB_SCHEMA,
    taskList: makeTaskList(options.jobs),
    parsedCronItems: parseSchedule(options.schedule),
    concurrency: options.maxConcurrent ?? CONCURRENT_JOBS,
    pollInterval: POLL_INTERVAL_MS,
    // The process handles its signals itself (main.ts).
    noHandleSignals: true,
    logger: makeQueueLogger(options.logger),
    // With a delay, a failed write of a job's end would reject a promise without a handler, which ends the process.
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

/**
 * Runs all jobs of a pattern one after the other. As single jobs, those of each minute needed 14 statements of the queue and
 * two more connections to the database.
 */
const RUN_SCHEDULED = "run_scheduled";

/** Adds the job that runs the jobs of a pattern, if there is a schedule. */
function addScheduledJob({ jobs, schedule }: JobsOptions): JobsOptions["jobs"] {
  const patterns = Object.entries(schedule);
  if (patterns.length === 0) return jobs;
  const runScheduled: Job = async ({ pattern }, attempt) => {
    const failures = new Map<string, unknown>();
    for (const [name] of patterns.filter(([, each]) => each === pattern)) {
      await jobs[name]?.({}, attempt).catch((error: unknown) => failures.set(name, error));
    }
    // The queue logs and stores it.
    if (failures.size === 0) return;
    const message = [...failures].map(([name, error]) => `${name}: ${error}`).join("; ");
    throw new AggregateError(failures.values(), message);
  };
  return { ...jobs, [RUN_SCHEDULED]: runScheduled };
}

function parseSchedule(schedule: JobsOptions["schedule"]): ParsedCronItem[] {
  return parseCronItems(
    [...new Set(Object.values(schedule))].map((match) => {
      const identifier = `${RUN_SCHEDULED} ${match}`;
      return {
        ...{ task: RUN_SCHEDULED, match, identifier, payload: { pattern: match } },
        // A missed run is skipped, because the next one does the same work.
        options: {
          ...{ backfillPeriod: 0, maxAttempts: 1 },
          ...{ jobKey: identifier, jobKeyMode: "replace" },
        },
      };
    }),
  );
}

/** Expected warning: a working job holds no connection, so there can be more jobs than connections. */
const MEANT = /maxPoolSize \(\d+\) smaller than concurrency/;

/** Logs messages of the queue. Start and end of each job are for debugging. */
function makeQueueLogger(logger: Logger): QueueLogger {
  return new QueueLogger(() => (level, message) => {
    if (MEANT.test(message)) return;
    if (level === "error" || level === "warning") logger.warn({ queue: message }, "job queue");
    else logger.debug({ queue: message }, "job queue");
  });
}
