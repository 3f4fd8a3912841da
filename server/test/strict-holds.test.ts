import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, vi } from "vitest";
import { makeKeyCache } from "#src/key-lookup/key-cache.ts";
import { systemClock } from "#src/lib/clock.ts";
import { test } from "./harness/database-test.ts";
import {
  messageJson,
  messageStart,
  startFakeUpstream,
  textDelta,
} from "./harness/fake-upstream.ts";
import { call, defaultKey, messageBody, start } from "./harness/gateway.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import { COST, StrictGateway, WORST, waitFor } from "./harness/strict-gateway.ts";

// Holds of strict limits for running requests: waits, releases and unresolved amounts.

// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

let s: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
});

afterEach(() => s.stop());

describe("requests that wait for budget", () => {
  beforeEach(() => s.restart({ holdWaitMs: 5_000 }));

  test("continue when a running one ends, first in, first out", async () => {
    await s.limit(WORST + 2n * COST);
    const { exchange, answer } = await s.startRequest();
    const order: number[] = [];
    const asked = [0, 1].map(async (at) => {
      if (at === 1) await waitFor(() => s.node.leases.status().waiting === 1);
      const { status } = await s.ask();
      order.push(at);
      return status;
    });
    await waitFor(() => s.node.leases.status().waiting === 2);
    exchange.json(messageJson());
    expect([(await answer).status, ...(await Promise.all(asked))]).toEqual([200, 200, 200]);
    expect(order).toEqual([0, 1]);
  });

  test("leave the queue when their client aborts, and are never sent", async () => {
    await s.limit(WORST + COST);
    const { exchange, answer } = await s.startRequest();
    const leaving = start(s.gateway.origin, { headers: s.headers(), body: messageBody() });
    await waitFor(() => s.node.leases.status().waiting === 1);
    leaving.destroy();
    await waitFor(() => s.node.leases.status().waiting === 0);
    await waitFor(() => s.gateway.gateway.stats().inFlight === 1);
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    expect((await s.ask()).status).toBe(200);
    expect(s.countMessages()).toBe(2);
  });

  test("are refused when their key is revoked, and release their holds", async () => {
    let status: "active" | "inactive" = "active";
    const { apiKeyId: id, organizationId, workspaceId } = s.scope;
    const found = { ...defaultKey, id, organizationId, workspaceId };
    const keys = makeKeyCache({
      lookup: (hashes) => Promise.resolve(hashes.map(() => ({ ...found, status }))),
      msSinceContact: () => 0,
      leaseTtlMs: 120_000,
      clock: systemClock,
    });
    await s.restart({ holdWaitMs: 5_000 }, { keys });
    await s.limit(WORST + COST);
    const { exchange, answer } = await s.startRequest();
    const waiting = s.ask();
    await waitFor(() => s.node.leases.status().waiting === 1);
    status = "inactive";
    keys.forget("anything");
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    expect((await waiting).status).toBe(401);
    status = "active";
    keys.forget("anything");
    expect((await s.ask()).status).toBe(200);
    expect(s.countMessages()).toBe(2);
  });

  test("are refused with a 529 that names the full queue", async () => {
    await s.restart({ holdWaitMs: 5_000, maxWaiting: 2 });
    await s.limit(WORST + 3n * COST);
    const { exchange, answer } = await s.startRequest();
    const waiting = [s.ask(), s.ask()];
    await waitFor(() => s.node.leases.status().waiting === 2);
    expect(await s.refusalOf()).toEqual({
      status: 529,
      type: "overloaded_error",
      message:
        "The queue of requests that wait for budget is full for this server: 2 of its requests wait. Send the request again shortly.",
      shouldRetry: undefined,
      retryAfter: "2",
    });
    expect(s.refusals).toEqual(["queue_full"]);
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(200);
  });

  test("are refused with a retry when the server stops", async () => {
    await s.limit(WORST);
    const { exchange, answer } = await s.startRequest();
    const waiting = s.ask();
    await waitFor(() => s.node.leases.status().waiting === 1);
    const drained = s.gateway.gateway.drain(0);
    const stopped = await waiting;
    expect([stopped.status, stopped.headers["retry-after"]]).toEqual([503, "1"]);
    await answer;
    await exchange.closed;
    expect(exchange.isCut()).toBe(true);
    await drained;
  });
});

describe("a hold is released at once", () => {
  test("when the upstream refuses, since that costs nothing", async ({ upstream }) => {
    await s.limit(WORST);
    upstream.script = (exchange) => exchange.json({ type: "error" }, { status: 529 });
    for (let i = 0; i < 3; i++) expect((await s.ask()).status).toBe(529);
    expect(s.refusals).toEqual([]);
  });

  test("when the upstream cannot be reached", async () => {
    await s.limit(WORST);
    const gone = await startFakeUpstream();
    await gone.close();
    await s.reopen({ origin: gone.origin });
    for (let i = 0; i < 3; i++) expect((await s.ask()).status).toBe(502);
  });

  test("when the journal refuses the record", async () => {
    await s.limit(WORST);
    let fails: boolean = true;
    await s.reopen({
      meter: {
        end: (record) => s.node.meter.end(record),
        amendBegin: (record) => s.node.meter.amendBegin(record),
        begin(record) {
          if (fails) throw new Error("disk full");
          s.node.meter.begin(record);
        },
      },
    });
    expect((await s.ask()).status).toBe(500);
    fails = false;
    expect((await s.ask()).status).toBe(200);
  });
});

describe("a request with an unknown end", () => {
  test("leaves its hold unresolved, which refuses others until it is released", async ({
    upstream,
  }) => {
    await s.limit(WORST);
    upstream.script = (exchange) => exchange.reset();
    expect((await s.ask()).status).toBe(502);
    upstream.script = (exchange) => exchange.json(messageJson());
    await s.node.flush();
    expect(await s.balance()).toMatchObject({ settled: 0n, unresolved: WORST });
    const refused = await s.refusalOf();
    expect(refused.status).toBe(400);
    expect(refused.message).toMatch(/unresolved: \$0\.\d+\. To ask for a higher limit, /);
    await s.restart({ unresolvedReleaseMs: 100, ttlMs: 2_000 });
    await waitFor(async () => (await s.balance()).unresolved === 0n);
    expect((await s.ask()).status).toBe(200);
  });

  test("with partial usage costs that usage and leaves nothing unresolved", async ({
    upstream,
  }) => {
    await s.limit(2n * WORST);
    upstream.script = async (exchange) => {
      exchange.startStream();
      await exchange.write(messageStart() + textDelta("abc"));
      exchange.reset();
    };
    expect((await s.ask(messageBody({ stream: true }))).text).toContain("event: error");
    await waitFor(() => s.gateway.gateway.stats().inFlight === 0);
    await s.node.flush();
    expect(await s.balance()).toMatchObject({ unresolved: 0n });
    expect((await s.balance()).settled).toBeGreaterThan(0n);
  });
});

describe("without a strict limit", () => {
  test("requests have no hold, which the record states, and token counts need no budget", async ({
    db,
    upstream,
  }) => {
    expect((await s.ask()).status).toBe(200);
    await s.node.flush();
    const event = await db.database
      .selectFrom("recorded_request")
      .select("hold_nano_usd")
      .where("workspace_id", "=", s.scope.workspaceId)
      .executeTakeFirstOrThrow();
    expect(event).toEqual({ hold_nano_usd: null });
    await s.limit(0n);
    upstream.script = (exchange) => exchange.json({ input_tokens: 5 });
    const counted = await call(s.gateway.origin, {
      path: "/v1/messages/count_tokens",
      headers: s.headers(),
      body: messageBody(),
    });
    expect(counted.status).toBe(200);
  });

  test("a new limit counts running requests at their worst case", async () => {
    const { exchange, answer } = await s.startRequest();
    await s.limit(2n * WORST - 1n);
    await waitFor(async () => (await s.balance()).leased === WORST);
    expect((await s.refusalOf()).status).toBe(429);
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    expect((await s.ask()).status).toBe(200);
    await s.node.flush();
    await waitFor(async () => (await s.balance()).leased === 0n);
    expect(await s.balance()).toMatchObject({ settled: 2n * COST, unresolved: 0n });
  });

  test("the first limit of a workspace counts its running requests, and none of other workspaces", async () => {
    const elsewhere = `wksp_${randomUUID()}`;
    await s.limit(WORST, { scopeId: elsewhere });
    const { exchange, answer } = await s.startRequest();
    await s.limit(2n * WORST, { scopeId: elsewhere });
    const other = await s.startRequest();
    other.exchange.reset();
    expect((await other.answer).status).toBe(502);
    await s.node.flush();
    expect(await s.balance()).toMatchObject({ unresolved: 0n });
    // With more, the node would lease budget for a next request.
    await s.limit(WORST);
    await waitFor(async () => (await s.balance()).leased === WORST);
    exchange.reset();
    expect((await answer).status).toBe(502);
    await s.node.flush();
    expect(await s.balance()).toMatchObject({ leased: 0n, unresolved: WORST });
  });
});

test("an active node sends no database query for a single request", async () => {
  const requests = 600;
  await s.restart({ flushEveryMs: 3_600_000 });
  await s.limit(10_000n * WORST);
  const askAll = (count: number) => Promise.all(Array.from({ length: count }, () => s.ask()));
  // Leases are sized by the traffic of the last quarters of a second. Before that, more messages are sent.
  const warmUntilMs = performance.now() + 1_500;
  while (performance.now() < warmUntilMs) await askAll(10);
  const query = vi.spyOn(pg.Client.prototype, "query");
  try {
    const startedMs = performance.now();
    for (let sent = 0; sent < requests; sent += 10) {
      for (const { status } of await askAll(10)) expect(status).toBe(200);
    }
    // One message of about ten statements each quarter of a second, for any number of requests.
    const messages = (performance.now() - startedMs) / 250 + 5;
    expect(query.mock.calls.length).toBeLessThan(messages * 16);
    expect(query.mock.calls.length).toBeLessThan(requests);
  } finally {
    query.mockRestore();
  }
});
