import { describe, expect, test } from "vitest";
import { LEASE_TIMES } from "#test/harness/lease-nodes.ts";
import { scope, useLeaseStreams } from "#test/harness/lease-streams.ts";
import { beginRecord } from "#test/harness/request-records.ts";
import type { NodeLeases } from "./node-leases.ts";

const { organizationId, workspaceId, apiKeyId } = beginRecord();
const streams = useLeaseStreams();
const { limit, startStream, hold, resize, end, held, reserved, lackOf, startNodeWithStream } =
  streams;

describe("without contact with the database", () => {
  test("a stream shrinks but does not grow after the end of the leases, and grows with the next answer", async () => {
    await limit(1_000n);
    const node = await startNodeWithStream();
    hold(node, "req_1", 100n);
    await streams.world.speak(node);
    node.drop("req_1");
    streams.world.now.nowMs += LEASE_TIMES.ttlMs - LEASE_TIMES.marginMs;
    expect(resize(node, "req_s", 50n)).toBe("waiting");
    expect(lackOf(node, "req_s")).toBe("unavailable");
    expect(resize(node, "req_s", 8n)).toBe("held");
    expect(resize(node, "req_s", 60n)).toBe("waiting");
    await streams.world.speakAll(node);
    expect([held(node), node.isWaiting]).toEqual([[60n], false]);
  });

  test("a stream whose narrowest limit was removed names another limit with steps", async () => {
    await limit(1_000n);
    const other = { scopeType: "api_key", scopeId: apiKeyId, organizationId } as const;
    await streams.world.setLimit({ ...other, amountNanoUsd: 900n, hold: "steps" });
    const node = await streams.world.startNode("node_1");
    startStream(node, "req_s");
    await streams.world.speakAll(node);
    await streams.world.removeLimit({ ...other, amountNanoUsd: 0n });
    streams.world.now.nowMs += LEASE_TIMES.ttlMs;
    expect(resize(node, "req_s", 50n)).toBe("waiting");
    expect(node.findLack("req_s", streams.world.now)).toMatchObject({
      reason: "unavailable",
      limit: { scopeType: "workspace" },
    });
  });

  test("a stream whose limits were all removed needs no lease", async () => {
    await limit(1_000n);
    const node = await startNodeWithStream();
    await streams.world.removeLimit({ organizationId, scopeId: workspaceId, amountNanoUsd: 0n });
    streams.world.now.nowMs += LEASE_TIMES.ttlMs;
    expect(resize(node, "req_s", 50n)).toBe("held");
    expect(held(node)).toEqual([10n]);
  });

  test("a stream of a fenced node shrinks, and grows in the next epoch", async () => {
    await limit(1_000n);
    const node = await startNodeWithStream();
    const other = await streams.world.startNode("node_2");
    streams.world.now.atMs += LEASE_TIMES.ttlMs + LEASE_TIMES.graceMs + 1;
    streams.world.now.nowMs += LEASE_TIMES.ttlMs + LEASE_TIMES.graceMs + 1;
    await streams.world.speak(other);
    expect(await streams.world.store.fence(streams.world.now.atMs)).toEqual(["node_1"]);
    await streams.world.speak(node);
    expect([resize(node, "req_s", 9n), resize(node, "req_s", 50n)]).toEqual(["held", "waiting"]);
    const { epoch, flushedSeq } = await streams.world.store.enter("node_1");
    node.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: false });
    await streams.world.speakAll(node);
    expect([held(node), node.isWaiting]).toEqual([[50n], false]);
  });

  test("a stream grows after a failover within the budget that its node kept", async () => {
    await limit(1_000n);
    const node = await startNodeWithStream({ usual: 60n });
    streams.world.now.nowMs += 250;
    await streams.world.speakAll(node);
    node.handleFailover(1n << 32n, streams.world.now);
    expect(resize(node, "req_s", 60n)).toBe("held");
    expect(resize(node, "req_s", 900n)).toBe("waiting");
  });
});

describe("a limit that changes while a stream runs", () => {
  const other = { scopeType: "api_key", scopeId: apiKeyId, organizationId } as const;
  const ofKey = (node: NodeLeases) => {
    const state = node.view().states.find(({ key }) => key.scopeType === "api_key");
    return { held: state?.held, reserved: state?.reserved };
  };

  test("holds the current amount if it is new and in steps, and the whole amount if it is whole", async () => {
    await limit(5_000n);
    const node = await startNodeWithStream({ usual: 30n });
    await streams.world.setLimit({ ...other, amountNanoUsd: 2_000n, hold: "steps" });
    expect(ofKey(node)).toEqual({ held: 10n, reserved: 20n });
    await streams.world.setLimit({ ...other, id: "spl_2", amountNanoUsd: 2_000n, hold: "whole" });
    expect(ofKey(node)).toEqual({ held: 1_000n, reserved: 0n });
    await streams.world.setLimit({ ...other, id: "spl_2", amountNanoUsd: 2_000n, hold: "steps" });
    expect(ofKey(node)).toEqual({ held: 10n, reserved: 20n });
    node.drop("req_s");
    expect([held(node), reserved(node)]).toEqual([
      [0n, 0n],
      [0n, 0n],
    ]);
  });

  test("that held less as a whole limit than others in steps holds more only with budget", async () => {
    await limit(5_000n);
    const key = { ...other, openEndedHoldNanoUsd: 25n, amountNanoUsd: 25n };
    await streams.world.setLimit({ ...key, hold: "whole" });
    const node = await streams.world.startNode("node_1");
    const stream = { firstNanoUsd: 10n, usualNanoUsd: 0n };
    const asked = { requestId: "req_s", scope, amountNanoUsd: 1_000n, isOpenEnded: true, stream };
    node.hold(asked, streams.world.now);
    await streams.world.speakAll(node);
    resize(node, "req_s", 40n);
    await streams.world.speakAll(node);
    expect(held(node).toSorted()).toEqual([25n, 40n]);
    await streams.world.setLimit({ ...key, hold: "steps" });
    expect(node.findStreamHold("req_s")?.currentNanoUsd).toBe(25n);
    expect([resize(node, "req_s", 26n), lackOf(node, "req_s")]).toEqual(["waiting", "too_large"]);
    expect([resize(node, "req_s", 25n), held(node)]).toEqual(["held", [25n, 25n]]);
  });

  test("keeps the stream in steps when it changes to whole, so that its sum of holds does not exceed it", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ usual: 30n });
    await limit(100n, "whole");
    expect([held(node), reserved(node)]).toEqual([[10n], [20n]]);
    expect(resize(node, "req_s", 200n)).toBe("waiting");
    resize(node, "req_s", 10n);
    startStream(node, "req_t", { worst: 70n });
    streams.world.now.nowMs += 100;
    await streams.world.speakAll(node);
    expect(held(node)).toEqual([80n]);
    end(node, "req_s");
    node.drop("req_t");
    expect([held(node), reserved(node)]).toEqual([[0n], [0n]]);
  });

  test("below the hold of a stream explains the lack before the database has answered", async () => {
    await limit(1_000n);
    const node = await startNodeWithStream({ first: 300n });
    await limit(350n);
    expect(resize(node, "req_s", 400n)).toBe("waiting");
    expect(node.findLack("req_s", streams.world.now)).toMatchObject({
      reason: "too_large",
      limit: { amountNanoUsd: 350n },
      figures: { limitNanoUsd: 350n, settledNanoUsd: 0n },
    });
    await streams.world.speakAll(node);
    expect(lackOf(node, "req_s")).toBe("too_large");
  });

  test("with room for the wish is uncounted at first, and without room others hold the rest", async () => {
    await limit(1_000n);
    const node = await startNodeWithStream({ first: 300n });
    const other = await streams.world.startNode("node_2");
    hold(other, "req_1", 200n);
    await streams.world.speakAll(other);
    await limit(900n);
    expect([resize(node, "req_s", 400n), lackOf(node, "req_s")]).toEqual(["waiting", "uncounted"]);
    await limit(450n);
    await streams.world.speakAll(node);
    expect(lackOf(node, "req_s")).toBe("held");
  });

  test("that is new and smaller than the wish of a stream explains the lack", async () => {
    await limit(5_000n);
    const node = await startNodeWithStream();
    await streams.world.setLimit({ ...other, amountNanoUsd: 12n, hold: "steps" });
    expect([resize(node, "req_s", 20n), lackOf(node, "req_s")]).toEqual(["waiting", "too_large"]);
  });

  test("does not restrict the stream after its removal, and counts the current hold when it returns", async () => {
    await limit(5_000n);
    const node = await startNodeWithStream({ usual: 30n });
    await streams.world.setLimit({ ...other, amountNanoUsd: 12n, hold: "steps" });
    resize(node, "req_s", 20n);
    await streams.world.speakAll(node);
    expect(ofKey(node)).toEqual({ held: 10n, reserved: 20n });
    await streams.world.removeLimit({ ...other, amountNanoUsd: 0n });
    node.resolveWaiting(streams.world.now);
    streams.world.now.nowMs += 100;
    await streams.world.speakAll(node);
    expect([node.isWaiting, ofKey(node)]).toEqual([false, { held: 10n, reserved: 0n }]);
    await streams.world.setLimit({ ...other, id: "spl_3", amountNanoUsd: 900n, hold: "steps" });
    expect(ofKey(node)).toEqual({ held: 20n, reserved: 10n });
    node.drop("req_s");
    expect(ofKey(node)).toEqual({ held: 0n, reserved: 0n });
  });

  test("lets a stream grow no more when it is lowered below the holds, and says that nothing is left", async () => {
    await limit(100n);
    const node = await startNodeWithStream({ first: 60n });
    await limit(50n);
    expect(resize(node, "req_s", 61n)).toBe("waiting");
    expect(lackOf(node, "req_s")).toBe("too_large");
    await streams.world.speakAll(node);
    expect([held(node), lackOf(node, "req_s")]).toEqual([[60n], "too_large"]);
    expect(resize(node, "req_s", 40n)).toBe("held");
  });
});
