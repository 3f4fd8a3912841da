import { beforeEach, describe, expect, test } from "vitest";
import { beginRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { MemoryStore } from "#test/harness/spend-sim/memory-store.ts";
import type { SyncMessage } from "./lease-rules.ts";
import { NodeLeases } from "./node-leases.ts";

// Budget that nodes hold in advance of their requests.

const TTL_MS = 120_000;
const MARGIN_MS = 12_000;
const TICK_MS = 250;
const HOLD = 400n;
const COST = 10n;
const PLENTY = 10_000_000n;

const { organizationId, workspaceId, apiKeyId } = beginRecord();
const scope = { organizationId, workspaceId, apiKeyId };
const LIMIT = { scopeType: "workspace", period: "monthly", organizationId } as const;

let store: MemoryStore;
let now: { nowMs: number; atMs: number };
let requests: number;

beforeEach(() => {
  store = new MemoryStore({ ttlMs: TTL_MS, graceMs: 30_000, releaseMs: 3_600_000 });
  now = { nowMs: 1_000, atMs: SOME_TIME_MS };
  requests = 0;
});

async function setLimit(amountNanoUsd: bigint, scopeId = workspaceId): Promise<void> {
  await store.setLimit({ ...LIMIT, id: `spl_${scopeId}`, scopeId, amountNanoUsd }, now.atMs);
  await store.countLimits();
}

/** A node that sends its messages to the store until `isCut`. */
class TestNode {
  readonly leases: NodeLeases;
  isCut = false;
  readonly sent: SyncMessage[] = [];

  constructor(nodeId: string) {
    const times = { ttlMs: TTL_MS, marginMs: MARGIN_MS, holdWaitMs: 5_000 };
    this.leases = new NodeLeases({ nodeId, ...times, maxWaiting: 100 });
  }

  static async start(nodeId: string): Promise<TestNode> {
    const node = new TestNode(nodeId);
    const { epoch, flushedSeq } = await store.enter(nodeId);
    node.leases.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: false });
    await node.readLimits();
    await node.speak();
    return node;
  }

  async readLimits(): Promise<void> {
    const { limits, version } = await store.limits();
    this.leases.setLimits(limits, version);
  }

  /** Sends what the node has to say. */
  async speak(): Promise<void> {
    const message = this.leases.nextMessage(now);
    if (message === null) return;
    this.sent.push(message);
    if (this.isCut) this.leases.handleLostMessage(now);
    else this.leases.applyAnswer(await store.sync(message, now.atMs), now);
  }

  /** Begins a request, with messages while it waits. */
  async begin(amountNanoUsd = HOLD): Promise<{ requestId: string; isHeld: boolean }> {
    requests += 1;
    const requestId = `req_${requests}`;
    const { kind } = this.leases.hold({ requestId, scope, amountNanoUsd }, now);
    if (kind === "waiting") await this.speak();
    const isHeld = kind === "held" || this.leases.view().waiting === 0;
    if (!isHeld) this.leases.drop(requestId);
    return { requestId, isHeld };
  }

  end(requestId: string, costNanoUsd = COST): void {
    const origin = { ...scope, startedAtMs: now.atMs };
    this.leases.recordEnd(requestId, origin, { costNanoUsd, unresolvedNanoUsd: 0n });
  }

  get free(): bigint {
    const [state] = this.leases.view().states;
    return state === undefined ? 0n : state.granted - state.drawn - state.held;
  }
}

async function pass(ms: number, nodes: readonly TestNode[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    now.nowMs += TICK_MS;
    now.atMs += TICK_MS;
    for (const node of nodes) await node.speak();
  }
}

/** Runs four requests a second on each node. Each takes a second. Returns the number of refused ones. */
async function serve(ms: number, nodes: readonly TestNode[]): Promise<number> {
  let refused = 0;
  const running: { node: TestNode; requestId: string }[] = [];
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    for (const node of nodes) {
      const { requestId, isHeld } = await node.begin();
      if (isHeld) running.push({ node, requestId });
      else refused += 1;
    }
    const ended = running.splice(0, Math.max(0, running.length - 4 * nodes.length));
    for (const { node, requestId } of ended) node.end(requestId);
    await pass(TICK_MS, nodes);
  }
  for (const { node, requestId } of running) node.end(requestId);
  return refused;
}

describe("while much of a limit remains", () => {
  test("two nodes serve their usual traffic for 100 s without the database", async () => {
    await setLimit(PLENTY);
    const nodes = [await TestNode.start("node_1"), await TestNode.start("node_2")];
    await serve(20_000, nodes);
    for (const node of nodes) node.isCut = true;
    expect(await serve(100_000, nodes)).toBe(0);
  });

  test("a key that calls seldom serves its calls without a message, and a top-up follows only some of them", async () => {
    await setLimit(PLENTY);
    const node = await TestNode.start("node_1");
    const waits: number[] = [];
    for (let call = 0; call < 30; call++) {
      const before = node.sent.length;
      const { requestId } = await node.begin();
      if (node.sent.length > before) waits.push(call);
      node.end(requestId);
      await pass(4_000, [node]);
    }
    expect(waits).toEqual([0]);
    const topUps = node.sent.filter((message) => message.topUps.size > 0);
    expect(topUps.length).toBeLessThan(8);
  });

  test("a steady stream needs about one top-up a minute", async () => {
    await setLimit(PLENTY);
    const node = await TestNode.start("node_1");
    await serve(120_000, [node]);
    node.sent.length = 0;
    await serve(120_000, [node]);
    expect(node.sent.filter((message) => message.topUps.size > 0).length).toBeLessThan(4);
  });

  test("a quiet node returns its budget within seconds, but keeps the amount of a request for a minute", async () => {
    await setLimit(PLENTY / 20n);
    const node = await TestNode.start("node_1");
    await serve(20_000, [node]);
    expect(node.free).toBeGreaterThan(4_000n);
    await pass(21_000, [node]);
    expect(node.free).toBe((HOLD * 3n) / 2n);
    await pass(45_000, [node]);
    expect(node.free).toBe(0n);
  });

  test("a node keeps the budget of a hundredth of the room for ten minutes, so that a burst does not wait", async () => {
    await setLimit(PLENTY);
    const node = await TestNode.start("node_1");
    await serve(20_000, [node]);
    await pass(300_000, [node]);
    expect(node.leases.isQuiet).toBe(true);
    node.sent.length = 0;
    for (let at = 0; at < 10; at++) expect((await node.begin()).isHeld).toBe(true);
    expect(node.sent).toEqual([]);
  });

  test("a node that stays quiet for longer returns all of it", async () => {
    await setLimit(PLENTY);
    const node = await TestNode.start("node_1");
    await serve(20_000, [node]);
    await pass(700_000, [node]);
    expect(node.free).toBe(0n);
  });

  test("a resting budget is returned at the next renewal after others have spent the room", async () => {
    await setLimit(PLENTY);
    const [node, other] = [await TestNode.start("node_1"), await TestNode.start("node_2")];
    await serve(20_000, [node]);
    await pass(60_000, [node, other]);
    expect(node.free).toBeGreaterThan(4_000n);
    expect((await other.begin(PLENTY - 100_000n)).isHeld).toBe(true);
    await pass(TTL_MS / 3 + 1_000, [node, other]);
    expect(node.free).toBeLessThanOrEqual((HOLD * 3n) / 2n);
  });

  test("a message that is lost while a request waits does not cost the lease its budget", async () => {
    await setLimit(PLENTY);
    const node = await TestNode.start("node_1");
    await serve(20_000, [node]);
    const before = node.free;
    node.isCut = true;
    expect((await node.begin(before + 1n)).isHeld).toBe(false);
    expect(node.free).toBe(before);
    expect((await node.begin()).isHeld).toBe(true);
  });

  test("a node renews its leases without a request, so that they last for nearly a TTL after the last contact", async () => {
    await setLimit(PLENTY);
    const node = await TestNode.start("node_1");
    await pass(40_000, [node]);
    node.isCut = true;
    await pass(TTL_MS - MARGIN_MS - TTL_MS / 24 - TICK_MS, []);
    expect(node.leases.isExpired(now.nowMs)).toBe(false);
  });
});

describe("the budget in advance", () => {
  test("of all nodes together leaves at least a third of the unused budget to exact grants", async () => {
    await setLimit(20_000n);
    const nodes: TestNode[] = [];
    for (let at = 0; at < 4; at++) nodes.push(await TestNode.start(`node_${at}`));
    await serve(60_000, nodes);
    await pass(3_000, nodes);
    const { leases } = await store.snapshot();
    const remaining = 20_000n - leases.reduce((sum, { amount }) => sum + amount, 0n);
    const inAdvance = nodes.reduce((sum, { free }) => sum + free, 0n);
    expect(inAdvance).toBeGreaterThan(1_000n);
    expect(inAdvance).toBeLessThanOrEqual(2n * remaining);
  });

  test("is returned within seconds to a quarter of it, when another node needs the rest", async () => {
    await setLimit(20_000n);
    const [one, two] = [await TestNode.start("node_1"), await TestNode.start("node_2")];
    await serve(60_000, [one]);
    const before = one.free;
    expect(before).toBeGreaterThan(2_000n);
    const { leases } = await store.snapshot();
    const remaining = 20_000n - leases.reduce((sum, { amount }) => sum + amount, 0n);
    expect((await two.begin(remaining)).isHeld).toBe(true);
    await pass(3_000, [one]);
    expect(one.free).toBe(before / 4n);
    expect((await two.begin(before - before / 4n)).isHeld).toBe(true);
  });

  test("of the only node is all that a burst leaves, then at most half of it after 20 s, and nothing after a minute", async () => {
    await setLimit(2_000n);
    const node = await TestNode.start("node_1");
    const burst: string[] = [];
    for (const amountNanoUsd of [1_000n, HOLD, 600n]) {
      const { requestId, isHeld } = await node.begin(amountNanoUsd);
      expect(isHeld).toBe(true);
      burst.push(requestId);
      await pass(TICK_MS, [node]);
    }
    for (const requestId of burst) node.end(requestId, 80n);
    await pass(14_000, [node]);
    expect(node.free).toBe(1_760n);
    await pass(6_000, [node]);
    expect(node.free).toBe(880n);
    const { leases } = await store.snapshot();
    expect(2_000n - leases.reduce((sum, { amount }) => sum + amount, 0n)).toBe(880n);
    await pass(45_000, [node]);
    expect(node.free).toBe(0n);
  });

  test("of a quiet node is returned once, and its next request still needs no message", async () => {
    await setLimit(2_000n);
    const node = await TestNode.start("node_1");
    const { requestId } = await node.begin();
    node.end(requestId);
    await pass(20_000, [node]);
    const before = node.free;
    expect(before).toBe((HOLD * 3n) / 2n);
    node.sent.length = 0;
    await pass(5_000, [node]);
    expect([node.free, node.sent.length]).toEqual([before, 1]);
    expect((await node.begin()).isHeld).toBe(true);
    expect(node.sent).toHaveLength(1);
  });

  test("stays when another limit changes or this one rises, and is returned when this one is lowered", async () => {
    await setLimit(PLENTY);
    const node = await TestNode.start("node_1");
    await serve(20_000, [node]);
    const before = node.free;
    await setLimit(7n, "wksp_other");
    await setLimit(PLENTY + 1n);
    await node.readLimits();
    expect((await node.begin()).isHeld).toBe(true);
    await node.speak();
    expect(node.free).toBe(before - HOLD);
    await setLimit(1_000n);
    await node.readLimits();
    await node.speak();
    expect(node.free).toBe(0n);
  });
});
