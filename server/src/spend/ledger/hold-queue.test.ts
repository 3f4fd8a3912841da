import { describe, expect, test } from "vitest";
import { HoldQueue, type Waiter } from "./hold-queue.ts";

function waiter(requestId: string, scope: Partial<Waiter["scope"]> = {}): Waiter {
  return {
    requestId,
    scope: { organizationId: "org_1", workspaceId: "wksp_1", apiKeyId: "apikey_1", ...scope },
    amountNanoUsd: 1n,
    sinceMs: 0,
    deadlineMs: 1_000,
    lacking: [],
  };
}

function fill(queue: HoldQueue, scope: Partial<Waiter["scope"]>): number {
  let added = 0;
  for (; queue.hasRoom(waiter("", scope).scope); added++) {
    queue.add(waiter(`${JSON.stringify(scope)} ${added}`, scope));
  }
  return added;
}

function balance(scopeId: string) {
  return { text: `balance of ${scopeId}`, key: { scopeId } };
}

describe("places", () => {
  test("of a workspace are at most as many as stay free in its organization", () => {
    const queue = new HoldQueue(160);
    expect(fill(queue, { workspaceId: "wksp_1" })).toBe(60);
    expect(fill(queue, { workspaceId: "wksp_2" })).toBe(30);
    expect(fill(queue, { workspaceId: "wksp_3" })).toBe(15);
  });

  test("of an organization are at most three quarters of all places", () => {
    const queue = new HoldQueue(160);
    for (let at = 0; at < 200; at++) fill(queue, { workspaceId: `wksp_${at}` });
    expect(queue.size).toBe(120);
    expect(fill(queue, { organizationId: "org_2", workspaceId: "wksp_other" })).toBe(40);
    expect(queue.size).toBe(160);
  });

  test("become free when a request leaves", () => {
    const queue = new HoldQueue(160);
    fill(queue, {});
    queue.remove([...queue.list()][0]?.requestId ?? "");
    expect(fill(queue, {})).toBe(1);
  });
});

describe("requests in the queue", () => {
  test("are not tried after an earlier one that lacks budget in the same scope", () => {
    const queue = new HoldQueue(160);
    queue.add(waiter("req_1"));
    queue.add(waiter("req_2", { apiKeyId: "apikey_2" }));
    queue.add(waiter("req_3", { workspaceId: "wksp_2", apiKeyId: "apikey_3" }));
    const tried: string[] = [];
    queue.serve(null, ({ requestId }) => {
      tried.push(requestId);
      return requestId === "req_1" ? [balance("wksp_1")] : null;
    });
    expect(tried).toEqual(["req_1", "req_3"]);
    expect([...queue.list()].map(({ requestId, lacking }) => [requestId, lacking])).toEqual([
      ["req_1", ["balance of wksp_1"]],
      ["req_2", ["balance of wksp_1"]],
    ]);
    expect(queue.hasWaiter("balance of wksp_1")).toBe(true);
  });

  test("do not count as waiting for a balance after they leave", () => {
    const queue = new HoldQueue(160);
    for (const requestId of ["req_1", "req_2"]) queue.add(waiter(requestId));
    queue.serve(null, () => [balance("wksp_1")]);
    queue.remove("req_1");
    expect(queue.hasWaiter("balance of wksp_1")).toBe(true);
    queue.remove("req_2");
    expect(queue.hasWaiter("balance of wksp_1")).toBe(false);
  });

  test("of one scope are tried without requests of other scopes", () => {
    const queue = new HoldQueue(160);
    queue.add(waiter("req_1"));
    queue.add(waiter("req_2", { workspaceId: "wksp_2" }));
    const tried: string[] = [];
    queue.serve("wksp_2", ({ requestId }) => {
      tried.push(requestId);
      return null;
    });
    expect([tried, queue.size]).toEqual([["req_2"], 1]);
  });
});

describe("requests of a message", () => {
  const idsOf = (waiters: readonly Waiter[]) => waiters.map(({ requestId }) => requestId);

  test("are shared equally between API keys, in order of arrival", () => {
    const queue = new HoldQueue(160);
    for (let at = 0; at < 10; at++) queue.add(waiter(`req_${at}`));
    queue.add(waiter("req_other", { apiKeyId: "apikey_2" }));
    expect(idsOf(queue.pick(4))).toEqual(["req_0", "req_1", "req_other"]);
  });

  test("rotate if more API keys wait than one message has requests", () => {
    const queue = new HoldQueue(160);
    for (let at = 0; at < 5; at++) queue.add(waiter(`req_${at}`, { apiKeyId: `apikey_${at}` }));
    expect(idsOf(queue.pick(2))).toEqual(["req_0", "req_1"]);
    expect(idsOf(queue.pick(2))).toEqual(["req_2", "req_3"]);
    expect(idsOf(queue.pick(2))).toEqual(["req_0", "req_4"]);
    expect(idsOf(queue.pick(2))).toEqual(["req_1", "req_2"]);
  });
});
