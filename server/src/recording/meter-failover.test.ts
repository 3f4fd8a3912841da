import fs from "node:fs";
import { afterEach, describe, expect } from "vitest";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { failOverToSnapshot, takeSnapshot } from "#test/harness/database-snapshot.ts";
import { test } from "#test/harness/database-test.ts";
import { foldRollups } from "#test/harness/folds.ts";
import { makeTestMeters, makeUnreliable, type TestMeters } from "#test/harness/meters.ts";
import { endRecord } from "#test/harness/request-records.ts";
import type { FlushParticipant } from "./flush.ts";
import type { Meter } from "./meter.ts";
import { appendUsage } from "./record-usage.ts";
import { segmentPath } from "./segments.ts";

// A database that fails over to a server without its last commits, under running processes.

let t: TestMeters;

test.beforeEach(({ db }) => {
  t = makeTestMeters(db.database);
});

afterEach(() => t.stop());

/** Runs requests that cost 1, 2 and so on, and returns their ids. */
function runMany(meter: Meter, count: number): string[] {
  return Array.from({ length: count }, (_, at) => t.run(meter, BigInt(at + 1)).requestId);
}

async function recordedIds(): Promise<string[]> {
  return (await t.recorded()).map(({ id }) => id);
}

interface SpendWatch extends FlushParticipant {
  /** Spend that the process counts as not appended, as the ledger does. */
  pending(): bigint;
}

/** Counts pending spend without folds: an append counts at once. */
function watchSpend(): SpendWatch {
  let unappended = 0n;
  return {
    pending: () => unappended,
    queued: ({ cost }) => {
      unappended += cost.total;
    },
    found: ({ costNanoUsd }) => {
      unappended += costNanoUsd;
    },
    flush: () => Promise.resolve(),
    committed: (batch) => {
      for (const { cost } of batch) unappended -= cost.total;
    },
  };
}

describe("after a failover without the last commits, a running node", () => {
  test("appends the missing ends again, each once, and says how many", async ({ db }) => {
    const meter = await t.start();
    const kept = runMany(meter, 3);
    await meter.flush();
    await takeSnapshot(db.database);
    const lost = runMany(meter, 5);
    await meter.flush();
    await foldRollups(db.database);
    const unflushed = runMany(meter, 2);
    await failOverToSnapshot(db.database);
    expect(await meter.flush()).toBe(true);
    expect(await recordedIds()).toEqual([...kept, ...lost, ...unflushed]);
    expect(meter.status()).toMatchObject({
      isFenced: false,
      pendingRecords: 0,
      reappended: { incarnation: 1n, lost: 5, appended: 5, unrecoverable: 0 },
    });
    expect(meter.status().reappended?.finishedAtMs).not.toBeNull();
    expect(t.logged.map(({ msg }) => msg)).toEqual([
      "journal replayed",
      "the database lost records of this node: they are appended again from the journal",
      "this node was fenced, and has a new epoch",
      "the records that the database had lost are appended again",
    ]);
  });

  test("reports progress until all are appended", async ({ db }) => {
    const meter = await t.start({ batchSize: 2 });
    await takeSnapshot(db.database);
    runMany(meter, 5);
    await meter.flush();
    await failOverToSnapshot(db.database);
    await meter.reenter();
    expect(meter.status()).toMatchObject({
      pendingRecords: 5,
      reappended: { lost: 5, appended: 0, finishedAtMs: null },
    });
    expect(await meter.flush()).toBe(true);
    expect(meter.status().reappended).toMatchObject({ lost: 5, appended: 5 });
  });

  test("counts the spend of each end once, whatever was appended, folded or in the journal only", async ({
    db,
  }) => {
    const watch = watchSpend();
    const append = appendUsage({ nodeId: t.nodeId, encodeHoldCharges });
    const meter = await t.start({ participants: [append, watch], batchSize: 1, maxInMemory: 2 });
    runMany(meter, 3);
    await meter.flush();
    await takeSnapshot(db.database);
    runMany(meter, 4); // 10
    await meter.flush();
    runMany(meter, 5); // 15
    expect(watch.pending()).toBe(15n);
    await failOverToSnapshot(db.database);
    await meter.reenter();
    expect(watch.pending()).toBe(25n);
    t.run(meter, 100n);
    expect(watch.pending()).toBe(125n);
    expect(meter.status().pendingRecords).toBe(10);
    expect(await meter.flush()).toBe(true);
    expect(watch.pending()).toBe(0n);
    expect(await t.recorded()).toHaveLength(13);
  });

  test("ends its running requests once", async ({ db }) => {
    const meter = await t.start();
    const [early, late] = [t.begun(), t.begun()];
    meter.begin(early);
    await takeSnapshot(db.database);
    meter.begin(late);
    const lost = t.run(meter, 1n);
    await meter.flush();
    await failOverToSnapshot(db.database);
    meter.end(endRecord(early, 2n));
    expect(await meter.flush()).toBe(true);
    meter.end(endRecord(late, 3n));
    expect(await meter.flush()).toBe(true);
    expect((await t.recorded()).map(({ id, nanoUsd }) => [id, nanoUsd])).toEqual([
      [early.requestId, 2n],
      [late.requestId, 3n],
      [lost.requestId, 1n],
    ]);
  });

  test.for(["before commit", "after commit"] as const)(
    "counts a flush once whose response was lost %s",
    async (when, { db }) => {
      for (const isInSnapshot of [true, false]) {
        const meter = await t.start({ database: makeUnreliable(db.database, when, 0) });
        const broken = await t.start({ database: makeUnreliable(db.database, when, 1) });
        expect(meter.status().isFenced).toBe(false);
        if (!isInSnapshot) await takeSnapshot(db.database);
        runMany(broken, 2);
        expect(await broken.flush()).toBe(false);
        if (isInSnapshot) await takeSnapshot(db.database);
        await failOverToSnapshot(db.database);
        runMany(broken, 1);
        expect(await broken.flush()).toBe(true);
      }
      expect(await t.recorded()).toHaveLength(6);
    },
  );

  test("reads compressed segments, and segments by their index", async ({ db }) => {
    const journal = t.openJournal({ segmentBytes: 100_000, compressAfterMs: 0 });
    const meter = await t.start({ journal });
    const ids = runMany(meter, 3);
    await meter.flush();
    await takeSnapshot(db.database);
    for (let i = 0; i < 800; i++) {
      ids.push(t.run(meter, 1n).requestId);
      if (i % 50 === 0) await journal.synced();
    }
    await meter.flush();
    await expect
      .poll(() => fs.readdirSync(t.directory).some((name) => name.endsWith(".zst")))
      .toBe(true);
    await failOverToSnapshot(db.database);
    await meter.reenter();
    expect(await meter.flush()).toBe(true);
    expect(meter.status().reappended).toMatchObject({ lost: 800, appended: 800 });
    expect(await recordedIds()).toEqual(ids);
    expect(t.errors()).toEqual([]);
  });

  test("without some of its segments reports the loss, marks its journal, and continues", async ({
    db,
  }) => {
    const journal = t.openJournal({ segmentBytes: 2_000 });
    const whole: boolean[] = [];
    const watch: FlushParticipant = {
      started: ({ isJournalWhole }) => void whole.push(isJournalWhole),
      flush: () => Promise.resolve(),
    };
    const append = appendUsage({ nodeId: t.nodeId, encodeHoldCharges });
    const meter = await t.start({ journal, participants: [append, watch] });
    await takeSnapshot(db.database);
    for (let i = 0; i < 40; i++) {
      t.run(meter, 1n);
      await journal.synced();
    }
    await meter.flush();
    const before = await t.recorded();
    for (const ordinal of [1, 2]) fs.rmSync(segmentPath(t.directory, ordinal));
    await failOverToSnapshot(db.database);
    await meter.reenter();
    expect(await meter.flush()).toBe(true);
    const after = await t.recorded();
    const { lost = 0, unrecoverable = 0 } = meter.status().reappended ?? {};
    expect([after.length, unrecoverable >= before.length - lost, lost < 40]).toEqual([
      lost,
      true,
      true,
    ]);
    expect(t.errors()).toEqual([
      "the database lost records that the journal has deleted: their usage is in no report",
    ]);
    expect(whole).toEqual([true, false]);
    expect(journal.mark.isWhole()).toBe(false);
    t.run(meter, 1n);
    expect(await meter.flush()).toBe(true);
  });

  test("keeps its segments until their ends are appended again", async ({ db }) => {
    const journal = t.openJournal({ segmentBytes: 2_000, retainMs: 0 });
    const meter = await t.start({ journal });
    await takeSnapshot(db.database);
    const ids = runMany(meter, 5);
    await meter.flush();
    await failOverToSnapshot(db.database);
    await meter.reenter();
    for (let i = 0; i < 40; i++) {
      ids.push(t.run(meter, 1n).requestId);
      await journal.synced();
    }
    expect(await meter.flush()).toBe(true);
    expect(await recordedIds()).toEqual(ids);
  });
});

describe("after a failover that lost its start, a node", () => {
  test("takes over the row of its earlier start, and interrupts each request once", async ({
    db,
  }) => {
    const killed = await t.start();
    const flushed = t.run(killed, 1n);
    await killed.flush();
    const running = t.begun();
    killed.begin(running);
    await takeSnapshot(db.database);
    const meter = await t.start();
    const later = t.run(meter, 2n);
    expect(await meter.flush()).toBe(true);
    await failOverToSnapshot(db.database);
    const last = t.run(meter, 3n);
    expect(await meter.flush()).toBe(true);
    expect(await t.recorded()).toEqual([
      { id: flushed.requestId, outcome: "answered", nanoUsd: 1n },
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
      { id: later.requestId, outcome: "answered", nanoUsd: 2n },
      { id: last.requestId, outcome: "answered", nanoUsd: 3n },
    ]);
    expect(t.errors()).toEqual([]);
  });

  test("creates its row again", async ({ db }) => {
    await takeSnapshot(db.database);
    const meter = await t.start();
    const ids = runMany(meter, 3);
    await meter.flush();
    await failOverToSnapshot(db.database);
    expect(await meter.flush()).toBe(true);
    ids.push(t.run(meter, 1n).requestId);
    expect(await meter.flush()).toBe(true);
    expect(await recordedIds()).toEqual(ids);
    expect(meter.status()).toMatchObject({ isFenced: false, reappended: { lost: 3, appended: 3 } });
  });

  test("stops an earlier process of its id that the failover revived", async ({ db }) => {
    const older = await t.start();
    t.run(older, 1n);
    await older.flush();
    await takeSnapshot(db.database);
    const newer = await t.start();
    t.run(newer, 2n);
    await newer.flush();
    await failOverToSnapshot(db.database);
    await newer.reenter();
    await older.reenter();
    expect([older.status().isFenced, newer.status().isFenced]).toEqual([true, false]);
    expect(await newer.flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(2);
  });
});

describe("a node whose row went back without a failover", () => {
  test("reports it, and appends the missing ends again", async ({ db }) => {
    const reported: Record<string, unknown>[] = [];
    const meter = await t.start({
      reportRollback: (details) => {
        reported.push(details);
        return Promise.resolve();
      },
    });
    const ids = runMany(meter, 2);
    await meter.flush();
    await takeSnapshot(db.database);
    ids.push(...runMany(meter, 3));
    await meter.flush();
    await failOverToSnapshot(db.database, { isRaised: false });
    ids.push(t.run(meter, 1n).requestId);
    expect(await meter.flush()).toBe(true);
    expect(await recordedIds()).toEqual(ids);
    expect(reported).toMatchObject([{ nodeId: t.nodeId, flushedSeq: 10, foundFlushedSeq: 4 }]);
  });

  test("appends only missing requests to a database without its row", async ({ db }) => {
    const meter = await t.start({ batchSize: 1 });
    const ids = runMany(meter, 3);
    await meter.flush();
    await db.database.deleteFrom("node").where("id", "=", t.nodeId).execute();
    ids.push(t.run(meter, 1n).requestId);
    while (!(await meter.flush()));
    expect(await recordedIds()).toEqual(ids);
    expect(meter.status().reappended).toBeNull();
    expect(t.errors()).toEqual([]);
  });

  test("appends nothing to a database of another installation", async ({ db }) => {
    const meter = await t.start();
    t.run(meter, 1n);
    await meter.flush();
    await db.database.deleteFrom("node").where("id", "=", t.nodeId).execute();
    const installation = db.database
      .updateTable("installation")
      .where("key", "=", "installation_id");
    const known = await db.database
      .selectFrom("installation")
      .selectAll()
      .executeTakeFirstOrThrow();
    await installation.set({ value: "inst_other" }).execute();
    t.run(meter, 2n);
    expect(await meter.flush()).toBe(false);
    expect(meter.status()).toMatchObject({ isFenced: false, pendingRecords: 1 });
    await installation.set({ value: known.value }).execute();
    expect(await meter.flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(2);
  });
});
