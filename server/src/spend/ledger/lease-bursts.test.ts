import { beforeEach, describe, expect, test } from "vitest";
import { makeLeaseNodes } from "#test/harness/lease-nodes.ts";
import { beginRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import type { NodeLeases } from "./node-leases.ts";

let leases: ReturnType<typeof makeLeaseNodes>;

beforeEach(() => {
  leases = makeLeaseNodes();
});

const { organizationId, workspaceId, apiKeyId } = beginRecord();
const scope = { organizationId, workspaceId, apiKeyId };

function limit(amountNanoUsd: bigint, scopeId = workspaceId): Promise<void> {
  return leases.setLimit({ organizationId, scopeId, amountNanoUsd });
}

function hold(node: NodeLeases, requestId: string, amountNanoUsd: bigint) {
  return node.hold({ requestId, scope, amountNanoUsd }, leases.now).kind;
}

describe("a burst of requests", () => {
  const BURST = 3_000;

  function holdBurst(node: NodeLeases, amountNanoUsd: bigint): Set<string> {
    return new Set(
      Array.from({ length: BURST }, (_, at) => hold(node, `req_${at}`, amountNanoUsd)),
    );
  }

  test("gets budget from one message while plenty of the limit remains", async () => {
    await limit(1_000_000n);
    const node = await leases.startNode("node_1", 10_000);
    expect(holdBurst(node, 7n)).toEqual(new Set(["waiting"]));
    const resolved = await leases.speak(node);
    expect(new Set(resolved.map(({ decision }) => decision.kind))).toEqual(new Set(["held"]));
    expect(resolved.map(({ requestId }) => requestId)).toEqual(
      Array.from({ length: BURST }, (_, at) => `req_${at}`),
    );
    expect(node.view()).toMatchObject({
      waiting: 0,
      states: [{ granted: 21_000n, held: 21_000n }],
    });
  });

  test("uses a limit up to the last nano-dollar, in order of arrival", async () => {
    await limit(BigInt(BURST) * 7n);
    const node = await leases.startNode("node_1", 10_000);
    holdBurst(node, 7n);
    const held: string[] = [];
    for (let message = 0; message < 12 && held.length < BURST; message++) {
      held.push(...(await leases.speak(node)).map(({ requestId }) => requestId));
    }
    expect(held).toEqual(Array.from({ length: BURST }, (_, at) => `req_${at}`));
    expect(node.view()).toMatchObject({
      waiting: 0,
      states: [{ granted: 21_000n, held: 21_000n }],
    });
  });

  test("does not delay another workspace whose limit has room", async () => {
    await limit(10n);
    await limit(1_000n, "wksp_other");
    const node = await leases.startNode("node_1", 10_000);
    hold(node, "req_first", 10n);
    await leases.speak(node);
    holdBurst(node, 7n);
    await leases.speak(node);
    const other = { organizationId, workspaceId: "wksp_other", apiKeyId: "apikey_other" };
    node.hold({ requestId: "req_other", scope: other, amountNanoUsd: 7n }, leases.now);
    expect((await leases.speak(node)).map(({ requestId }) => requestId)).toEqual(["req_other"]);
  });

  test("is refused with a full queue when its API key has its share of places", async () => {
    await limit(10n);
    const node = await leases.startNode("node_1", 8);
    hold(node, "req_first", 10n);
    await leases.speak(node);
    const kinds = [1, 2, 3, 4, 5].map((at) => hold(node, `req_${at}`, 7n));
    expect(new Set(kinds)).toEqual(new Set(["waiting"]));
    expect(node.hold({ requestId: "req_6", scope, amountNanoUsd: 7n }, leases.now)).toMatchObject({
      kind: "refused",
      reason: "queue_full",
      queue: { scope: { scopeType: "api_key", scopeId: apiKeyId }, waiting: 5 },
    });
  });

  test.each([
    ["lost a message", (node: NodeLeases) => node.handleLostMessage(leases.now)],
    [
      "has not answered for long",
      () => Object.assign(leases.now, { nowMs: leases.now.nowMs + 2_500 }),
    ],
  ])(
    "is refused because of the database, if the queue is full and the database %s",
    async (_, goAway) => {
      await limit(10n);
      const node = await leases.startNode("node_1", 8);
      hold(node, "req_first", 10n);
      await leases.speak(node);
      for (let at = 1; at <= 5; at++) hold(node, `req_${at}`, 7n);
      leases.nextMessage(node);
      goAway(node);
      const reasonOf = (requestId: string) =>
        node.hold({ requestId, scope, amountNanoUsd: 7n }, leases.now) as { reason?: string };
      expect(reasonOf("req_late").reason).toBe("unavailable");
      node.handleLostMessage(leases.now);
      leases.now.nowMs += 250;
      await leases.speak(node);
      for (let at = 1; at <= 5; at++) hold(node, `req_more_${at}`, 7n);
      expect(reasonOf("req_later").reason).toBe("queue_full");
    },
  );

  test("is refused because of the database, if that went away during the wait", async () => {
    await limit(10n);
    const node = await leases.startNode("node_1");
    hold(node, "req_first", 10n);
    await leases.speak(node);
    hold(node, "req_1", 7n);
    await leases.speak(node);
    leases.now.nowMs += 100;
    leases.nextMessage(node);
    node.handleLostMessage(leases.now);
    leases.now.nowMs += 900;
    expect(node.resolveWaiting(leases.now)).toMatchObject([
      { decision: { reason: "unavailable" } },
    ]);
  });

  test("is refused in parts if the time of many requests is over at once", async () => {
    await limit(10n);
    const node = await leases.startNode("node_1", 2_000);
    hold(node, "req_first", 10n);
    await leases.speak(node);
    for (let at = 0; at < 1_000; at++) hold(node, `req_${at}`, 7n);
    leases.now.nowMs += 1_000;
    const refused: string[][] = [];
    while (node.view().waiting > 0) {
      refused.push(node.resolveWaiting(leases.now).map(({ requestId }) => requestId));
    }
    expect(refused.slice(0, 2).map(({ length }) => length)).toEqual([25, 25]);
    expect(refused.at(-2)).toHaveLength(10);
    expect(refused.length).toBeLessThan(80);
    expect(refused.flat()).toEqual(Array.from({ length: 1_000 }, (_, at) => `req_${at}`));
  });

  test("is not refused as held by running requests while its limit is not counted", async () => {
    const node = await leases.startNode("node_1");
    const of = { id: "spl_test", scopeType: "workspace", scopeId: workspaceId } as const;
    const added = { ...of, period: "monthly", organizationId, amountNanoUsd: 100n } as const;
    await leases.store.setLimit(added, SOME_TIME_MS);
    await leases.readLimits();
    hold(node, "req_1", 7n);
    await leases.speak(node);
    leases.now.nowMs += 1_000;
    expect(node.resolveWaiting(leases.now)).toMatchObject([{ decision: { reason: "uncounted" } }]);
  });

  test("that is not served in time is not refused as held by running requests", async () => {
    await limit(1_000_000n);
    const node = await leases.startNode("node_1");
    hold(node, "req_1", 7n);
    const message = leases.nextMessage(node);
    hold(node, "req_2", 7n);
    leases.now.nowMs += 999;
    node.applyAnswer(await leases.store.sync(message, leases.now.atMs), leases.now);
    leases.now.nowMs += 1;
    expect(node.resolveWaiting(leases.now)).toMatchObject([
      { requestId: "req_2", decision: { reason: "queue_slow" } },
    ]);
  });

  test("names the limit of its chain that is held, and not one with room", async () => {
    await limit(10n);
    const ofKey = {
      id: "spl_key",
      scopeType: "api_key",
      scopeId: apiKeyId,
      period: "monthly",
    } as const;
    await leases.store.setLimit({ ...ofKey, organizationId, amountNanoUsd: 30n }, SOME_TIME_MS);
    await leases.store.countLimits();
    const node = await leases.startNode("node_1");
    hold(node, "req_1", 10n);
    await leases.speak(node);
    hold(node, "req_2", 7n);
    await leases.speak(node);
    leases.now.nowMs += 1_000;
    expect(node.resolveWaiting(leases.now)).toMatchObject([
      { requestId: "req_2", decision: { reason: "held", limit: { scopeType: "workspace" } } },
    ]);
  });
});
