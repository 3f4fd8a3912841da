import { afterEach, describe, expect, onTestFinished } from "vitest";
import type { UpstreamOrder } from "#src/upstreams/upstream.ts";
import { test } from "./harness/database-test.ts";
import { messageJson, type Script, startFakeUpstream } from "./harness/fake-upstream.ts";
import { makePlatform, type TestGateway } from "./harness/gateway.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import { bedrockAccount, bedrockApiKey } from "./harness/platform-test.ts";
import { startBedrockPlatform } from "./harness/platforms/bedrock-platform.ts";
import { COST, StrictGateway, WORST, waitFor } from "./harness/strict-gateway.ts";

// Holds of strict limits while requests go to the second upstream.

// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

let s: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
});

afterEach(() => s.stop());

const refuse =
  (status: number): Script =>
  ({ json }) =>
    json({ type: "error", error: { type: "overloaded_error", message: "no" } }, { status });

async function startSecond() {
  const second = await startFakeUpstream();
  onTestFinished(() => second.close());
  return second;
}

test("requests that both upstreams refuse, or the second answers, leave no hold behind", async ({
  upstream,
}) => {
  const second = await startSecond();
  await s.reopen({ others: [second.origin] });
  await s.limit(WORST + 20n * COST);
  upstream.script = refuse(529);
  for (const script of [({ json }) => json(messageJson()), refuse(429)] satisfies Script[]) {
    second.script = script;
    for (let i = 0; i < 5; i++) await s.ask();
  }
  await waitFor(async () => (await s.balance()).settled === 5n * COST);
  // The limit has room for one worst case, so each hold ended before the next request.
  second.script = ({ json }) => json(messageJson());
  expect((await s.ask()).status).toBe(200);
  await waitFor(async () => (await s.balance()).settled === 6n * COST);
  expect(await s.balance()).toMatchObject({ unresolved: 0n, overrun: 0n });
  expect([upstream.received.length, second.received.length]).toEqual([11, 11]);
});

test("a request without any reachable upstream leaves no hold behind", async ({ upstream }) => {
  const gone = await startFakeUpstream();
  await gone.close();
  await s.reopen({ origin: gone.origin, others: [gone.origin] });
  await s.limit(WORST + COST);
  for (let i = 0; i < 8; i++) expect((await s.ask()).status).toBe(502);
  await s.reopen({ origin: gone.origin, others: [upstream.origin] });
  expect((await s.ask()).status).toBe(200);
  await waitFor(async () => (await s.balance()).settled === COST);
  expect(await s.balance()).toMatchObject({ unresolved: 0n, overrun: 0n });
});

test("a request that breaks off at the second upstream keeps its hold unresolved once", async ({
  upstream,
}) => {
  const second = await startSecond();
  await s.reopen({ others: [second.origin] });
  await s.limit(3n * WORST);
  upstream.script = refuse(429);
  second.script = ({ reset }) => reset();
  expect((await s.ask()).status).toBe(502);
  await waitFor(async () => (await s.balance()).unresolved === WORST);
  expect([upstream.received.length, second.received.length]).toEqual([1, 1]);
});

describe("the order changes to a platform with higher prices while a request waits", () => {
  test.beforeEach(() => s.restart({ holdWaitMs: 5_000 }));

  /** Usage whose list cost is the worst case. The platform costs a tenth more. */
  const usage = {
    input_tokens: Number((WORST - 100n * 15_000n) / 3_000n),
    output_tokens: 100,
  };

  async function startBedrock() {
    const bedrock = await startBedrockPlatform(bedrockAccount);
    bedrock.answer = () => ({ kind: "message", message: messageJson({ usage }) });
    const upstream = makePlatform(
      bedrock.origin,
      {
        settings: { provider: "bedrock", region: "eu-central-1", authentication: "api_key" },
        credential: bedrockApiKey,
      },
      { idleTimeoutMs: 20_000, turnEnd: null },
    );
    onTestFinished(async () => {
      await upstream.client.destroy();
      await bedrock.close();
    });
    const countMessages = () =>
      bedrock.requests.filter(({ action }) => action !== "count-tokens").length;
    return { countMessages, upstream };
  }

  /** Sends a request that waits behind a running one, and sets another order before the running one ends. */
  async function askMeanwhile(order: (gateway: TestGateway) => UpstreamOrder) {
    const { exchange, answer } = await s.startRequest();
    const waiting = s.ask();
    await waitFor(() => s.node.leases.status().waiting === 1);
    s.gateway.order = order(s.gateway);
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    return waiting;
  }

  test("the request is held again at those prices", async () => {
    const { countMessages, upstream } = await startBedrock();
    await s.limit((WORST * 11n) / 10n + 2n * COST);
    const { status } = await askMeanwhile(({ order }) => [upstream, ...order]);
    expect([status, countMessages()]).toEqual([200, 1]);
    await waitFor(async () => (await s.balance()).settled > WORST);
    expect(s.overruns).toEqual([]);
    expect(await s.balance()).toMatchObject({ unresolved: 0n, overrun: 0n });
  });

  test("a strict limit without room for those prices refuses the request", async () => {
    const { countMessages, upstream } = await startBedrock();
    await s.limit(WORST + 2n * COST);
    const { status } = await askMeanwhile(() => [upstream]);
    expect([status, countMessages()]).toEqual([400, 0]);
    // Nothing of it stays held: the limit has room for the same request at the first upstream.
    await s.reopen({});
    expect((await s.ask()).status).toBe(200);
  });
});
