import { beforeEach, describe, expect, test } from "vitest";
import { spentOf } from "#src/domain/request-spend.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { MemoryStore } from "#test/harness/spend-sim/memory-store.ts";
import type { SyncMessage } from "./lease-rules.ts";
import { NodeLeases } from "./node-leases.ts";

const TTL_MS = 2_000;
const MARGIN_MS = 200;
const MINUTE_MS = 60_000;

let store: MemoryStore;
let now: { nowMs: number; atMs: number };

beforeEach(() => {
  store = new MemoryStore({ ttlMs: TTL_MS, graceMs: 500, releaseMs: 60_000 });
  now = { nowMs: 1_000, atMs: SOME_TIME_MS };
});

const { organizationId, workspaceId, apiKeyId } = beginRecord();
const COST = { costNanoUsd: 10n, unresolvedNanoUsd: 0n };
const scope = { organizationId, workspaceId, apiKeyId };

async function limit(amountNanoUsd: bigint, scopeId = workspaceId): Promise<void> {
  const of = { id: "spl_test", scopeType: "workspace", scopeId, period: "monthly" } as const;
  await store.setLimit({ ...of, organizationId, amountNanoUsd }, SOME_TIME_MS);
  await store.countLimits();
}

/** Sets the monthly limit of a member or group. */
async function limitPerson(scopeType: "member" | "group", scopeId: string, amountNanoUsd: bigint) {
  const of = { id: `spl_${scopeId}`, organizationId, scopeType, scopeId } as const;
  await store.setLimit({ ...of, period: "monthly", amountNanoUsd }, SOME_TIME_MS);
  await store.countLimits();
}

async function startNode(nodeId: string, maxWaiting = 10): Promise<NodeLeases> {
  const { node } = await enterNode(nodeId, maxWaiting);
  await speak(node);
  return node;
}

/** Creates a node that knows its limits and has not sent a message. */
async function enterNode(nodeId: string, maxWaiting = 10) {
  const options = { nodeId, ttlMs: TTL_MS, marginMs: MARGIN_MS, holdWaitMs: 1_000, maxWaiting };
  const node = new NodeLeases(options);
  const { epoch, flushedSeq } = await store.enter(nodeId);
  node.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: false });
  await readLimits(node);
  return { node, epoch };
}

async function fold(): Promise<void> {
  await store.beginFold();
  while ((await store.continueFold(now.atMs)) === null);
}

async function readLimits(node: NodeLeases): Promise<void> {
  const { limits, version } = await store.limits();
  node.setLimits(limits, version);
}

function nextMessage(node: NodeLeases): SyncMessage {
  const message = node.nextMessage(now);
  if (message === null) throw new Error("the node has something to say");
  return message;
}

async function speak(node: NodeLeases) {
  return node.applyAnswer(await store.sync(nextMessage(node), now.atMs), now);
}

function hold(node: NodeLeases, requestId: string, amountNanoUsd: bigint) {
  return node.hold({ requestId, scope, amountNanoUsd }, now).kind;
}

describe("a person with keys in two workspaces", () => {
  const first = { ...scope, memberId: "user_1" };
  const second = {
    organizationId,
    workspaceId: "wksp_2",
    apiKeyId: "apikey_2",
    memberId: "user_1",
  };
  const ask = (node: NodeLeases, requestId: string, of: typeof first, groupIds?: string[]) =>
    node.hold({ requestId, scope: { ...of, groupIds }, amountNanoUsd: 60n }, now).kind;

  test("has one budget, and a request that ends serves the next one of the other key", async () => {
    await limitPerson("member", "user_1", 100n);
    const node = await startNode("node_1");
    ask(node, "req_1", first);
    expect(await speak(node)).toHaveLength(1);
    expect(ask(node, "req_2", second)).toBe("waiting");
    expect(ask(node, "req_3", { ...second, memberId: "user_2" })).toBe("held");
    node.drop("req_1");
    expect(node.resolveFreed(now).map(({ requestId }) => requestId)).toEqual(["req_2"]);
  });

  test("waits behind an earlier request of its group", async () => {
    await limitPerson("member", "user_1", 100n);
    await limitPerson("group", "group_1", 100n);
    const node = await startNode("node_1");
    const other = { ...second, memberId: "user_2" };
    ask(node, "req_1", first, ["group_1"]);
    await speak(node);
    expect(ask(node, "req_2", other, ["group_1"])).toBe("waiting");
    expect(ask(node, "req_3", first, ["group_1"])).toBe("waiting");
    node.drop("req_1");
    expect(node.resolveFreed(now).map(({ requestId }) => requestId)).toEqual(["req_2"]);
    expect(node.view().waiting).toBe(1);
  });

  test("is refused by the limit of the person while the group has room, and takes nothing from it", async () => {
    await limitPerson("member", "user_1", 50n);
    await limitPerson("group", "group_1", 1_000n);
    const node = await startNode("node_1");
    ask(node, "req_1", first, ["group_1"]);
    const [refused] = await speak(node);
    expect(refused?.decision).toMatchObject({
      kind: "refused",
      reason: "too_large",
      limit: { scopeType: "member", scopeId: "user_1" },
    });
    expect(node.view().states.map(({ held }) => held)).toEqual([0n, 0n]);
  });
});

describe("a node", () => {
  test("holds budget of its lease until TTL − margin after its message, and no longer", async () => {
    await limit(100n);
    const node = await startNode("node_1");
    hold(node, "req_1", 60n);
    await speak(node);
    node.drop("req_1");
    now.nowMs += TTL_MS - MARGIN_MS - 1;
    expect(hold(node, "req_2", 60n)).toBe("held");
    node.drop("req_2");
    now.nowMs += 1;
    expect(hold(node, "req_3", 60n)).toBe("waiting");
  });

  test("uses an expired lease again after the response to a later message, not to an earlier one", async () => {
    await limit(100n);
    const node = await startNode("node_1");
    expect(hold(node, "req_1", 60n)).toBe("waiting");
    const earlier = nextMessage(node);
    node.expireLeases();
    node.applyAnswer(await store.sync(earlier, now.atMs), now);
    expect([node.isExpired(now.nowMs), node.view().waiting]).toEqual([true, 1]);
    now.nowMs += 100;
    expect((await speak(node)).map(({ decision }) => decision.kind)).toEqual(["held"]);
    expect(node.isExpired(now.nowMs)).toBe(false);
  });

  test("asks once, and needs no message while its lease has enough budget", async () => {
    await limit(100n);
    const node = await startNode("node_1");
    hold(node, "req_0", 10n);
    await speak(node);
    for (let i = 1; i < 50; i++) {
      node.drop(`req_${i - 1}`);
      expect(hold(node, `req_${i}`, 10n)).toBe("held");
    }
  });

  test("requests budget before its requests lack it, while plenty remains", async () => {
    await limit(1_000_000n);
    const node = await startNode("node_1");
    const serve = async (second: number) => {
      for (let i = 0; i < 4; i++) {
        const requestId = `req_${second}_${i}`;
        const kind = hold(node, requestId, 40n);
        if (kind === "waiting") await speak(node);
        node.recordEnd(requestId, { ...scope, startedAtMs: now.atMs }, COST);
        now.nowMs += 250;
        const message = node.nextMessage(now);
        if (message !== null) node.applyAnswer(await store.sync(message, now.atMs), now);
        if (kind === "waiting") waits.push(second);
      }
    };
    const waits: number[] = [];
    for (let second = 0; second < 60; second++) await serve(second);
    expect(waits).toEqual([0]);
  });

  test("requests no budget in advance near the limit", async () => {
    await limit(500n);
    const [one, two] = [await startNode("node_1"), await startNode("node_2")];
    hold(one, "req_1", 400n);
    await speak(one);
    for (let i = 0; i < 3; i++) {
      hold(two, `req_${i}`, 30n);
      now.nowMs += 250;
      const message = two.nextMessage(now);
      expect(message?.topUps.size ?? 0).toBe(0);
      if (message !== null) two.applyAnswer(await store.sync(message, now.atMs), now);
    }
  });

  test("serves waiting requests in order of arrival", async () => {
    await limit(10n);
    const node = await startNode("node_1");
    hold(node, "req_1", 10n);
    await speak(node);
    expect([hold(node, "req_2", 8n), hold(node, "req_3", 2n)]).toEqual(["waiting", "waiting"]);
    node.drop("req_1");
    expect(node.resolveWaiting(now).map(({ requestId }) => requestId)).toEqual(["req_2", "req_3"]);
  });

  test("returns unused budget, but only within a second of a response", async () => {
    await limit(100n);
    const node = await startNode("node_1");
    hold(node, "req_1", 10n);
    await speak(node);
    node.drop("req_1");
    const leased = () => node.view().states.map((state) => state.granted);
    const before = leased();
    now.nowMs += 1_500;
    nextMessage(node);
    node.handleLostMessage(now);
    expect(leased()).toEqual(before);
    expect(hold(node, "req_2", 10n)).toBe("held");
    node.drop("req_2");
    now.nowMs += MINUTE_MS / 2;
    await speak(node);
    now.nowMs += MINUTE_MS / 2;
    await speak(node);
    expect(leased()).toEqual(before);
    now.nowMs += 250;
    await speak(node);
    expect(leased()).toEqual([0n]);
  });

  test("returns free budget for a while when a message batch waits for it, and asks for exact amounts", async () => {
    await limit(1_000n);
    const node = await startNode("node_1");
    const granted = () => node.view().states.map((state) => state.granted);
    hold(node, "req_1", 10n);
    await speak(node);
    expect(granted()[0]).toBeGreaterThan(10n);
    node.returnFree(new Set(["wksp_other"]), 700, now);
    expect(node.nextMessage(now)).toBeNull();
    node.returnFree(new Set([workspaceId]), 700, now);
    now.nowMs += 250;
    await speak(node);
    expect(granted()).toEqual([10n]);
    expect(hold(node, "req_2", 10n)).toBe("waiting");
    await speak(node);
    expect(granted()).toEqual([20n]);
    now.nowMs += 500;
    await speak(node);
    expect(granted()[0]).toBeGreaterThan(20n);
  });

  test("does not spend budget of ended requests again after the limit was lowered", async () => {
    await limit(100n);
    const node = await startNode("node_1");
    hold(node, "req_1", 90n);
    await speak(node);
    await limit(50n);
    await readLimits(node);
    expect(hold(node, "req_2", 5n)).toBe("waiting");
    await speak(node);
    node.drop("req_1");
    expect(node.resolveWaiting(now)).toEqual([]);
    now.nowMs += 300;
    await speak(node);
    expect(hold(node, "req_3", 60n)).toBe("waiting");
    expect((await speak(node)).at(-1)?.decision).toMatchObject({ reason: "too_large" });
  });

  test("uses no excess of a lease whose spend was counted while it opened, and returns it", async () => {
    await limit(100n);
    const { node, epoch } = await enterNode("node_1");
    const record = endRecord(beginRecord(), 40n);
    const spent = spentOf(record);
    node.recordEnd(record.requestId, record, spent);
    await readLimits(node);
    const opening = nextMessage(node);
    await store.flush({ nodeId: "node_1", epoch, from: 0, to: 1, batch: [record] });
    node.recordAppend([{ origin: record, spent, isCounted: true }], 1);
    await fold();
    node.applyAnswer(await store.sync(opening, now.atMs), now);
    const countLeased = async () =>
      (await store.snapshot()).leases.map(({ amount }) => amount).join();
    expect(await countLeased()).toBe("40");
    expect(hold(node, "req_1", 30n)).toBe("waiting");
    now.nowMs += 100;
    await speak(node);
    expect(await countLeased()).toBe("30");
    expect(node.view().waiting).toBe(0);
  });

  test("that was fenced holds no more requests, and its budget stays unresolved until it returns", async () => {
    await limit(100n);
    const [one, two] = [await startNode("node_1"), await startNode("node_2")];
    hold(one, "req_1", 60n);
    await speak(one);
    now.atMs += TTL_MS + 501;
    now.nowMs += TTL_MS + 501;
    await speak(two);
    expect(await store.fence(now.atMs)).toEqual(["node_1"]);
    await speak(one);
    expect([one.isFenced, hold(one, "req_2", 1n)]).toEqual([true, "waiting"]);
    hold(two, "req_3", 60n);
    expect(await speak(two)).toMatchObject([{ decision: { reason: "too_large" } }]);
    const { epoch, flushedSeq } = await store.enter("node_1");
    one.drop("req_1");
    one.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: false });
    await speak(one);
    hold(two, "req_4", 60n);
    now.nowMs += 100;
    await speak(two);
    expect(two.view().states.map(({ held }) => held)).toEqual([60n]);
  });
});

test("ignores a message that arrives after a later one", async () => {
  await limit(100n);
  const node = await startNode("node_1");
  hold(node, "req_1", 60n);
  const early = nextMessage(node);
  node.handleLostMessage(now);
  now.nowMs += 300;
  await speak(node);
  expect(await store.sync(early, now.atMs)).toEqual({ kind: "late" });
  expect(node.view().states).toMatchObject([{ granted: 60n, held: 60n }]);
});

test("a quiet node sends its next message when that is due, and not before", async () => {
  await limit(1_000n);
  const node = await startNode("node_1");
  expect(node.isQuiet).toBe(true);
  const dueMs = node.findDueMs();
  expect(dueMs).toBeGreaterThan(now.nowMs);
  now.nowMs = dueMs - 1;
  expect(node.nextMessage(now)).toBeNull();
  now.nowMs = dueMs;
  expect(node.nextMessage(now)).not.toBeNull();
});

test("a node is not quiet while a request holds budget or waits, or shortly after", async () => {
  await limit(100n);
  const node = await startNode("node_1");
  node.hold({ requestId: "req_1", scope, amountNanoUsd: 10n }, now);
  expect(node.isQuiet).toBe(false);
  await speak(node);
  expect(node.isQuiet).toBe(false);
  node.drop("req_1");
  expect(node.isQuiet).toBe(false);
});
