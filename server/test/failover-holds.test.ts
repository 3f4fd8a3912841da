import { afterEach, expect, onTestFinished } from "vitest";
import { test } from "./harness/database-test.ts";
import { messageJson, type Script, startFakeUpstream } from "./harness/fake-upstream.ts";
import { passMonthEnd } from "./harness/month-end.ts";
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
