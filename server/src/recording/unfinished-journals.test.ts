import { afterEach, expect } from "vitest";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { failOverToSnapshot, takeSnapshot } from "#test/harness/database-snapshot.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { makeTestMeter, makeTestMeters, type TestMeters } from "#test/harness/meters.ts";
import type { Journal } from "./journal-contract.ts";
import type { WriterRow } from "./journal-rows.sql.ts";
import { openPostgresJournal } from "./postgres-journal.ts";
import {
  adoptDeadJournals,
  finishUnfinishedJournals,
  type Housekeeping,
} from "./unfinished-journals.ts";

const BOUND_MS = 30_000;
const logger = makeLogger("silent");
let housekeeping: Housekeeping | null = null;
let t: TestMeters | null = null;

const test = base
  /** Calls the subscribers of a failover. */
  .extend("failovers", () => {
    const handlers = new Set<() => void>();
    return {
      subscribe: (handler: () => void) => {
        handlers.add(handler);
        return () => void handlers.delete(handler);
      },
      notify: () => {
        for (const handler of handlers) handler();
      },
      count: () => handlers.size,
    };
  });

afterEach(async () => {
  await housekeeping?.stop();
  await t?.stop();
});

test("a journal of a folder that was finished before a failover is finished again after it", async ({
  db,
  failovers,
}) => {
  const meters = makeTestMeters(db.database);
  t = meters;
  const killed = await meters.start();
  const ended = meters.run(killed, 1n);
  const running = meters.begun();
  killed.begin(running);
  await takeSnapshot(db.database);
  const settle = async (journal: Journal) => {
    const meter = makeTestMeter({ database: db.database, journal, logger });
    await meter.start();
    const isDone = await meter.flush();
    await meter.stop();
    return isDone;
  };
  let finished = 0;
  housekeeping = finishUnfinishedJournals({
    listIndexes: () => [2],
    open: async () => ({
      journal: meters.openJournal(),
      release: () => {
        finished += 1;
        return Promise.resolve();
      },
    }),
    settle,
    subscribe: failovers.subscribe,
    logger,
  });
  const expected = [
    { id: ended.requestId, outcome: "answered", nanoUsd: 1n },
    { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
  ];
  await eventually(BOUND_MS, "the first finish", async () => finished === 1 || null);
  expect(await meters.recorded()).toEqual(expected);
  await failOverToSnapshot(db.database);
  expect(await meters.recorded()).toEqual([]);
  failovers.notify();
  await eventually(BOUND_MS, "the second finish", async () => finished === 2 || null);
  expect(await meters.recorded()).toEqual(expected);
  await housekeeping.stop();
  expect(failovers.count()).toBe(0);
});

test("the silence of a node is measured again after a failover", async ({ db, failovers }) => {
  const journal = await openPostgresJournal({
    database: db.database,
    nodeId: "node_silent",
    journalId: "jrnl_silent",
    logger,
    heartbeatIntervalMs: 3_600_000,
  });
  let nowMs = 0;
  const adopted: WriterRow[] = [];
  housekeeping = adoptDeadJournals({
    database: db.database,
    ownNodeId: "node_own",
    silentMs: 1_000,
    pollMs: 1,
    adopt: (seen) => {
      adopted.push(seen);
      return Promise.resolve(null);
    },
    settle: () => Promise.resolve(true),
    subscribe: failovers.subscribe,
    clock: { ...systemClock, monotonicMs: () => nowMs },
    logger,
  });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      nowMs += 100;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await pass(900);
  failovers.notify();
  await pass(900);
  expect(adopted).toEqual([]);
  await eventually(BOUND_MS, "the adoption", async () => {
    nowMs += 100;
    return adopted[0]?.nodeId === "node_silent" || null;
  });
  await journal.close();
});
