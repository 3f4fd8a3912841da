import { afterEach, describe, expect } from "vitest";
import { systemClock } from "#src/lib/clock.ts";
import { test } from "./harness/database-test.ts";
import { type Exchange, messageEnd, messageStart, sse } from "./harness/fake-upstream.ts";
import { messageBody, open } from "./harness/gateway.ts";
import { readAll } from "./harness/gateway-calls.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import { StrictGateway, waitFor } from "./harness/strict-gateway.ts";

// Streams under a limit with steps, from the client to the balance in PostgreSQL.

// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

const MODEL = "claude-opus-5";
const CENT = 10_000_000n;
/** Price of an output token. */
const OUTPUT = 25_000n;
/** The gateway's time is faster than that of the test. A tick of its meter is then half a second. */
const SPEED_UP = 2;
const body = messageBody({ model: MODEL, max_tokens: 128_000, stream: true });
const started = messageStart().replace("claude-sonnet-4-5-20250929", MODEL);
const thinking = sse("content_block_start", {
  index: 0,
  content_block: { type: "thinking", thinking: "", signature: "" },
});

let s: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
  const startMs = systemClock.monotonicMs();
  const monotonicMs = () => startMs + SPEED_UP * (systemClock.monotonicMs() - startMs);
  await s.reopen({ clock: { nowMs: () => systemClock.nowMs(), monotonicMs } });
});

afterEach(() => s.stop());

/** Thinks for a time of the gateway, and ends with this output. Stops when the gateway cuts the connection. */
function think(ms: number, outputTokens: number): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    exchange.startStream();
    await exchange.write(started + thinking);
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, ms / SPEED_UP);
    await Promise.race([timer.promise, exchange.closed]);
    clearTimeout(timeout);
    if (exchange.isCut()) return;
    await exchange.write(messageEnd({ output_tokens: outputTokens }).join(""));
    exchange.end();
  };
}

async function stream(): Promise<{ status: number; text: string }> {
  const response = await open(s.gateway.origin, { headers: s.headers(), body });
  const { text } = await readAll(response);
  return { status: response.statusCode ?? 0, text };
}

describe("a limit with steps", () => {
  test("serves a stream whose worst case is larger than the limit, and refuses it as JSON", async ({
    upstream,
  }) => {
    await s.limit(200n * CENT, { hold: "steps" });
    upstream.script = think(2_000, 120);
    const { status, text } = await stream();
    expect([status, text.endsWith(messageEnd({ output_tokens: 120 }).join(""))]).toEqual([
      200,
      true,
    ]);
    await waitFor(async () => (await s.balance()).settled === 50_000n + 120n * OUTPUT);
    const { status: refused } = await s.refusalOf(
      messageBody({ model: MODEL, max_tokens: 128_000 }),
    );
    expect(refused).toBe(400);
  });

  test("of whole holds refuses the same stream", async () => {
    await s.limit(200n * CENT, { hold: "whole" });
    expect((await s.refusalOf(body)).status).toBe(400);
  });

  test("cuts a stream that needs more than remains, which costs at most the limit", async ({
    upstream,
  }) => {
    await s.limit(4n * CENT, { hold: "steps" });
    upstream.script = think(60_000, 3_600);
    const { status, text } = await stream();
    expect(status).toBe(200);
    expect(text.startsWith(started + thinking)).toBe(true);
    expect(text).toContain('"error_code":"stream_cut_limit_spent"');
    await waitFor(async () => (await s.balance()).settled > 0n);
    const { settled, overrun, unresolved } = await s.balance();
    expect(settled).toBeGreaterThan(2n * CENT);
    expect(settled).toBeLessThanOrEqual(4n * CENT);
    expect([overrun, unresolved, s.overruns]).toEqual([0n, 0n, []]);
  });

  test("that is lowered below the hold of a stream cuts it, and names its amount as the reason", async ({
    upstream,
  }) => {
    await s.limit(200n * CENT, { hold: "steps" });
    upstream.script = think(60_000, 3_600);
    const answer = stream();
    await waitFor(async () => (await s.balance()).leased > CENT);
    await s.limit(CENT, { hold: "steps" });
    const { text } = await answer;
    expect(text).toContain('"error_code":"stream_cut_limit_spent"');
    expect(text).toContain('"limit_usd":0.01');
  });

  test("is not exceeded by streams that need more than remains", async ({ upstream }) => {
    await s.limit(11n * CENT, { hold: "steps" });
    upstream.script = think(10_000, 600);
    const answers = await Promise.all([stream(), stream(), stream()]);
    const whole = answers.filter(({ text }) => text.includes("message_stop"));
    const refused = answers.filter(({ text }) => text.includes('"limit_usd":0.11'));
    expect(whole.length).toBeGreaterThan(0);
    expect(whole.length + refused.length).toBe(3);
    await waitFor(async () => (await s.balance()).settled > BigInt(whole.length) * 600n * OUTPUT);
    const { settled, overrun } = await s.balance();
    expect(settled).toBeLessThanOrEqual(11n * CENT);
    expect([overrun, s.overruns]).toEqual([0n, []]);
  });
});
