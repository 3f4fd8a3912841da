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
  for (; queue.findFull(waiter("", scope).scope) === null; added++) {
    queue.add(waiter(`${JSON.stringify(scope)} ${added}`, scope));
  }
  return added;
}

function balance(scopeId: string) {
  return { text: `balance of ${scopeId}`, key: { scopeId } };
}

describe("places", () => {
  const takeOne = (queue: HoldQueue, scope: Partial<Waiter["scope"]>) => {
    const { scope: chain } = waiter("", scope);
    return queue.findFull(chain)?.scope?.scopeType ?? null;
  };

  test("of an API key are four fifths of its workspace's, which has four fifths of its organization's", () => {
    const queue = new HoldQueue(1_000);
    expect(fill(queue, {})).toBe(512);
    expect(takeOne(queue, {})).toBe("api_key");
  });

  test("of a person with many keys are four fifths of the organization's", () => {
    const queue = new HoldQueue(1_000);
    const added = Array.from({ length: 20 }, (_, at) => {
      const place = { workspaceId: `wksp_${at}`, apiKeyId: `apikey_${at}`, memberId: "user_1" };
      return fill(queue, place);
    });
    expect(added.reduce((sum, each) => sum + each)).toBe(640);
    const other = { workspaceId: "wksp_20", apiKeyId: "apikey_20" };
    expect(takeOne(queue, { ...other, memberId: "user_1" })).toBe("member");
    expect(takeOne(queue, { ...other, memberId: "user_2" })).toBe(null);
  });

  test("of 5,000 requests of one API key are there by default", () => {
    expect(fill(new HoldQueue(14_000), {})).toBe(7_168);
  });

  test("of an API key are four fifths of those that the others leave", () => {
    const queue = new HoldQueue(10_000);
    const taken: number[] = [];
    for (let at = 0; at < 4; at++) taken.push(fill(queue, { apiKeyId: `apikey_${at}` }));
    expect(taken).toEqual([5120, 1024, 205, 41]);
  });

  test("become equal for API keys that all want more, while requests leave in order of arrival", () => {
    const queue = new HoldQueue(1_000);
    fill(queue, { apiKeyId: "apikey_0" });
    let made = 0;
    for (let turn = 0; turn < 5_000; turn++) {
      for (const apiKeyId of ["apikey_0", "apikey_1", "apikey_2"]) {
        made += 1;
        const next = waiter(`req_${made}`, { apiKeyId });
        if (queue.findFull(next.scope) === null) queue.add(next);
      }
      queue.remove([...queue.list()][0]?.requestId ?? "");
    }
    const counts = Map.groupBy(queue.list(), ({ scope }) => scope.apiKeyId);
    const taken = [...counts.values()].map(({ length }) => length);
    expect(taken).toHaveLength(3);
    expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(10);
  });

  test("of a full workspace, or of a full organization, are none of another", () => {
    const queue = new HoldQueue(1_000);
    for (let at = 0; at < 20; at++) fill(queue, { apiKeyId: `apikey_${at}` });
    expect(queue.size).toBe(640);
    expect(takeOne(queue, { apiKeyId: "apikey_new" })).toBe("workspace");
    expect(fill(queue, { workspaceId: "wksp_2", apiKeyId: "apikey_other" })).toBe(103);
    for (let at = 3; at < 40; at++) {
      for (let key = 0; key < 20; key++) {
        fill(queue, { workspaceId: `wksp_${at}`, apiKeyId: `apikey_${at}_${key}` });
      }
    }
    expect(queue.size).toBe(800);
    expect(takeOne(queue, { workspaceId: "wksp_new" })).toBe("organization");
    expect(fill(queue, { organizationId: "org_2", workspaceId: "wksp_far" })).toBe(82);
  });

  test("become free when a request leaves", () => {
    const queue = new HoldQueue(160);
    fill(queue, {});
    queue.remove([...queue.list()][0]?.requestId ?? "");
    expect(fill(queue, {})).toBe(1);
  });

  test("that are all taken belong to no scope", () => {
    const queue = new HoldQueue(2);
    for (let at = 0; at < 2; at++) queue.add(waiter(`req_${at}`, { organizationId: `org_${at}` }));
    expect(queue.findFull(waiter("").scope)).toEqual({ scope: null, waiting: 2 });
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
