import { describe, expect, test } from "vitest";
import { LEASE_TIMES } from "#test/harness/lease-nodes.ts";
import { useLeaseStreams } from "#test/harness/lease-streams.ts";
import { beginRecord } from "#test/harness/request-records.ts";

const { organizationId, workspaceId } = beginRecord();
const streams = useLeaseStreams();
const {
  limit,
  limitKey,
  startStream,
  hold,
  resize,
  end,
  held,
  reserved,
  lackOf,
  startNodeWithStream,
} = streams;

describe("a stream in steps", () => {
  test("starts with its first hold, and its begin has the whole worst case", async () => {
    await limit(100n);
    const node = await streams.world.startNode("node_1");
    expect(hold(node, "req_1", 90n)).toBe("waiting");
    await streams.world.speak(node);
    node.drop("req_1");
    expect(startStream(node, "req_s")).toMatchObject({
      kind: "held",
      holdNanoUsd: 1_000n,
      smallerHolds: null,
      isStepped: true,
    });
    expect(held(node)).toEqual([10n]);
  });

  test("is held whole without a limit in steps, and other requests always are", async () => {
    await limit(5_000n, "whole");
    const node = await streams.world.startNode("node_1");
    expect(node.hasSteps(organizationId)).toBe(false);
    hold(node, "req_1", 2_000n);
    await streams.world.speak(node);
    node.drop("req_1");
    expect(startStream(node, "req_s")).toMatchObject({ kind: "held", isStepped: false });
    expect(node.findStreamHold("req_s")).toBeNull();
    await limit(5_000n, "steps");
    expect([node.hasSteps(organizationId), node.hasSteps("org_other")]).toEqual([true, false]);
    expect(hold(node, "req_2", 20n)).toBe("held");
    expect([held(node), resize(node, "req_s", 5n)]).toEqual([[1_020n], "held"]);
    expect(held(node)).toEqual([1_020n]);
  });

  test("grows within the free budget of its lease without a message", async () => {
    await limit(10_000n);
    const node = await streams.world.startNode("node_1");
    hold(node, "req_1", 100n);
    await streams.world.speak(node);
    node.drop("req_1");
    startStream(node, "req_s");
    expect(resize(node, "req_s", 100n)).toBe("held");
    expect([held(node), node.isWaiting]).toEqual([[100n], false]);
  });

  test("gives back what it does not need, and a waiting request gets it at once", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ first: 60n });
    hold(node, "req_1", 40n);
    await streams.world.speakAll(node);
    hold(node, "req_w", 40n);
    await streams.world.speakAll(node);
    expect(node.view().waiting).toBe(1);
    expect(resize(node, "req_s", 20n)).toBe("held");
    expect(node.resolveFreed(streams.world.now)).toMatchObject([{ requestId: "req_w" }]);
    expect(held(node)).toEqual([100n]);
  });

  test("reports its largest holds by limit, and the whole amount of a limit with whole holds", async () => {
    await limit(5_000n);
    await limitKey(5_000n, "whole");
    const node = await streams.world.startNode("node_1");
    startStream(node, "req_s");
    await streams.world.speakAll(node);
    expect(resize(node, "req_s", 300n)).toBe("waiting");
    await streams.world.speakAll(node);
    resize(node, "req_s", 40n);
    expect(node.findStreamHold("req_s")).toEqual({
      currentNanoUsd: 40n,
      highest: {
        holdNanoUsd: 1_000n,
        smallerHolds: [{ scopeType: "workspace", period: "monthly", nanoUsd: 300n }],
      },
    });
    expect([...node.viewHolds("req_s").values()]).toEqual([1_000n, 40n]);
    expect(held(node).toSorted()).toEqual([1_000n, 40n]);
  });

  test("ends its hold once", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ usual: 30n });
    resize(node, "req_s", 90n);
    end(node, "req_s");
    end(node, "req_s");
    node.drop("req_s");
    expect([held(node), reserved(node), node.isWaiting]).toEqual([[0n], [0n], false]);
    expect(resize(node, "req_s", 50n)).toBe("held");
    expect([held(node), node.findStreamHold("req_s")]).toEqual([[0n], null]);
  });
});

test("the sum of streams in steps leaves requests out that are held whole", async () => {
  await limit(100n);
  const node = await startNodeWithStream();
  hold(node, "req_1", 20n);
  startStream(node, "req_t", { first: 20n });
  await streams.world.speakAll(node);
  expect(held(node)).toEqual([50n]);
  expect(node.sumStreams()).toEqual({ streams: 2, nanoUsd: 30n, waiting: 0 });
  expect(resize(node, "req_s", 90n)).toBe("waiting");
  expect(node.sumStreams()).toEqual({ streams: 2, nanoUsd: 30n, waiting: 1 });
  end(node, "req_s");
  end(node, "req_t");
  expect(node.sumStreams()).toEqual({ streams: 0, nanoUsd: 0n, waiting: 0 });
});

describe("a larger hold without budget", () => {
  test("is requested before all waiting requests, and set by itself", async () => {
    await limit(1_000n);
    const node = await startNodeWithStream();
    hold(node, "req_w", 30n);
    expect(resize(node, "req_s", 50n)).toBe("waiting");
    const message = streams.world.nextMessage(node);
    expect(message.grantRequests.map(({ requestId }) => requestId)).toEqual(["req_s", "req_w"]);
    node.applyAnswer(
      await streams.world.store.sync(message, streams.world.now.atMs),
      streams.world.now,
    );
    expect([held(node), node.isWaiting]).toEqual([[80n], false]);
  });

  test("gets freed budget before waiting requests do", async () => {
    await limit(100n);
    const node = await startNodeWithStream();
    hold(node, "req_1", 90n);
    await streams.world.speakAll(node);
    hold(node, "req_w", 60n);
    expect(resize(node, "req_s", 60n)).toBe("waiting");
    await streams.world.speak(node);
    node.drop("req_1");
    expect(node.resolveFreed(streams.world.now)).toEqual([]);
    expect([held(node), node.view().waiting]).toEqual([[60n], 1]);
  });

  test("gets the last budget of the limit before a waiting request of an earlier arrival", async () => {
    await limit(100n);
    const node = await startNodeWithStream();
    hold(node, "req_1", 50n);
    await streams.world.speakAll(node);
    hold(node, "req_w", 45n);
    await streams.world.speakAll(node);
    expect(resize(node, "req_s", 40n)).toBe("waiting");
    await streams.world.speakAll(node);
    expect([held(node), node.view().waiting]).toEqual([[90n], 1]);
  });

  test("keeps free budget from new requests and from waiting ones, until it is set or withdrawn", async () => {
    await limit(100n);
    const node = await startNodeWithStream();
    hold(node, "req_1", 60n);
    await streams.world.speakAll(node);
    node.drop("req_1");
    resize(node, "req_s", 101n);
    expect(hold(node, "req_w", 20n)).toBe("waiting");
    await streams.world.speakAll(node);
    expect(held(node)).toEqual([10n]);
    expect(resize(node, "req_s", 10n)).toBe("held");
    expect(node.resolveFreed(streams.world.now)).toMatchObject([{ requestId: "req_w" }]);
    expect(held(node)).toEqual([30n]);
  });

  test("leaves its part of a limit with room free while another limit lacks budget, and no more", async () => {
    await limit(100n);
    await limitKey(20n, "steps");
    const node = await streams.world.startNode("node_1");
    startStream(node, "req_s");
    await streams.world.speakAll(node);
    const other = { organizationId, workspaceId, apiKeyId: "apikey_2" };
    const ask = (requestId: string, amountNanoUsd: bigint) =>
      node.hold({ requestId, scope: other, amountNanoUsd }, streams.world.now).kind;
    ask("req_1", 80n);
    await streams.world.speakAll(node);
    node.drop("req_1");
    resize(node, "req_s", 40n);
    expect([ask("req_2", 50n), ask("req_3", 1n)]).toEqual(["held", "waiting"]);
    resize(node, "req_s", 10n);
    expect(node.resolveFreed(streams.world.now)).toMatchObject([{ requestId: "req_3" }]);
  });

  test("is requested again after a pause, while nothing is left", async () => {
    await limit(10n);
    const node = await startNodeWithStream();
    resize(node, "req_s", 200n);
    await streams.world.speak(node);
    expect([node.nextMessage(streams.world.now), node.isQuiet]).toEqual([null, false]);
    streams.world.now.nowMs += 100;
    const [asked] = streams.world.nextMessage(node).grantRequests;
    expect(asked).toMatchObject({ requestId: "req_s", entries: [{ minimumNanoUsd: 190n }] });
  });

  test("is replaced by a later one, and removed by a smaller hold or the end", async () => {
    await limit(100n);
    const node = await startNodeWithStream();
    resize(node, "req_s", 200n);
    resize(node, "req_s", 300n);
    expect(node.findLack("req_s", streams.world.now)).toMatchObject({ amountNanoUsd: 300n });
    expect(resize(node, "req_s", 5n)).toBe("held");
    expect([node.isWaiting, lackOf(node, "req_s")]).toEqual([false, null]);
    resize(node, "req_s", 200n);
    end(node, "req_s");
    expect(node.isWaiting).toBe(false);
  });

  test("waits in all limits of the chain, and takes nothing from one with room", async () => {
    await limit(100n);
    await limitKey(9_000n, "steps");
    const node = await streams.world.startNode("node_1");
    startStream(node, "req_s");
    await streams.world.speakAll(node);
    expect(resize(node, "req_s", 150n)).toBe("waiting");
    await streams.world.speakAll(node);
    expect(held(node)).toEqual([10n, 10n]);
    expect(node.findLack("req_s", streams.world.now)).toMatchObject({
      reason: "too_large",
      limit: { scopeType: "workspace" },
    });
  });
});

describe("the reserve of running streams", () => {
  test("is left by new requests on their node", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ usual: 40n });
    expect(reserved(node)).toEqual([30n]);
    hold(node, "req_1", 61n);
    await streams.world.speakAll(node);
    expect(node.view().waiting).toBe(1);
    streams.world.now.nowMs += LEASE_TIMES.holdWaitMs;
    const [refused] = node.resolveWaiting(streams.world.now);
    expect(refused).toMatchObject({ requestId: "req_1", decision: { reason: "held" } });
    hold(node, "req_2", 60n);
    streams.world.now.nowMs += 250;
    await streams.world.speakAll(node);
    expect([held(node), node.view().waiting]).toEqual([[70n], 0]);
  });

  test("is no free budget of its lease for a new request", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ usual: 40n });
    const other = await streams.world.startNode("node_2");
    hold(other, "req_1", 60n);
    await streams.world.speakAll(other);
    expect(hold(node, "req_2", 20n)).toBe("waiting");
    await streams.world.speakAll(node);
    expect([held(node), node.view().waiting]).toEqual([[10n], 1]);
    expect(resize(node, "req_s", 40n)).toBe("held");
  });

  test("is left by requests of other nodes, because the lease keeps it", async () => {
    await limit(100n);
    const one = await startNodeWithStream({ usual: 80n });
    const two = await streams.world.startNode("node_2");
    streams.world.now.nowMs += 250;
    await streams.world.speakAll(one);
    hold(two, "req_1", 30n);
    await streams.world.speakAll(two);
    expect(two.view().waiting).toBe(1);
    two.drop("req_1");
    hold(two, "req_2", 20n);
    await streams.world.speakAll(two);
    expect(held(two)).toEqual([20n]);
    expect(resize(one, "req_s", 80n)).toBe("held");
  });

  test("is requested again after a limit changed, and returned when the stream ends", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ usual: 80n });
    const granted = () => node.view().states.map((state) => state.granted - state.drawn);
    await limit(90n);
    await streams.world.speak(node);
    expect(granted()).toEqual([10n]);
    streams.world.now.nowMs += 1_000;
    for (let round = 0; round < 8; round++) {
      streams.world.now.nowMs += 250;
      await streams.world.speakAll(node);
    }
    expect(granted()).toEqual([80n]);
    node.drop("req_s");
    expect(reserved(node)).toEqual([0n]);
    streams.world.now.nowMs += 250;
    await streams.world.speakAll(node);
    expect(granted()).toEqual([0n]);
  });

  test("is used by streams that need more than usual", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ usual: 40n });
    startStream(node, "req_t", { usual: 60n });
    await streams.world.speakAll(node);
    expect([held(node), reserved(node)]).toEqual([[20n], [80n]]);
    resize(node, "req_s", 90n);
    await streams.world.speakAll(node);
    expect([held(node), reserved(node)]).toEqual([[100n], [50n]]);
    expect(resize(node, "req_t", 11n)).toBe("waiting");
    end(node, "req_s", 40n);
    node.resolveFreed(streams.world.now);
    expect([held(node), node.isWaiting]).toEqual([[11n], false]);
  });

  test("is never more than the worst case, and nothing under a limit with whole holds", async () => {
    await limit(2_000n);
    const node = await startNodeWithStream({ worst: 25n, usual: 900n });
    expect(reserved(node)).toEqual([15n]);
    await limitKey(9n, "whole");
    expect(reserved(node).toSorted()).toEqual([0n, 15n]);
  });
});

describe("a new stream", () => {
  test("waits for its usual hold while the limit can have that", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ first: 50n });
    startStream(node, "req_t", { usual: 70n });
    const message = streams.world.nextMessage(node);
    expect(message.grantRequests).toMatchObject([{ entries: [{ minimumNanoUsd: 70n }] }]);
    node.applyAnswer(
      await streams.world.store.sync(message, streams.world.now.atMs),
      streams.world.now,
    );
    expect(node.view().waiting).toBe(1);
    end(node, "req_s");
    streams.world.now.nowMs += 100;
    await streams.world.speakAll(node);
    expect([held(node), reserved(node)]).toEqual([[10n], [60n]]);
  });

  test("starts with its first hold if the whole rest of the limit is below its usual hold", async () => {
    await limit(100n);
    const node = await streams.world.startNode("node_1");
    startStream(node, "req_s", { usual: 150n });
    await streams.world.speak(node);
    streams.world.now.nowMs += 100;
    await streams.world.speak(node);
    expect([held(node), reserved(node)]).toEqual([[10n], [140n]]);
  });

  test("is refused as too large if less remains than its first hold, and shows its highest cost", async () => {
    await limit(9n);
    const node = await streams.world.startNode("node_1");
    startStream(node, "req_s");
    const [refused] = await streams.world.speak(node);
    expect(refused?.decision).toMatchObject({
      reason: "too_large",
      amountNanoUsd: 10n,
      maxCostNanoUsd: 1_000n,
    });
  });
});
