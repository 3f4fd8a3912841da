import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { startDatabaseRelay } from "#test/harness/database-relay.ts";
import { bumpChangeCounter } from "./change-watch.ts";
import { Incarnations } from "./incarnation.ts";
import { addJob } from "./job-queue.ts";
import { type Channel, type Notifications, startNotifications } from "./notifications.ts";
import { inTransaction } from "./transaction.ts";

const WAIT = { timeout: 30_000, interval: 5 };

let db: TestDatabase;
let open: Notifications[];
beforeEach(async () => {
  db = await createTestDatabase();
  open = [];
});
afterEach(async () => {
  for (const each of open) await each.stop();
  await db.drop();
});

function start(
  connectionString = db.connectionString,
  database = db.database,
  incarnations?: Incarnations,
): Notifications {
  const started = startNotifications({
    ...{ connectionString, database },
    ...(incarnations && { incarnations }),
    clock: systemClock,
    logger: makeLogger("silent"),
  });
  open.push(started);
  return started;
}

async function startListening(connectionString?: string): Promise<Notifications> {
  const started = start(connectionString);
  await expect.poll(() => started.isListening(), WAIT).toBe(true);
  return started;
}

/** Counts the calls of a new subscription. */
function countCalls(notifications: Notifications, channel: Channel) {
  let calls = 0;
  const unsubscribe = notifications.subscribe(channel, () => {
    calls += 1;
  });
  return { count: () => calls, unsubscribe };
}

/** Sends a job and waits for it. Everything that was sent before has then arrived. */
async function flushNotifications(...listening: readonly Notifications[]): Promise<void> {
  const jobs = listening.map((each) => countCalls(each, "job"));
  await addJob(db.database, { task: "unknown", payload: {}, key: "flush", maxAttempts: 1 });
  await expect.poll(() => jobs.every(({ count }) => count() > 0), WAIT).toBe(true);
  for (const { unsubscribe } of jobs) unsubscribe();
}

const bump = () => inTransaction(db.database, (tx) => bumpChangeCounter(tx));

describe("notifications", () => {
  test("notify every process once of a committed change, and of nothing before the commit or after a rollback", async () => {
    const [one, two] = [await startListening(), await startListening()];
    const counts = [countCalls(one, "change"), countCalls(two, "change")];
    const read = () => counts.map(({ count }) => count());
    await inTransaction(db.database, async (tx) => {
      await bumpChangeCounter(tx, [{ kind: "api_key", id: "apikey_1" }]);
      await bumpChangeCounter(tx);
      await flushNotifications(one, two);
      expect(read()).toEqual([0, 0]);
    });
    await flushNotifications(one, two);
    expect(read()).toEqual([1, 1]);
    await inTransaction(db.database, async (tx) => {
      await bumpChangeCounter(tx);
      throw new Error("no");
    }).catch(() => undefined);
    await flushNotifications(one, two);
    expect(read()).toEqual([1, 1]);
  });

  test("an ended subscription gets no calls", async () => {
    const notifications = await startListening();
    const ended = countCalls(notifications, "change");
    ended.unsubscribe();
    await bump();
    await flushNotifications(notifications);
    expect(ended.count()).toBe(0);
  });

  test("a lost connection is replaced, and subscribers are called at its loss and its return", async () => {
    const notifications = await startListening();
    const { count } = countCalls(notifications, "change");
    await terminateListeners();
    await expect.poll(count, WAIT).toBe(1);
    await expect.poll(() => notifications.isListening(), WAIT).toBe(true);
    expect(count()).toBe(2);
    await bump();
    await flushNotifications(notifications);
    expect(count()).toBe(3);
  });

  test("a connection without traffic counts as lost, and returns with the network", async () => {
    const relay = await startDatabaseRelay(db.connectionString);
    try {
      const notifications = await startListening(relay.connectionString);
      const { count } = countCalls(notifications, "change");
      relay.cut();
      await expect.poll(() => notifications.isListening(), WAIT).toBe(false);
      expect(count()).toBe(1);
      relay.restore();
      await expect.poll(() => notifications.isListening(), WAIT).toBe(true);
    } finally {
      for (const each of open.splice(0)) await each.stop();
      await relay.close();
    }
  });

  test("the connection runs one statement at a time, and none before it listens", async () => {
    const notifications = start();
    expect(notifications.query("SELECT 1", [])).toBeNull();
    await expect.poll(() => notifications.isListening(), WAIT).toBe(true);
    const readPid = () => notifications.query("SELECT pg_backend_pid() AS pid", []);
    const first = readPid();
    expect(readPid()).toBeNull();
    expect(await first).toEqual(await listListeners());
    expect(await readPid()).toEqual(await first);
  });

  test("a connection that does not answer a statement counts as lost", async () => {
    const relay = await startDatabaseRelay(db.connectionString);
    try {
      const notifications = await startListening(relay.connectionString);
      relay.cut();
      const answer = notifications.query("SELECT 1", []);
      expect(answer).not.toBeNull();
      await expect(answer).rejects.toThrow("does not respond");
      await expect.poll(() => notifications.isListening(), WAIT).toBe(false);
    } finally {
      for (const each of open.splice(0)) await each.stop();
      await relay.close();
    }
  });

  test("a failover replaces the connection, which can lead to the earlier primary", async () => {
    const incarnations = new Incarnations(makeLogger("silent"));
    const notifications = start(db.connectionString, db.database, incarnations);
    await expect.poll(() => notifications.isListening(), WAIT).toBe(true);
    const [before] = await listListeners();
    const seen = incarnations.current;
    if (seen === null) throw new Error("the connection was checked");
    await incarnations.reportRollback(db.database, { seen, details: {} });
    const isReplaced = async () => {
      const [now] = await listListeners();
      return notifications.isListening() && now !== undefined && now.pid !== before?.pid;
    };
    await expect.poll(isReplaced, WAIT).toBe(true);
  });

  test("a connection that gets no notifications of others does not count as listening", async () => {
    const other = await createTestDatabase();
    try {
      const notifications = start(db.connectionString, other.database);
      const { count } = countCalls(notifications, "change");
      await expect.poll(countListeners, WAIT).toBe(1);
      await bump();
      await expect.poll(count, WAIT).toBe(1);
      expect(notifications.isListening()).toBe(false);
    } finally {
      for (const each of open.splice(0)) await each.stop();
      await other.drop();
    }
  });

  test("stop closes the connection, and no subscriber is called afterwards", async () => {
    const notifications = await startListening();
    const { count } = countCalls(notifications, "change");
    await notifications.stop();
    await bump();
    await expect.poll(countListeners, WAIT).toBe(0);
    expect([count(), notifications.isListening()]).toEqual([0, false]);
  });

  test("stop ends a connection attempt", async () => {
    const notifications = start("postgresql://me:any@192.0.2.1:5432/bursar");
    await notifications.stop();
    expect(notifications.isListening()).toBe(false);
  });
});

async function terminateListeners(): Promise<void> {
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'bursar listener'`.execute(
    db.database,
  );
}

async function countListeners(): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*)::integer AS count
    FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bursar listener'
      AND query LIKE 'LISTEN%'`.execute(db.database);
  return rows[0]?.count ?? 0;
}

async function listListeners(): Promise<{ pid: number }[]> {
  const { rows } = await sql<{ pid: number }>`SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'bursar listener'`.execute(
    db.database,
  );
  return rows;
}
