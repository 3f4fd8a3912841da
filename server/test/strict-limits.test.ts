import { afterEach, describe, expect } from "vitest";
import { test } from "./harness/database-test.ts";
import { messageEvents, messageJson } from "./harness/fake-upstream.ts";
import { messageBody } from "./harness/gateway.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import {
  COST,
  HOLD_WAIT_MS,
  StrictGateway,
  WORST,
  waitFor,
  worstCaseOf,
} from "./harness/strict-gateway.ts";

// Requests that strict limits admit and refuse, and the text of each refusal.

// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

let s: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
});

afterEach(() => s.stop());

describe.each([
  ["a JSON answer", messageBody()],
  ["a stream", messageBody({ stream: true })],
])("%s under a strict limit", (_, body) => {
  test.beforeEach(({ upstream }) => {
    upstream.script = async (exchange) => {
      const { stream } = JSON.parse(exchange.received.body.toString()) as { stream?: boolean };
      if (stream !== true) return exchange.json(messageJson());
      await exchange.stream(messageEvents());
    };
  });

  test("is sent when its worst case fits, and leaves exactly its cost", async () => {
    await s.limit(worstCaseOf(body));
    expect((await s.ask(body)).status).toBe(200);
    await s.node.flush();
    await waitFor(async () => (await s.balance()).leased === 0n);
    expect(await s.balance()).toEqual({ settled: COST, leased: 0n, unresolved: 0n, overrun: 0n });
  });

  test("larger than the rest of the limit gets a 400 with its worst case and the rest, and no retry", async () => {
    const worst = worstCaseOf(body);
    await s.limit(worst - 1n);
    const refused = await s.refusalOf(body);
    expect(refused).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      shouldRetry: "false",
      retryAfter: undefined,
    });
    expect(refused.message).toMatch(
      /^\$0\.\d+ remains of a spend limit, less than this request can cost\. The request can cost up to \$0\.\d+: /,
    );
    expect(refused.message).toContain(`of workspace ${s.scope.workspaceId} is $0.`);
    expect(refused.message).toContain("max_tokens 100");
    expect(s.countMessages()).toBe(0);
    expect(s.refusals).toEqual(["too_large"]);
  });

  test("under a spent limit gets a 400 with the official text first, and no retry", async ({
    upstream,
  }) => {
    await s.limit(0n);
    const { message, ...rest } = await s.refusalOf(body);
    expect(rest).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      shouldRetry: "false",
    });
    expect(message).toMatch(
      /^You have reached your specified workspace API usage limits\. You will regain access on \d{4}-\d\d-01 at 00:00 UTC\. /,
    );
    expect(message).toContain("spent: $0.00. Held: $0.00; unresolved: $0.00.");
    expect(upstream.received).toEqual([]);
  });

  test("with less left than any request costs gets the official text first", async ({
    upstream,
  }) => {
    await s.limit(COST + 1n);
    const { message, ...rest } = await s.refusalOf(body);
    expect(rest).toMatchObject({ status: 400, shouldRetry: "false" });
    expect(message).toMatch(/^You have reached your specified workspace API usage limits\. /);
    expect(message).toMatch(/The rest is less than any request to this model can cost\./);
    expect(upstream.received).toEqual([]);
  });

  test.each<[string, bigint, object]>([
    ["a spent limit", 0n, {}],
    ["a rest that is too small", worstCaseOf(body) - 1n, {}],
    ["an unbounded request", 10n ** 12n, { tools: [{ type: "code_execution_20250825" }] }],
    ["a refused unknown feature", 10n ** 12n, { autopilot: 1 }],
  ])("for %s Claude Code gets a 429 without a retry", async (_, limitNanoUsd, fields) => {
    await s.limit(limitNanoUsd, { unknownFeatures: "refuse" });
    const asked = JSON.stringify({ ...JSON.parse(body), ...fields });
    const official = await s.refusalOf(asked);
    expect(official).toMatchObject({ status: 400, type: "invalid_request_error" });
    const headers = { "user-agent": "claude-cli/2.1.332 (external, cli)" };
    expect(await s.refusalOf(asked, headers)).toMatchObject({
      status: 429,
      type: "billing_error",
      message: official.message,
      shouldRetry: "false",
    });
    expect(s.countMessages()).toBe(0);
  });

  test("while others hold the rest, a request waits and then gets a 429 with a short retry", async () => {
    await s.limit(worstCaseOf(body));
    const { exchange, answer } = await s.startRequest();
    const startedMs = performance.now();
    const refused = await s.refusalOf(body);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(HOLD_WAIT_MS - 1);
    expect(refused).toMatchObject({
      status: 429,
      type: "rate_limit_error",
      shouldRetry: undefined,
      retryAfter: "2",
    });
    expect(refused.message).toContain("Other requests hold what remains of a spend limit.");
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
  });
});

describe("a long prompt whose bytes do not fit", () => {
  const body = messageBody({ messages: [{ role: "user", content: "word ".repeat(20_000) }] });
  let counted: { tokens: number | null; asked: string[] };

  test.beforeEach(({ upstream }) => {
    counted = { tokens: 20_000, asked: [] };
    upstream.script = (exchange) => {
      if (!exchange.received.url.includes("count_tokens")) return exchange.json(messageJson());
      counted.asked.push(exchange.received.body.toString());
      if (counted.tokens === null) return exchange.json({ type: "error" }, { status: 500 });
      return exchange.json({ input_tokens: counted.tokens });
    };
  });

  test("is counted by the upstream once, and sent when the count fits", async ({ db }) => {
    await s.limit(150_000_000n);
    expect(worstCaseOf(body)).toBeGreaterThan(150_000_000n);
    expect((await s.ask(body)).status).toBe(200);
    expect(counted.asked.map((text) => JSON.parse(text))).toEqual([
      { model: "claude-sonnet-4-5", messages: JSON.parse(body).messages },
    ]);
    await s.node.flush();
    const { hold_nano_usd } = await db.database
      .selectFrom("recorded_request")
      .select("hold_nano_usd")
      .where("workspace_id", "=", s.scope.workspaceId)
      .executeTakeFirstOrThrow();
    expect(hold_nano_usd).toBe(21_024n * 3_000n + 100n * 15_000n);
  });

  test("is refused by the count when the count does not fit either", async () => {
    await s.limit(50_000_000n);
    expect((await s.refusalOf(body)).message).toContain("as counted, with a margin");
    expect([counted.asked.length, s.countMessages()]).toEqual([1, 0]);
  });

  test("is refused by its bytes when the count fails", async () => {
    counted.tokens = null;
    await s.limit(150_000_000n);
    expect((await s.refusalOf(body)).message).toContain("by its bytes and images");
    expect([counted.asked.length, s.countMessages()]).toEqual([1, 0]);
  });

  test("is not counted when it fits, nor when no count can help", async () => {
    await s.limit(worstCaseOf(body));
    expect((await s.ask(body)).status).toBe(200);
    await s.limit(COST + 1_000_000n);
    expect((await s.refusalOf(body)).status).toBe(400);
    expect(counted.asked).toEqual([]);
  });
});

describe("an open-ended request", () => {
  const search = { type: "web_search_20250305", name: "web_search", max_uses: 2 };
  const body = messageBody({ tools: [search] });

  test("needs room for all calls that it may make", async () => {
    const worst = worstCaseOf(body);
    await s.limit(worst - 1n);
    expect((await s.refusalOf(body)).message).toContain(
      "web_search_20250305 may bill the prompt again with each use; max_uses is 2.",
    );
    await s.limit(worst);
    expect((await s.ask(body)).status).toBe(200);
  });

  test("is held at the amount that a limit sets, and its further cost is settled and shown", async () => {
    await s.limit(1_000_000n, { openEndedHoldNanoUsd: 50_000n });
    await s.limit(worstCaseOf(body), {
      scopeType: "organization",
      scopeId: s.scope.organizationId,
    });
    expect((await s.ask(body)).status).toBe(200);
    await s.node.flush();
    expect(await s.balance()).toMatchObject({ settled: COST, overrun: COST - 50_000n });
    expect(await s.balance(s.scope.organizationId)).toMatchObject({ settled: COST, overrun: 0n });
    expect(s.overruns).toEqual([]);
  });

  test("that exceeds its hold in all limits is an overrun of the request", async () => {
    await s.limit(1_000_000n, { openEndedHoldNanoUsd: 50_000n });
    expect((await s.ask(body)).status).toBe(200);
    expect(s.overruns).toEqual([COST - 50_000n]);
  });

  test("with an unknown end is unresolved with the hold of each limit", async ({ upstream }) => {
    await s.limit(1_000_000n, { openEndedHoldNanoUsd: 50_000n });
    const worst = worstCaseOf(body);
    await s.limit(worst, { scopeType: "organization", scopeId: s.scope.organizationId });
    upstream.script = (exchange) => exchange.reset();
    expect((await s.ask(body)).status).toBe(502);
    await s.node.flush();
    expect((await s.balance()).unresolved).toBe(50_000n);
    expect((await s.balance(s.scope.organizationId)).unresolved).toBe(worst);
  });

  test("billed by the hour is refused, and allowed under other limits", async () => {
    const code = messageBody({
      tools: [{ type: "code_execution_20250825", name: "code_execution" }],
    });
    await s.limit(10n ** 15n);
    const refused = await s.refusalOf(code);
    expect(refused).toMatchObject({ status: 400, shouldRetry: "false" });
    expect(refused.message).toMatch(/^A strict spend limit cannot hold this request\. /);
    expect(refused.message).toContain("Code execution is billed by the hour");
    expect(s.refusals).toEqual(["unbounded"]);
    await s.limit(10n ** 15n, { enforcement: "soft" });
    expect((await s.ask(code)).status).toBe(200);
  });
});

describe("limits of several kinds in one chain", () => {
  test("each act by kind: strict holds, soft blocks when spent, alert_only does nothing", async () => {
    await s.limit(0n, {
      scopeType: "api_key",
      scopeId: s.scope.apiKeyId,
      enforcement: "alert_only",
    });
    await s.limit(COST, {
      scopeType: "organization",
      scopeId: s.scope.organizationId,
      enforcement: "soft",
    });
    await s.limit(WORST);
    expect((await s.ask()).status).toBe(200);
    expect((await s.refusalOf()).message).toMatch(
      /^You have reached your specified API usage limits\./,
    );
    await s.limit(10n * COST, {
      scopeType: "organization",
      scopeId: s.scope.organizationId,
      enforcement: "soft",
    });
    expect((await s.refusalOf()).message).toContain("less than this request can cost");
  });

  test("all strict ones hold, or none: a refusal by one leaves no hold in another", async () => {
    await s.limit(WORST);
    await s.limit(WORST - 1n, { scopeType: "organization", scopeId: s.scope.organizationId });
    expect((await s.refusalOf()).message).toContain(`of organization ${s.scope.organizationId}`);
    await s.limit(WORST, { scopeType: "organization", scopeId: s.scope.organizationId });
    expect((await s.ask()).status).toBe(200);
  });
});
