import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { startDatabaseRelay } from "#test/harness/database-relay.ts";
import {
  bumpChangeCounter,
  type Changed,
  type ChangeWatch,
  type ChangeWatchOptions,
  watchChanges,
} from "./change-watch.ts";
import { startNotifications } from "./notifications.ts";
import { openDatabase } from "./pool.ts";
import { inTransaction } from "./transaction.ts";

const INTERVAL_MS = 5;
const logger = makeLogger("silent");

let db: TestDatabase;
let watches: ChangeWatch[];
beforeEach(async () => {
  db = await createTestDatabase();
  watches = [];
});
afterEach(async () => {
  for (const watch of watches) await watch.stop();
  await db.drop();
});

/** Counts calls. Resolves at the requested number. */
function makeCounter() {
  let count = 0;
  let wake = () => {};
  return {
    call: () => {
      count++;
      wake();
    },
    count: () => count,
    reached: (wanted: number) =>
      new Promise<void>((resolve) => {
        wake = () => count >= wanted && resolve();
        wake();
      }),
  };
}

async function watch(
  onChange: (changed: Changed) => void,
  clock: Clock = systemClock,
  intervalMs = INTERVAL_MS,
  slow: Pick<ChangeWatchOptions, "notifications" | "slowIntervalMs"> = {},
): Promise<ChangeWatch> {
  const made = watchChanges({
    database: db.database,
    intervalMs,
    clock,
    logger,
    onChange,
    ...slow,
  });
  watches.push(made);
  await made.ready;
  return made;
}

describe("change watch", () => {
  test("notifies every node of a committed change, and not before the commit or after a rollback", async () => {
    const [one, two] = [makeCounter(), makeCounter()];
    const first = await watch(one.call);
    await watch(two.call);
    await inTransaction(db.database, async (tx) => {
      await bumpChangeCounter(tx);
      await pollOnce(first);
      expect(one.count()).toBe(0);
    });
    await Promise.all([one.reached(1), two.reached(1)]);
    await inTransaction(db.database, async (tx) => {
      await bumpChangeCounter(tx);
      throw new Error("no");
    }).catch(() => undefined);
    await pollOnce(first);
    await pollOnce(first);
    expect([one.count(), two.count()]).toEqual([1, 1]);
  });

  test("pollNow polls at once, also during another poll", async () => {
    const heard = makeCounter();
    const made = await watch(heard.call, systemClock, 3_600_000);
    for (let changes = 1; changes <= 3; changes++) {
      made.pollNow();
      await inTransaction(db.database, (tx) => bumpChangeCounter(tx));
      made.pollNow();
      await heard.reached(changes);
    }
    expect(heard.count()).toBe(3);
  });

  test("a notification starts a poll long before the slow interval ends", async () => {
    const notifications = startNotifications({ ...db, clock: systemClock, logger });
    await expect.poll(() => notifications.isListening(), { timeout: 30_000 }).toBe(true);
    const heard = makeCounter();
    const slow = { notifications, slowIntervalMs: 3_600_000 };
    await watch(heard.call, systemClock, INTERVAL_MS, slow);
    await inTransaction(db.database, (tx) => bumpChangeCounter(tx));
    await heard.reached(1);
    await notifications.stop();
    expect(heard.count()).toBe(1);
  });

  test("polls on the connection of the notifications while they arrive", async () => {
    const notifications = startNotifications({ ...db, clock: systemClock, logger });
    await expect.poll(() => notifications.isListening(), { timeout: 30_000 }).toBe(true);
    const heard = makeCounter();
    // Its own pool is closed, so no other connection can answer.
    const closed = openDatabase({ ...db, maxConnections: 1, onIdleError: () => undefined });
    await closed.destroy();
    const made = watchChanges({
      ...{ database: closed, intervalMs: INTERVAL_MS, clock: systemClock, logger },
      ...{ notifications, onChange: heard.call },
    });
    watches.push(made);
    await made.ready;
    await inTransaction(db.database, (tx) => bumpChangeCounter(tx));
    await heard.reached(1);
    await made.stop();
    await notifications.stop();
  });

  test("a connection of the notifications that hangs delays no change", async () => {
    const relay = await startDatabaseRelay(db.connectionString);
    // Its clock stands still, so the connection never counts as lost.
    const clock = { ...systemClock, monotonicMs: () => 0 };
    const { connectionString } = relay;
    const notifications = startNotifications({ ...db, connectionString, clock, logger });
    await expect.poll(() => notifications.isListening(), { timeout: 30_000 }).toBe(true);
    const heard = makeCounter();
    await watch(heard.call, systemClock, INTERVAL_MS, { notifications });
    relay.cut();
    await inTransaction(db.database, (tx) => bumpChangeCounter(tx));
    await heard.reached(1);
    expect(notifications.isListening()).toBe(true);
    await notifications.stop();
    await relay.close();
  });

  test("polls at the usual interval while notifications do not arrive", async () => {
    const nowhere = "postgresql://me:any@127.0.0.1:1/bursar";
    const notifications = startNotifications({
      ...{ connectionString: nowhere, database: db.database },
      ...{ clock: systemClock, logger },
    });
    const heard = makeCounter();
    await watch(heard.call, systemClock, INTERVAL_MS, {
      notifications,
      slowIntervalMs: 3_600_000,
    });
    await inTransaction(db.database, (tx) => bumpChangeCounter(tx));
    await heard.reached(1);
    await notifications.stop();
    expect(heard.count()).toBe(1);
  });

  test("changes become visible in the order of their numbers", async () => {
    const first = Promise.withResolvers<void>();
    const read = () => db.database.selectFrom("change_counter").select("value").executeTakeFirst();
    const firstHasBumped = Promise.withResolvers<void>();
    let isFirstDone = false;
    const one = inTransaction(db.database, async (tx) => {
      await bumpChangeCounter(tx);
      firstHasBumped.resolve();
      await first.promise;
      isFirstDone = true;
    });
    await firstHasBumped.promise;
    const two = inTransaction(db.database, async (tx) => {
      await bumpChangeCounter(tx);
      expect(isFirstDone).toBe(true);
    });
    expect(await read()).toEqual({ value: 0n });
    first.resolve();
    await Promise.all([one, two]);
    expect(await read()).toEqual({ value: 2n });
  });

  test("reports a change with its scope, and one without a scope as anything", async () => {
    const told: Changed[] = [];
    const counter = makeCounter();
    const made = await watch((changed) => {
      told.push(changed);
      counter.call();
    });
    const scopes = [
      { kind: "api_key", id: "apikey_1" },
      { kind: "member", id: 'user_"\\' },
    ] as const;
    await inTransaction(db.database, async (tx) => {
      for (const scope of scopes) await bumpChangeCounter(tx, [scope]);
    });
    await counter.reached(1);
    expect(told).toEqual([scopes]);
    await inTransaction(db.database, async (tx) => {
      await bumpChangeCounter(tx, scopes.slice(0, 1));
      await bumpChangeCounter(tx);
    });
    await counter.reached(2);
    expect(told[1]).toBe("anything");
    expect(made.msSinceContact()).toBeLessThan(5_000);
  });

  test("reports anything after more changes than are stored, and after a restored backup", async () => {
    const told: Changed[] = [];
    const counter = makeCounter();
    await watch((changed) => {
      told.push(changed);
      counter.call();
    });
    await inTransaction(db.database, async (tx) => {
      for (let i = 0; i < 1_100; i++)
        await bumpChangeCounter(tx, [{ kind: "api_key", id: `${i}` }]);
    });
    await counter.reached(1);
    const kept = await db.database.selectFrom("change_scope").select("value").execute();
    expect(kept.length).toBe(1_000);
    await db.database.updateTable("change_counter").set({ value: 3n }).execute();
    await counter.reached(2);
    expect(told).toEqual(["anything", "anything"]);
  });

  test("the database's clock advances with the local clock between polls", async () => {
    let monotonicMs = 1_000;
    const clock: Clock = { nowMs: () => 0, monotonicMs: () => monotonicMs };
    const made = await watch(() => undefined, clock);
    await made.stop();
    const beforeMs = made.databaseNowMs();
    expect(Math.abs(beforeMs - Date.now())).toBeLessThan(5_000);
    expect(made.msSinceContact()).toBe(0);
    monotonicMs += 250;
    expect(made.databaseNowMs() - beforeMs).toBe(250);
    expect(made.msSinceContact()).toBe(250);
  });

  test("returns whole milliseconds of a clock with fractions", async () => {
    let monotonicMs = 1_000.75;
    const made = await watch(() => undefined, { nowMs: () => 0, monotonicMs: () => monotonicMs });
    await made.stop();
    const beforeMs = made.databaseNowMs();
    monotonicMs += 0.5;
    expect([beforeMs % 1, made.databaseNowMs() % 1]).toEqual([0, 0]);
  });

  test("ignores the clock of a slow response, unless it contradicts the known one", async () => {
    let setMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + setMs };
    const made = await watch(() => undefined, clock, 3_600_000);
    const offsetMs = () => made.databaseNowMs() - clock.monotonicMs();
    const knownMs = offsetMs();
    const answered = (sinceMs: number) =>
      expect
        .poll(() => clock.monotonicMs() - made.msSinceContact(), { timeout: 30_000 })
        .toBeGreaterThan(sinceMs);
    let lookedMs = 0;
    await inTransaction(db.database, async (tx) => {
      await sql`LOCK TABLE change_counter IN ACCESS EXCLUSIVE MODE`.execute(tx);
      lookedMs = clock.monotonicMs();
      made.pollNow();
      await delay(2_000);
    });
    await answered(lookedMs);
    // The response was created at the end of two seconds, not halfway.
    expect(Math.abs(offsetMs() - knownMs)).toBeLessThan(500);
    setMs = 60_000;
    lookedMs = clock.monotonicMs();
    made.pollNow();
    await answered(lookedMs);
    expect(Math.abs(offsetMs() - (knownMs - setMs))).toBeLessThan(10_000);
  });

  test("reports that the database's clock moved ahead of a machine that was paused with all its clocks", async () => {
    let pausedMs = 0;
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => systemClock.monotonicMs() - pausedMs,
    };
    const ahead: number[] = [];
    const polls = makeCounter();
    const made = await watch(polls.call, clock, 3_600_000);
    made.onClockAhead((byMs) => ahead.push(byMs));
    const poll = async () => {
      await inTransaction(db.database, bumpChangeCounter);
      const next = polls.reached(polls.count() + 1);
      made.pollNow();
      await next;
    };
    await poll();
    expect(ahead).toEqual([]);
    pausedMs = 600_000;
    await poll();
    await poll();
    expect(ahead).toEqual([expect.any(Number)]);
    expect(ahead[0]).toBeGreaterThan(500_000);
    expect(ahead[0]).toBeLessThanOrEqual(600_000);
  });

  test("polls a lost database until it returns, then reports the changes", async () => {
    const counter = makeCounter();
    const made = await watch(counter.call);
    const other = openDatabase({
      connectionString: db.connectionString,
      maxConnections: 1,
      onIdleError: () => undefined,
    });
    try {
      await sql`ALTER TABLE change_counter RENAME TO change_counter_away`.execute(other);
      await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(other);
      await expect.poll(() => made.msSinceContact(), { interval: 5 }).toBeGreaterThan(50);
      await sql`UPDATE change_counter_away SET value = value + 1`.execute(other);
      await sql`ALTER TABLE change_counter_away RENAME TO change_counter`.execute(other);
      await counter.reached(1);
      expect(counter.count()).toBe(1);
    } finally {
      await other.destroy();
    }
  });

  test("reports nothing after stop, and rejects ready without a successful poll", async () => {
    const counter = makeCounter();
    const made = await watch(counter.call);
    await made.stop();
    await inTransaction(db.database, (tx) => bumpChangeCounter(tx));
    expect(counter.count()).toBe(0);

    const nowhere = openDatabase({
      connectionString: "postgresql://me:any@127.0.0.1:1/bursar",
      maxConnections: 1,
      onIdleError: () => undefined,
    });
    const lost = watchChanges({
      database: nowhere,
      intervalMs: INTERVAL_MS,
      clock: systemClock,
      logger,
      onChange: () => undefined,
    });
    await lost.stop();
    await expect(lost.ready).rejects.toThrow("stopped before its first poll");
    await nowhere.destroy();
  });
});

/** Waits for a poll sent after this call. */
async function pollOnce(made: ChangeWatch): Promise<void> {
  const calledMs = systemClock.monotonicMs();
  const isNewer = () => systemClock.monotonicMs() - made.msSinceContact() > calledMs;
  await expect.poll(isNewer, { interval: 1 }).toBe(true);
}
