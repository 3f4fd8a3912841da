import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { test as base } from "#test/harness/database-test.ts";
import { foldRollups } from "#test/harness/folds.ts";
import { makeTestMeters, makeUnreliable, type TestMeters } from "#test/harness/meters.ts";
import { endRecord } from "#test/harness/request-records.ts";
import type { FlushParticipant, NodeEntry } from "./flush.ts";
import type { JournalFiles } from "./journal-files.ts";
import { nodeJournalFiles } from "./journal-files.ts";
import type { Meter } from "./meter.ts";
import { appendUsage } from "./record-usage.ts";
import { rollupTableNames } from "./rollup-tables.ts";
import { segmentPath } from "./segments.ts";

// Several processes in turn on the same journal and node: restarts, crashes, other processes, and a database that was
// restored or replaced.

const test = base.extend(
  "fence",
  ({ db }) =>
    () =>
      db.database
        .updateTable("node")
        .set((eb) => ({ epoch: eb("epoch", "+", 1n) }))
        .where("id", "=", t.nodeId)
        .execute(),
);

let t: TestMeters;

test.beforeEach(({ db }) => {
  t = makeTestMeters(db.database);
});

afterEach(() => t.stop());

describe("a restart", () => {
  test("after a kill records each ended request once, and each running one as interrupted", async () => {
    const killed = await t.start();
    const flushed = t.run(killed, 1n);
    await killed.flush();
    const ended = t.run(killed, 2n);
    const running = t.begun({ requestedModel: "claude-opus-5" });
    killed.begin(running);
    const meter = await t.start();
    expect(await meter.flush()).toBe(true);
    expect(await t.recorded()).toEqual([
      { id: flushed.requestId, outcome: "answered", nanoUsd: 1n },
      { id: ended.requestId, outcome: "answered", nanoUsd: 2n },
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
    expect(await t.rolledUp()).toEqual({ requests: 3n, errors: 1n, nanoUsd: 3n });
  });

  test("that is killed before or after its flush counts each request once", async () => {
    const running = t.begun();
    (await t.start()).begin(running);
    await t.start(); // It is killed before its flush.
    await t.start();
    const third = await t.start();
    expect(await third.flush()).toBe(true);
    const fourth = await t.start();
    expect(await fourth.flush()).toBe(true);
    expect(await t.recorded()).toEqual([
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
  });

  test("does not record a request again whose end a power failure lost after the flush", async () => {
    const meter = await t.start();
    const begin = t.begun();
    meter.begin(begin);
    const file = path.join(
      t.directory,
      fs.readdirSync(t.directory).find((name) => name.endsWith(".journal")) ?? "",
    );
    const size = fs.statSync(file).size;
    meter.end(endRecord(begin, 9n));
    await meter.flush();
    fs.truncateSync(file, size);
    const next = await t.start();
    const later = t.run(next, 1n);
    expect(await next.flush()).toBe(true);
    await t.start();
    expect(await t.recorded()).toEqual([
      { id: begin.requestId, outcome: "answered", nanoUsd: 9n },
      { id: later.requestId, outcome: "answered", nanoUsd: 1n },
    ]);
    expect(t.errors()[0]).toContain(
      "the journal ends before the last record that the database has",
    );
  });

  test("without its journal begins a new one, and reports the loss", async () => {
    const meter = await t.start();
    for (let i = 0; i < 3; i++) t.run(meter, 1n);
    await meter.flush();
    const empty = fs.mkdtempSync(path.join(tmpdir(), "bursar-meter-"));
    const next = await t.start({}, empty);
    t.run(next, 1n);
    expect(await next.flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(4);
    expect(t.errors()).toEqual([expect.stringContaining("has another journal for this node")]);
    await next.stop();
    fs.rmSync(empty, { recursive: true, force: true });
  });

  test("after another machine ran under its id records its unflushed requests once", async () => {
    const other = fs.mkdtempSync(path.join(tmpdir(), "bursar-meter-"));
    const here = await t.start();
    t.run(here, 1n);
    await here.flush();
    t.run(here, 2n);
    here.begin(t.begun());
    const there = await t.start({}, other);
    for (const nanoUsd of [4n, 8n, 16n, 32n]) t.run(there, nanoUsd);
    expect(await there.flush()).toBe(true);
    t.run(there, 64n);
    const again = await t.start({ batchSize: 1 });
    expect(await again.flush()).toBe(true);
    const thereAgain = await t.start({}, other);
    expect(await thereAgain.flush()).toBe(true);
    const nanoUsd = (await t.recorded()).map((event) => event.nanoUsd);
    expect(nanoUsd.sort((a, b) => Number(a - b))).toEqual([0n, 1n, 2n, 4n, 8n, 16n, 32n, 64n]);
    expect(
      t.errors().some((message) => message.includes("has another journal for this node")),
    ).toBe(true);
    await thereAgain.stop();
    fs.rmSync(other, { recursive: true, force: true });
  });

  test("on a database that was restored to an earlier state flushes the missing requests again", async ({
    db,
  }) => {
    const meter = await t.start();
    const kept = t.run(meter, 1n);
    await meter.flush();
    const flushedSeq = await db.database
      .selectFrom("node")
      .select("flushed_seq")
      .where("id", "=", t.nodeId)
      .executeTakeFirstOrThrow();
    const lost = t.run(meter, 2n);
    await meter.flush();
    await foldRollups(db.database);
    await db.database.transaction().execute(async (tx) => {
      await tx.deleteFrom("usage_record").where("request_id", "=", lost.requestId).execute();
      for (const table of rollupTableNames) {
        await tx
          .updateTable(table)
          .set((eb) => ({
            requests: eb("requests", "-", 1n),
            input_tokens: eb("input_tokens", "-", 10n),
            output_tokens: eb("output_tokens", "-", 1n),
            output_cost_nano_usd: eb("output_cost_nano_usd", "-", 2n),
            cost_nano_usd: eb("cost_nano_usd", "-", 2n),
          }))
          .where("organization_id", "=", t.organizationId)
          .execute();
      }
      await tx.updateTable("node").set(flushedSeq).where("id", "=", t.nodeId).execute();
    });
    const next = await t.start();
    expect(await next.flush()).toBe(true);
    expect((await t.recorded()).map(({ id }) => id)).toEqual([kept.requestId, lost.requestId]);
  });

  test("on a database without its row records only missing requests", async ({ db }) => {
    const meter = await t.start();
    t.run(meter, 1n);
    await meter.flush();
    t.run(meter, 2n);
    await db.database.deleteFrom("node").where("id", "=", t.nodeId).execute();
    const next = await t.start({ batchSize: 1 });
    t.run(next, 4n);
    expect(await next.flush()).toBe(true);
    expect((await t.recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([1n, 2n, 4n]);
  });

  test("on a database without its row sets nothing aside after another kill", async ({ db }) => {
    const meter = await t.start();
    for (const nanoUsd of [1n, 2n, 4n]) t.run(meter, nanoUsd);
    await meter.flush();
    await db.database.deleteFrom("node").where("id", "=", t.nodeId).execute();
    await t.start({ database: makeUnreliable(db.database, "before commit", 1_000) });
    const next = await t.start();
    expect(await next.flush()).toBe(true);
    expect((await t.recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([1n, 2n, 4n]);
    expect(t.errors().filter((message) => message.includes("set aside"))).toEqual([]);
  });

  test("on another database is refused, because the records cannot be billed there", async () => {
    const meter = await t.start();
    t.run(meter, 1n);
    const other = await createTestDatabase();
    try {
      await expect(t.start({ database: other.database })).rejects.toThrow(
        "belongs to another database",
      );
    } finally {
      await other.drop();
    }
  });
});

describe("a start on segments that it does not read", () => {
  test("counts their spend at once, and flushes every end once in its order", async () => {
    const journal = t.openJournal({ segmentBytes: 2_000 });
    const away: FlushParticipant = { flush: () => Promise.reject(new Error("away")) };
    const first = await t.start({ journal, participants: [away] });
    const ids: string[] = [];
    for (let i = 0; i < 100; i++) {
      ids.push(t.run(first, BigInt(i)).requestId);
      await journal.synced();
    }
    const found: bigint[] = [];
    const queued: bigint[] = [];
    const watching: FlushParticipant = {
      found: ({ costNanoUsd }) => found.push(costNanoUsd),
      queued: ({ cost }) => queued.push(cost.total),
      flush: () => Promise.resolve(),
    };
    const append = appendUsage({ nodeId: t.nodeId, encodeHoldCharges });
    const second = await t.start({ participants: [append, watching] });
    // Once for each key and day.
    expect(found).toHaveLength(1);
    expect(queued.length).toBeLessThan(20);
    const sum = (amounts: readonly bigint[]) => amounts.reduce((total, each) => total + each, 0n);
    expect(sum(found) + sum(queued)).toBe(4_950n);
    expect(second.status().pendingRecords).toBe(100);
    ids.push(t.run(second, 1n).requestId);
    expect(await second.flush()).toBe(true);
    expect((await t.recorded()).map(({ id }) => id)).toEqual(ids);
    expect(second.status().pendingRecords).toBe(0);
    expect(t.errors()).toEqual([]);
  });

  test("reports damage when it flushes them, and marks the journal", async () => {
    const journal = t.openJournal({ segmentBytes: 2_000 });
    const away: FlushParticipant = { flush: () => Promise.reject(new Error("away")) };
    const first = await t.start({ journal, participants: [away] });
    const ids: string[] = [];
    for (let i = 0; i < 50; i++) {
      ids.push(t.run(first, 1n).requestId);
      await journal.synced();
    }
    const file = segmentPath(t.directory, 3);
    const bytes = fs.readFileSync(file, "utf8");
    const [damaged = ""] = ids.filter((id) => bytes.includes(id)).slice(1, 2);
    fs.writeFileSync(file, bytes.replaceAll(damaged, damaged.replace("req_", "REQ_")));
    const again = t.openJournal();
    const second = await t.start({ journal: again });
    expect(t.errors()).toEqual([]);
    expect(await second.flush()).toBe(true);
    const others = ids.filter((id) => id !== damaged);
    expect((await t.recorded()).map(({ id }) => id)).toEqual(others);
    expect(t.errors()).toEqual(["ended requests cannot be read back from the journal"]);
    expect(again.mark.isWhole()).toBe(false);
  });

  test("and stops again and again before all is flushed, loses no request and counts none twice", async () => {
    const journal = t.openJournal({ segmentBytes: 100_000, compressAfterMs: 0 });
    const away: FlushParticipant = { flush: () => Promise.reject(new Error("away")) };
    const first = await t.start({ journal, participants: [away] });
    const ids: string[] = [];
    for (let i = 0; i < 1_500; i++) {
      ids.push(t.run(first, 1n).requestId);
      if (i % 50 === 0) await journal.synced();
    }
    // A killed process compresses nothing, and this one would: the next start and it could both delete a segment.
    await first.stop();
    // Each stop has time for some batches only.
    let known = 0;
    for (let starts = 0; starts < 3; starts++) {
      const appended = appendUsage({ nodeId: t.nodeId, encodeHoldCharges });
      let batches = 0;
      const slow: FlushParticipant = {
        flush: () => {
          batches += 1;
          return batches <= 3 ? Promise.resolve() : Promise.reject(new Error("away"));
        },
      };
      const meter = await t.start({
        participants: [appended, slow],
        batchSize: 100,
        flushEveryMs: 3_600_000,
        stopWithinMs: 0,
      });
      await meter.stop();
      const recorded = (await t.recorded()).map(({ id }) => id);
      expect(recorded).toEqual(ids.slice(0, recorded.length));
      expect(recorded.length).toBeGreaterThan(known);
      known = recorded.length;
    }
    expect(known).toBeLessThan(ids.length);
    const last = await t.start();
    expect(await last.flush()).toBe(true);
    expect((await t.recorded()).map(({ id }) => id)).toEqual(ids);
    expect(t.errors()).toEqual([]);
  });
});

describe("fencing", () => {
  test("a second process under the id stops the first, which flushes nothing more and accepts no requests", async () => {
    const first = await t.start();
    const running = t.begun();
    first.begin(running);
    const second = await t.start();
    first.end(endRecord(running, 5n));
    expect(await first.flush()).toBe(false);
    expect(first.status().isFenced).toBe(true);
    expect(() => first.begin(t.begun())).toThrow(
      expect.objectContaining({ code: "node_id_conflict" }),
    );
    expect(t.logged.some(({ level, msg }) => level === 60 && msg.includes("another process"))).toBe(
      true,
    );
    expect(await second.flush()).toBe(true);
    expect(await t.recorded()).toEqual([
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
  });
});

describe("a fenced node", () => {
  test("gets a new epoch at its next flush, and loses nothing", async ({ fence }) => {
    const entered: NodeEntry[] = [];
    const listening: FlushParticipant = {
      started: (entry) => void entered.push(entry),
      flush: () => Promise.resolve(),
    };
    const meter = await t.start({
      participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), listening],
    });
    const running = t.begun();
    meter.begin(running);
    t.run(meter, 1n);
    await fence();
    expect(await meter.flush()).toBe(true);
    meter.end(endRecord(running, 2n));
    meter.begin(t.begun());
    expect(await meter.flush()).toBe(true);
    expect(meter.status().isFenced).toBe(false);
    expect((await t.recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([2n, 1n]);
    expect(entered).toEqual([
      { epoch: 1n, flushedSeq: 0, isJournalWhole: true },
      { epoch: 3n, flushedSeq: 0, isJournalWhole: true },
    ]);
    expect(t.errors()).toEqual([]);
  });

  test("counts a flush once whose response was lost before the fence", async ({ db, fence }) => {
    const meter = await t.start({ database: makeUnreliable(db.database, "after commit", 1) });
    t.run(meter, 1n);
    expect(await meter.flush()).toBe(false);
    await fence();
    await meter.reenter();
    t.run(meter, 2n);
    expect(await meter.flush()).toBe(true);
    expect((await t.recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([1n, 2n]);
  });

  test("gets no new epoch after another process has taken its id", async ({ fence }) => {
    const first = await t.start();
    t.run(first, 1n);
    await fence();
    await t.start();
    await first.reenter();
    expect(first.status().isFenced).toBe(true);
    expect(() => first.begin(t.begun())).toThrow(
      expect.objectContaining({ code: "node_id_conflict" }),
    );
    await first.reenter();
    expect(t.logged.filter(({ msg }) => msg.includes("another process"))).toHaveLength(1);
  });
});

describe("a journal counts as whole", () => {
  let isWhole: boolean[];

  async function startIn(bootId: string | null, folder = t.directory): Promise<Meter> {
    const journal = t.openJournal({ directory: folder, bootId });
    const participant: FlushParticipant = {
      started: (entry) => void isWhole.push(entry.isJournalWhole),
      flush: () => Promise.resolve(),
    };
    return await t.start({
      journal,
      participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), participant],
    });
  }

  beforeEach(() => {
    isWhole = [];
  });

  test("at first, after a kill, and in another boot after a close", async () => {
    await startIn("boot_1");
    const second = await startIn("boot_1");
    await second.stop();
    await startIn("boot_2");
    expect(isWhole).toEqual([true, true, true]);
  });

  test("not in another or an unknown boot, until the database knows of the gap", async () => {
    await startIn("boot_1");
    const torn = await startIn("boot_2");
    await torn.stop();
    const told = await startIn("boot_2");
    told.acknowledgeJournalGap();
    await startIn("boot_2");
    await startIn(null);
    expect(isWhole).toEqual([true, false, false, true, false]);
  });

  test("not if the database has later records or another journal of the node, also at the next start", async ({
    db,
  }) => {
    t.run(await startIn("boot_1"), 1n);
    await db.database
      .updateTable("node")
      .set({ flushed_seq: 1_000n })
      .where("id", "=", t.nodeId)
      .execute();
    await startIn("boot_1");
    await startIn("boot_1");
    const other = path.join(t.directory, "other");
    await startIn("boot_1", other);
    await startIn("boot_1", other);
    expect(isWhole).toEqual([true, false, false, false, false]);
  });

  test("not when its mark cannot be read", async () => {
    await startIn("boot_1");
    fs.writeFileSync(path.join(t.directory, "written"), "{");
    await startIn("boot_1");
    expect(isWhole).toEqual([true, false]);
  });

  test("not if a record is damaged", async () => {
    const meter = await startIn("boot_1");
    for (const nanoUsd of [1n, 2n, 3n]) t.run(meter, nanoUsd);
    const file = segmentPath(t.directory, 1);
    const whole = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, whole.replace("req_upstream", "req_Upstream"));
    await startIn("boot_1");
    expect(isWhole).toEqual([true, false]);
  });

  test("not after a failed sync, because the kernel may lose written records", async () => {
    const files: JournalFiles = {
      ...nodeJournalFiles,
      create: (file) => ({
        ...nodeJournalFiles.create(file),
        sync: () => Promise.reject(new Error("EIO")),
      }),
    };
    const journal = t.openJournal({ bootId: "boot_1", files });
    const meter = await t.start({ journal });
    await expect(meter.beginSynced(t.begun())).rejects.toMatchObject({
      code: "journal_unavailable",
    });
    await startIn("boot_1");
    expect(isWhole).toEqual([false]);
  });
});
