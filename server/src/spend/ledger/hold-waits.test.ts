import { describe, expect, test } from "vitest";
import { LEASE_TIMES } from "#test/harness/lease-nodes.ts";
import { scope, useLeaseStreams } from "#test/harness/lease-streams.ts";
import type { NodeLeases } from "./node-leases.ts";

const streams = useLeaseStreams();
const { limit, startStream, hold, resize, end, held, lackOf, startNodeWithStream } = streams;

/** Passes time with contact to the database, and returns the decisions. */
async function pass(node: NodeLeases, ms: number) {
  streams.world.now.nowMs += ms;
  streams.world.now.atMs += ms;
  const answered = await streams.world.speakAll(node);
  return [...answered, ...node.resolveWaiting(streams.world.now)];
}

describe("a request that waits for budget", () => {
  test("keeps its place and its deadline when its hold becomes smaller", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ first: 60n });
    const { holdWaitMs } = LEASE_TIMES;
    expect([hold(node, "req_1", 50n), hold(node, "req_2", 40n)]).toEqual(["waiting", "waiting"]);
    expect(await pass(node, holdWaitMs / 2)).toEqual([]);
    node.lowerHold("req_1", { amountNanoUsd: 45n }, streams.world.now);
    expect(await pass(node, holdWaitMs / 2 - 1)).toEqual([]);
    expect(await pass(node, 1)).toMatchObject([
      { requestId: "req_1", decision: { reason: "held", amountNanoUsd: 45n } },
      { requestId: "req_2", decision: { reason: "held" } },
    ]);
  });

  test("starts at once when its smaller hold fits", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ first: 60n });
    hold(node, "req_1", 50n);
    await pass(node, 100);
    node.lowerHold("req_1", { amountNanoUsd: 30n }, streams.world.now);
    expect(await streams.world.speakAll(node)).toMatchObject([
      { requestId: "req_1", decision: { kind: "held" } },
    ]);
    node.lowerHold("req_1", { amountNanoUsd: 20n }, streams.world.now);
    expect(held(node)).toEqual([90n]);
  });

  test("waits only for the rest of its time if it has waited before, and long enough for one answer", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ first: 60n });
    const asked = { scope, amountNanoUsd: 50n };
    node.hold({ ...asked, requestId: "req_1" }, streams.world.now);
    node.hold({ ...asked, requestId: "req_2", waitedMs: 400 }, streams.world.now);
    node.hold({ ...asked, requestId: "req_3", waitedMs: 5_000 }, streams.world.now);
    await pass(node, 499);
    const idsOf = (resolved: readonly { requestId: string }[]) =>
      resolved.map(({ requestId }) => requestId);
    expect(idsOf(await pass(node, 1))).toEqual(["req_3"]);
    expect(idsOf(await pass(node, 100))).toEqual(["req_2"]);
    expect(idsOf(await pass(node, 399))).toEqual([]);
    expect(idsOf(await pass(node, 1))).toEqual(["req_1"]);
  });

  test("is refused because others hold the rest, while a stream waits or has a reserve", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ usual: 80n });
    hold(node, "req_1", 60n);
    await pass(node, 100);
    expect(lackOf(node, "req_1")).toBe("held");
    end(node, "req_s", 0n);
    startStream(node, "req_t", { first: 30n });
    node.drop("req_1");
    await pass(node, 100);
    resize(node, "req_t", 200n);
    hold(node, "req_2", 10n);
    await pass(node, 100);
    expect(lackOf(node, "req_2")).toBe("held");
  });
});
