import { randomUUID } from "node:crypto";
import { afterEach, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { BeginRecord } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { failOverToSnapshot, takeSnapshot } from "#test/harness/database-snapshot.ts";
import { test } from "#test/harness/database-test.ts";
import { foldRollups } from "#test/harness/folds.ts";
import { makeTestMeters, makeUnreliable, type TestMeters } from "#test/harness/meters.ts";
import { endRecord } from "#test/harness/request-records.ts";
import { seededRandom } from "#test/harness/seeded-random.ts";
import type { FlushParticipant } from "./flush.ts";
import type { Journal } from "./journal-contract.ts";
import type { Meter } from "./meter.ts";
import { openPostgresJournal } from "./postgres-journal.ts";
import { appendUsage } from "./record-usage.ts";

// One node and a database that fails over at random points, between crashes, lost responses and folds. Each request is
// recorded once, and the node counts the spend of each end once.

const SEEDS = [1, 2, 3, 4];
const STEPS = 60;

let t: TestMeters | null = null;
let opened: Journal[] = [];

afterEach(async () => {
  await t?.stop();
  for (const journal of opened) await journal.close();
  opened = [];
});

interface Node {
  meter: Meter;
  journal: Journal;
  /** Spend that the process counts as not appended. */
  pendingNanoUsd: () => bigint;
}

interface Expected {
  outcome: string;
  nanoUsd: bigint;
}

/** The next commit fails, and loses its response or its effect. */
interface Line {
  failure: "before commit" | "after commit" | null;
}

function failingAsTold(database: Database, line: Line): Database {
  return new Proxy(database, {
    get(target, name) {
      const failure = name === "transaction" ? line.failure : null;
      if (failure !== null) line.failure = null;
      const from = failure === null ? target : makeUnreliable(target, failure, 1);
      const value: unknown = Reflect.get(from, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function watchSpend(): { participant: FlushParticipant; pendingNanoUsd: () => bigint } {
  let pending = 0n;
  const add = (nanoUsd: bigint) => {
    pending += nanoUsd;
  };
  return {
    pendingNanoUsd: () => pending,
    participant: {
      queued: ({ cost }) => add(cost.total),
      found: ({ costNanoUsd }) => add(costNanoUsd),
      flush: () => Promise.resolve(),
      committed: (batch) => add(-batch.reduce((sum, { cost }) => sum + cost.total, 0n)),
    },
  };
}

class Rounds {
  readonly #database: Database;
  readonly #kind: "disk" | "database";
  readonly #meters: TestMeters;
  readonly #random: () => number;
  readonly #running = new Map<string, BeginRecord>();
  readonly #line: Line = { failure: null };
  readonly expected = new Map<string, Expected>();
  #node: Node | null = null;

  constructor(
    database: Database,
    of: { kind: "disk" | "database"; meters: TestMeters; random: () => number },
  ) {
    this.#database = database;
    this.#kind = of.kind;
    this.#meters = of.meters;
    this.#random = of.random;
  }

  async start(): Promise<void> {
    const { participant, pendingNanoUsd } = watchSpend();
    const journal = await this.#openJournal();
    opened.push(journal);
    const { nodeId } = this.#meters;
    const append = appendUsage({ nodeId, encodeHoldCharges });
    this.#line.failure = null;
    const meter = await this.#meters.start({
      journal,
      database: failingAsTold(this.#database, this.#line),
      participants: [append, participant],
      batchSize: 3,
      maxInMemory: 4,
    });
    this.#node = { meter, journal, pendingNanoUsd };
  }

  async step(): Promise<void> {
    const roll = this.#random();
    if (roll < 0.35) this.#end(await this.#begin());
    else if (roll < 0.45) await this.#begin();
    else if (roll < 0.55) this.#end([...this.#running.values()][0]);
    else if (roll < 0.7) await this.#get().meter.flush();
    else if (roll < 0.73) this.#line.failure = roll < 0.715 ? "before commit" : "after commit";
    else if (roll < 0.77) await foldRollups(this.#database);
    else if (roll < 0.83) await takeSnapshot(this.#database);
    else if (roll < 0.93) await this.#failOver();
    else await this.#kill();
  }

  /** Ends all requests, and flushes until nothing is pending. */
  async finish(): Promise<void> {
    for (const begin of [...this.#running.values()]) this.#end(begin);
    const { meter, pendingNanoUsd } = this.#get();
    for (let attempt = 0; !(await meter.flush()); attempt++) {
      if (attempt > 200) throw new Error("the flush does not end");
    }
    expect(pendingNanoUsd()).toBe(0n);
    expect(meter.status().isFenced).toBe(false);
  }

  #get(): Node {
    if (this.#node === null) throw new Error("the node runs");
    return this.#node;
  }

  async #openJournal(): Promise<Journal> {
    const segmentBytes = 2_000 + Math.floor(this.#random() * 4_000);
    if (this.#kind === "disk") return this.#meters.openJournal({ segmentBytes });
    return await openPostgresJournal({
      database: this.#database,
      nodeId: this.#meters.nodeId,
      journalId: `jrnl_${randomUUID()}`,
      logger: makeLogger("silent"),
      heartbeatIntervalMs: 3_600_000,
    });
  }

  async #begin(): Promise<BeginRecord> {
    const begin = this.#meters.begun();
    await this.#get().meter.beginSynced(begin);
    this.#running.set(begin.requestId, begin);
    return begin;
  }

  #end(begin: BeginRecord | undefined): void {
    if (begin === undefined) return;
    this.#running.delete(begin.requestId);
    const nanoUsd = BigInt(1 + Math.floor(this.#random() * 1_000));
    this.#get().meter.end(endRecord(begin, nanoUsd));
    this.expected.set(begin.requestId, { outcome: "answered", nanoUsd });
  }

  async #failOver(): Promise<void> {
    await failOverToSnapshot(this.#database);
    this.#line.failure = null;
    if (this.#random() < 0.5) return;
    const { meter, pendingNanoUsd } = this.#get();
    await meter.reenter();
    const recorded = (await this.#meters.recorded()).reduce(
      (sum, { nanoUsd }) => sum + nanoUsd,
      0n,
    );
    const ended = [...this.expected.values()].reduce((sum, { nanoUsd }) => sum + nanoUsd, 0n);
    expect(pendingNanoUsd()).toBe(ended - recorded);
  }

  /** Running requests become interrupted. */
  async #kill(): Promise<void> {
    // Only the memory of the process has rows that a failover lost. They are in the database again after the next begin.
    if (this.#kind === "database") await this.#begin();
    await this.#get().journal.synced();
    if (this.#kind === "database") await takeSnapshot(this.#database);
    for (const { requestId } of this.#running.values()) {
      this.expected.set(requestId, { outcome: "interrupted", nanoUsd: 0n });
    }
    this.#running.clear();
    await this.start();
  }
}

test.for(
  SEEDS.flatMap((seed) => [
    { seed, kind: "disk" as const },
    { seed, kind: "database" as const },
  ]),
)(
  "records each request once with a journal on $kind, seed $seed",
  async ({ seed, kind }, { db }) => {
    const meters = makeTestMeters(db.database);
    t = meters;
    const random = seededRandom(seed);
    const rounds = new Rounds(db.database, { kind, meters, random });
    await takeSnapshot(db.database);
    await rounds.start();
    for (let step = 0; step < STEPS; step++) await rounds.step();
    await rounds.finish();
    const recorded = await meters.recorded();
    const byId = new Map(recorded.map(({ id, ...rest }) => [id, rest]));
    expect(recorded).toHaveLength(byId.size);
    expect(byId).toEqual(rounds.expected);
    // Killed processes of the test can retry a flush.
    const others = meters.errors().filter((message) => !message.startsWith("another process"));
    expect(others).toEqual([]);
  },
);
