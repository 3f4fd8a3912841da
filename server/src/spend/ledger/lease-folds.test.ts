import { beforeEach, describe, expect, test } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { spentOf } from "#src/domain/request-spend.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { MemoryStore } from "#test/harness/spend-sim/memory-store.ts";
import type { SyncAnswer } from "./lease-rules.ts";
import type { LeaseState } from "./lease-state.ts";
import { NodeLeases } from "./node-leases.ts";

// Leases while folds count requests at any moment between the messages of a node.

const TTL_MS = 2_000;
const GRACE_MS = 500;
const LIMIT = { id: "spl_test", scopeType: "workspace", period: "monthly" } as const;

let store: MemoryStore;
let now: { nowMs: number; atMs: number };

beforeEach(() => {
  store = new MemoryStore({ ttlMs: TTL_MS, graceMs: GRACE_MS, releaseMs: 60_000 });
  now = { nowMs: 1_000, atMs: SOME_TIME_MS };
});

const { organizationId, workspaceId, apiKeyId } = beginRecord();
const scope = { organizationId, workspaceId, apiKeyId };

async function setLimit(amountNanoUsd: bigint): Promise<void> {
  const limit = { ...LIMIT, scopeId: workspaceId, organizationId, amountNanoUsd };
  await store.setLimit(limit, SOME_TIME_MS);
  await store.countLimits();
}

async function fold(): Promise<void> {
  await store.beginFold();
  while ((await store.continueFold(now.atMs)) === null);
}

class TestNode {
  readonly id: string;
  readonly leases: NodeLeases;
  #epoch = 0n;
  #ends: EndRecord[] = [];
  #seq = 0;
  #appendedSeq = 0;

  constructor(id: string) {
    this.id = id;
    const times = { ttlMs: TTL_MS, marginMs: 200, holdWaitMs: 1_000 };
    this.leases = new NodeLeases({ nodeId: id, ...times, maxWaiting: 10 });
  }

  async enter({ hasJournalGap = false } = {}): Promise<this> {
    const { epoch, flushedSeq } = await store.enter(this.id);
    this.#epoch = epoch;
    this.leases.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap });
    await this.readLimits();
    return this;
  }

  async readLimits(): Promise<void> {
    const { limits, version } = await store.limits();
    this.leases.setLimits(limits, version);
  }

  hold(requestId: string, amountNanoUsd: bigint): string {
    return this.leases.hold({ requestId, scope, amountNanoUsd }, now).kind;
  }

  end(requestId: string, costNanoUsd: bigint): void {
    const begin = beginRecord({ ...scope, requestId, startedAtMs: now.atMs });
    const record = endRecord(begin, costNanoUsd);
    this.#ends.push(record);
    this.#seq += 1;
    this.leases.recordEnd(requestId, record, spentOf(record));
  }

  /** Appends all ends. Without `isAnswered` the response is lost. */
  async append({ isAnswered = true, isCounted = true } = {}): Promise<void> {
    const request = { nodeId: this.id, epoch: this.#epoch, from: this.#appendedSeq, to: this.#seq };
    const batch = this.#ends;
    expect(await store.flush({ ...request, batch })).toBe("flushed");
    if (!isAnswered) return;
    this.#ends = [];
    this.#appendedSeq = this.#seq;
    const ends = batch.map((record) => ({ origin: record, spent: spentOf(record), isCounted }));
    this.leases.recordAppend(ends, this.#seq);
  }

  async readFolded(): Promise<void> {
    this.leases.recordFolded(await store.foldedSeq(this.id));
  }

  /** Sends the next message now, and returns the response for a later `take`. */
  async send(): Promise<SyncAnswer> {
    const message = this.leases.nextMessage(now);
    if (message === null) throw new Error(`${this.id} has no message`);
    return await store.sync(message, now.atMs);
  }

  take(answer: SyncAnswer): string[] {
    return this.leases.applyAnswer(answer, now).map(({ requestId }) => requestId);
  }

  async speak(): Promise<string[]> {
    return this.take(await this.send());
  }

  get state(): LeaseState {
    const [state] = this.leases.view().states;
    if (state === undefined) throw new Error(`${this.id} has no lease`);
    return state;
  }

  /** Unused part of the lease. */
  get free(): bigint {
    return this.state.granted - this.state.drawn - this.state.held;
  }
}

async function balance() {
  const { balances } = await store.snapshot();
  const [row] = [...balances].filter(([key]) =>
    key.startsWith(`workspace\n${workspaceId}\nmonthly`),
  );
  const { settled = 0n, leased = 0n, unresolved = 0n } = row?.[1] ?? {};
  return { settled, leased, unresolved };
}

async function startNode(id: string): Promise<TestNode> {
  const node = await new TestNode(id).enter();
  await node.speak();
  return node;
}

describe("a request that ended", () => {
  test("stays in the lease of its node until a fold counts it", async () => {
    await setLimit(100n);
    const [one, two] = [await startNode("node_1"), await startNode("node_2")];
    one.hold("req_1", 100n);
    await one.speak();
    one.end("req_1", 100n);
    await one.append();
    now.nowMs += 1_000;
    await one.speak();
    expect(await balance()).toEqual({ settled: 0n, leased: 100n, unresolved: 0n });
    two.hold("req_2", 1n);
    expect(await two.speak()).toEqual([]);
    await fold();
    expect(await balance()).toEqual({ settled: 100n, leased: 0n, unresolved: 0n });
  });

  test("leaves the lease at once when no fold will count it", async () => {
    await setLimit(100n);
    const node = await startNode("node_1");
    node.hold("req_1", 60n);
    await node.speak();
    node.end("req_1", 60n);
    await node.append({ isCounted: false });
    expect(node.free).toBe(60n);
  });
});

describe("a message", () => {
  test("is applied after a fold that the node does not know", async () => {
    await setLimit(100n);
    const node = await startNode("node_1");
    node.hold("req_1", 60n);
    await node.speak();
    node.end("req_1", 50n);
    await node.append();
    node.hold("req_2", 50n);
    const message = node.leases.nextMessage(now);
    await fold();
    if (message === null) throw new Error("no message");
    expect(node.take(await store.sync(message, now.atMs))).toEqual(["req_2"]);
    expect(await balance()).toEqual({ settled: 50n, leased: 50n, unresolved: 0n });
  });

  test("keeps a lease of an ended period until its spend is counted", async () => {
    await setLimit(100n);
    const node = await startNode("node_1");
    node.hold("req_1", 60n);
    await node.speak();
    node.end("req_1", 60n);
    await node.append();
    now.atMs += 40 * 86_400_000;
    for (let round = 0; round < 2; round++) {
      now.nowMs += 1_000;
      await node.speak();
    }
    expect(await balance()).toEqual({ settled: 0n, leased: 60n, unresolved: 0n });
    await fold();
    await node.readFolded();
    now.nowMs += 1_000;
    await node.speak();
    expect(node.leases.view().states).toEqual([]);
  });
});

describe("a lease that opens", () => {
  /** A node that has spent 40 before the limit was set, and appended it. */
  async function startSpentNode(): Promise<TestNode> {
    const node = await startNode("node_1");
    node.end("req_0", 40n);
    await node.append();
    await setLimit(100n);
    await node.readLimits();
    return node;
  }

  test("counts spend that no fold has counted", async () => {
    const node = await startSpentNode();
    await node.speak();
    expect(await balance()).toEqual({ settled: 0n, leased: 40n, unresolved: 0n });
    expect([node.state.granted, node.state.drawn]).toEqual([40n, 40n]);
  });

  test("includes the draws of a fold between the message and its execution", async () => {
    const node = await startSpentNode();
    const message = node.leases.nextMessage(now);
    await fold();
    if (message === null) throw new Error("no message");
    node.take(await store.sync(message, now.atMs));
    expect(node.state.drawn).toBe(40n);
    now.nowMs += 250;
    await node.speak();
    expect(await balance()).toEqual({ settled: 40n, leased: 0n, unresolved: 0n });
  });

  test("includes the draws of a fold that the node knows before the response", async () => {
    const node = await startSpentNode();
    const answer = await node.send();
    await fold();
    await node.readFolded();
    node.take(answer);
    expect(node.state.drawn).toBe(40n);
    now.nowMs += 1_000;
    await node.speak();
    expect(await balance()).toEqual({ settled: 40n, leased: 0n, unresolved: 0n });
  });

  test("waits while the response to an append of counted ends is missing", async () => {
    const node = await startNode("node_1");
    node.end("req_0", 40n);
    await node.append({ isAnswered: false });
    await setLimit(100n);
    await node.readLimits();
    await fold();
    await node.speak();
    expect(node.state.countId).toBeNull();
    await node.append();
    now.nowMs += 100;
    await node.speak();
    expect(node.state.drawn).toBe(40n);
    now.nowMs += 1_000;
    await node.speak();
    expect(await balance()).toEqual({ settled: 40n, leased: 0n, unresolved: 0n });
  });

  test("gets no budget before draws on its limit are counted", async () => {
    const node = await startNode("node_1");
    const limit = { ...LIMIT, scopeId: workspaceId, organizationId, amountNanoUsd: 100n };
    await store.setLimit(limit, SOME_TIME_MS);
    await node.readLimits();
    node.hold("req_1", 10n);
    expect(await node.speak()).toEqual([]);
    expect((await store.activating()).map(({ id }) => id)).toEqual(["spl_test"]);
    await store.countLimits();
    now.nowMs += 100;
    expect(await node.speak()).toEqual(["req_1"]);
    expect(await store.activating()).toEqual([]);
  });
});

test("a node that leaves stays live until its ends are appended", async () => {
  await setLimit(100n);
  const node = await startNode("node_1");
  node.hold("req_1", 60n);
  await node.speak();
  node.end("req_1", 60n);
  node.leases.leave();
  await node.speak();
  expect(node.leases.hasLeft).toBe(false);
  await node.append();
  await node.speak();
  expect(node.leases.hasLeft).toBe(true);
  expect(await balance()).toEqual({ settled: 0n, leased: 60n, unresolved: 0n });
  await fold();
  expect(await balance()).toEqual({ settled: 60n, leased: 0n, unresolved: 0n });
});

test("a journal gap is reported until the database has answered, and keeps the budget unresolved", async () => {
  await setLimit(100n);
  const before = await startNode("node_1");
  before.hold("req_1", 60n);
  await before.speak();
  const node = await new TestNode("node_1").enter({ hasJournalGap: true });
  node.leases.nextMessage(now);
  node.leases.handleLostMessage(now);
  await node.enter();
  expect(node.leases.hasJournalGap).toBe(true);
  now.nowMs += 250;
  await node.speak();
  expect(node.leases.hasJournalGap).toBe(false);
  expect(await balance()).toEqual({ settled: 0n, leased: 0n, unresolved: 60n });
});

test("opens leases again on a limit that returns, and holds requests that began without it", async () => {
  await setLimit(100n);
  const node = await startNode("node_1");
  node.hold("req_1", 10n);
  await node.speak();
  const limit = { ...LIMIT, scopeId: workspaceId, organizationId, amountNanoUsd: 0n };
  await store.removeLimit(limit);
  await node.readLimits();
  node.hold("req_2", 30n);
  await setLimit(100n);
  await node.readLimits();
  await node.speak();
  expect(node.state.held).toBe(40n);
  expect(await balance()).toEqual({ settled: 0n, leased: 40n, unresolved: 0n });
});

test("a limit is not active while a fenced node has spend that no fold has counted", async () => {
  const [one, two] = [await startNode("node_1"), await startNode("node_2")];
  one.end("req_1", 40n);
  await one.append();
  await setLimit(100n);
  await two.readLimits();
  now.atMs += TTL_MS + GRACE_MS + 1;
  now.nowMs += TTL_MS + GRACE_MS + 1;
  await two.speak();
  expect(await store.fence(now.atMs)).toEqual(["node_1"]);
  expect((await store.activating()).map(({ id }) => id)).toEqual(["spl_test"]);
  await fold();
  expect(await store.activating()).toEqual([]);
});
