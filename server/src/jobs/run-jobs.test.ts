import { describe, expect } from "vitest";
import { addJob } from "#src/db/job-queue.ts";
import { startNotifications } from "#src/db/notifications.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { test } from "#test/harness/database-test.ts";
import { type Job, type JobsOptions, runJobs } from "./run-jobs.ts";

const TASK = "note";
const logger = makeLogger("silent");
/** Shorter than the interval in which each worker polls by itself. */
const WAIT = { timeout: 30_000, interval: 20 };

describe.each([true, false])("jobs of a node, with notifications: %s", (hasNotifications) => {
  const scheduling = test.extend("schedule", ({ db }, { onCleanup }) => {
    const started: { stop(): Promise<void> }[] = [];
    onCleanup(async () => {
      for (const each of started.reverse()) await each.stop();
    });
    return (options: Pick<JobsOptions, "jobs" | "schedule">) => {
      const { connectionString, database } = db;
      const shared = { connectionString, database, clock: systemClock, logger };
      const notifications = hasNotifications ? startNotifications(shared) : undefined;
      if (notifications) started.push(notifications);
      started.push(
        runJobs({
          ...{ ...options, connectionString, logger },
          ...(notifications && { notifications }),
        }),
      );
    };
  });
  const running = scheduling.extend("node", ({ schedule }) => (job: Job) => {
    schedule({ jobs: { [TASK]: job }, schedule: {} });
  });
  const add = (db: Parameters<typeof addJob>[0], job: { key: string; delaySeconds?: number }) =>
    addJob(db, { task: TASK, payload: { key: job.key }, maxAttempts: 3, ...job });

  running("a delayed job runs when its time has come", async ({ db, node }) => {
    const ran: unknown[] = [];
    node(async ({ key }) => void ran.push(key));
    await add(db.database, { key: "now" });
    await expect.poll(() => ran, WAIT).toEqual(["now"]);
    await add(db.database, { key: "later", delaySeconds: 0.5 });
    await expect.poll(() => ran, WAIT).toEqual(["now", "later"]);
  });

  running(
    "scheduled jobs of a pattern all run, also after one failed",
    async ({ db, schedule }) => {
      const ran: unknown[] = [];
      const run = (name: string) => async (payload: unknown) => void ran.push([name, payload]);
      const broken = () => Promise.reject(new Error("no"));
      schedule({
        jobs: { one: broken, two: run("two"), other: run("other"), [TASK]: run(TASK) },
        schedule: { one: "0 0 29 2 *", two: "0 0 29 2 *", other: "1 0 29 2 *" },
      });
      const payload = { pattern: "0 0 29 2 *" };
      await addJob(db.database, { task: "run_scheduled", payload, key: "due", maxAttempts: 1 });
      await expect.poll(() => ran, WAIT).toEqual([["two", {}]]);
    },
  );

  running("a failed job is retried", async ({ db, node }) => {
    let attempts = 0;
    node(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error("not yet");
    });
    await add(db.database, { key: "one" });
    await expect.poll(() => attempts, WAIT).toBe(2);
  });

  running("more due jobs than workers all run", async ({ db, node }) => {
    const ran = new Set<unknown>();
    node(async ({ key }) => void ran.add(key));
    const keys = Array.from({ length: 9 }, (_, at) => `${at}`);
    for (const key of keys) await add(db.database, { key, delaySeconds: 0.3 });
    await expect.poll(() => [...ran].sort(), WAIT).toEqual(keys);
  });
});
