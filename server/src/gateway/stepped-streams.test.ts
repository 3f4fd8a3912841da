import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import type { Dropped, HoldDecided } from "#src/spend/ledger/hold-decision.ts";
import {
  blockStart,
  type Exchange,
  messageEnd,
  messageStart,
  sse,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { call, open, type TestGateway } from "#test/harness/gateway.ts";
import { post, readAll, startBoth } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { startSteppedGateway } from "#test/harness/stepped-gateway.ts";
import { largest, makeSteppedLeases, steppedLimit } from "#test/harness/stepped-leases.ts";

const MODEL = "claude-opus-5";
const OUTPUT = 25_000n;
/** The upstream's workspace can default to the US. */
const US_OUTPUT = 27_500n;
/** Opus: 100 tokens per second. The prompt of the fake upstream has 10 tokens. */
const INPUT = 10n * 5_000n;
const asked = { model: MODEL, max_tokens: 128_000, stream: true };
const started = messageStart().replace("claude-sonnet-4-5-20250929", MODEL);
const NOTHING_USED = { settledNanoUsd: 0n, leasedNanoUsd: 0n, unresolvedNanoUsd: 0n };
const hiddenStart = sse("content_block_start", {
  index: 0,
  content_block: { type: "thinking", thinking: "", signature: "" },
});

/** Starts a gateway with a clock that the test moves, and one stream through it. */
async function startStream(fields: object = {}) {
  const { ledger, clock, excesses, upstream, gateway } = await startSteppedGateway();
  const arrived = upstream.nextExchange();
  const response = open(gateway.origin, post(gateway, { ...asked, ...fields }));
  const exchange = await arrived;
  return { ledger, clock, excesses, upstream, gateway, exchange, response };
}

/** Waits until the last hold is this amount. */
async function untilHold({ holds }: { holds: readonly bigint[] }, nanoUsd: bigint): Promise<void> {
  await expect.poll(() => holds.at(-1), { timeout: 5_000 }).toBe(nanoUsd);
}

/** Waits until a larger hold is refused. */
async function untilWaiting(ledger: { waits: number }): Promise<void> {
  const { waits } = ledger;
  await expect.poll(() => ledger.waits, { timeout: 5_000 }).toBeGreaterThan(waits);
}

async function begin(exchange: Exchange, block = hiddenStart): Promise<void> {
  exchange.startStream();
  await exchange.write(started + block);
}

describeEachReader(() => {
  describe("a stream under a limit with steps", () => {
    test("holds its first step, its exact input after message_start, and its bound while it runs", async () => {
      const { ledger, clock, gateway, exchange, response } = await startStream();
      const [request] = ledger.asked;
      expect(request?.stream?.firstNanoUsd).toBe(ledger.holds[0]);
      expect(request?.amountNanoUsd).toBeGreaterThan(128_000n * OUTPUT);
      expect(gateway.begins[0]?.holdNanoUsd).toBe(request?.amountNanoUsd);
      await begin(exchange);
      // One second of burst, four seconds ahead and one more step.
      await untilHold(ledger, INPUT + 600n * OUTPUT);
      clock.atMs += 10_000;
      await untilHold(ledger, INPUT + 1_600n * OUTPUT);
      await exchange.write(messageEnd({ output_tokens: 700 }).join(""));
      exchange.end();
      const { text } = await readAll(await response);
      expect(text).toBe(started + hiddenStart + messageEnd({ output_tokens: 700 }).join(""));
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "answered", isEstimated: false });
      expect(end.cut).toBeUndefined();
      expect(end.cost.total).toBe(INPUT + 700n * OUTPUT);
      expect(end.holdNanoUsd).toBe(largest(ledger.holds));
    });

    test("is cut before its bound reaches its hold, with an error event after unchanged bytes", async () => {
      const { ledger, clock, gateway, exchange, response } = await startStream();
      await begin(exchange);
      await untilHold(ledger, INPUT + 600n * OUTPUT);
      ledger.budgetNanoUsd = INPUT + 900n * OUTPUT;
      clock.atMs += 4_000;
      await untilHold(ledger, INPUT + 850n * OUTPUT);
      const reading = readAll(await response);
      clock.atMs += 1_000;
      await untilWaiting(ledger);
      clock.atMs += 1_000;
      const { text, isWhole } = await reading;
      expect(isWhole).toBe(true);
      expect(text.startsWith(started + hiddenStart)).toBe(true);
      const event = text.slice((started + hiddenStart).length);
      const [, data = ""] = /^event: error\ndata: (.*)\n\n$/.exec(event) ?? [];
      expect(JSON.parse(data)).toMatchObject({
        type: "error",
        error: {
          type: "invalid_request_error",
          message: expect.stringMatching(
            /nothing left for the rest of it\. The monthly spend limit of workspace wksp_test is \$10\.00\..*This response held \$0\.02.*highest possible cost of \$0\.01/,
          ),
          details: {
            error_code: "stream_cut_limit_spent",
            limit: { id: steppedLimit.id, limit_usd: 10, spent_usd: "9.00" },
            cut: { held_usd: "0.0213", cost_usd: "0.01755" },
          },
        },
      });
      await exchange.closed;
      expect(exchange.isCut()).toBe(true);
      const end = await gateway.end();
      expect(end).toMatchObject({
        outcome: "interrupted",
        isEstimated: true,
        usage: { inputTokens: 10, outputTokens: 700 },
        cut: {
          reason: "limit_spent",
          scopeType: "workspace",
          scopeId: "wksp_test",
          period: "monthly",
          heldNanoUsd: INPUT + 850n * OUTPUT,
          boundOutputTokens: 700,
          balance: { settledNanoUsd: 9_000_000_000n },
        },
      });
      expect(end.doubt).toBeUndefined();
      expect(end.cost.total).toBe(INPUT + 700n * OUTPUT);
    });

    test("is cut after a pause of the machine, and its cost has the whole time", async () => {
      const { ledger, clock, gateway, exchange, response } = await startStream();
      await begin(exchange);
      await untilHold(ledger, INPUT + 600n * OUTPUT);
      ledger.budgetNanoUsd = 0n;
      clock.atMs += 60_000;
      await readAll(await response);
      const end = await gateway.end();
      const boundOutputTokens = 6_100;
      expect(end.cut).toMatchObject({ reason: "limit_spent", boundOutputTokens, pausedMs: 59_750 });
      expect(end.cost.total).toBe(INPUT + 6_100n * OUTPUT);
      expect(end.holdNanoUsd).toBeLessThan(end.cost.total);
    });

    test("is cut without the database, and says so", async () => {
      const { ledger, clock, gateway, exchange, response } = await startStream();
      await begin(exchange);
      await untilHold(ledger, INPUT + 600n * OUTPUT);
      ledger.budgetNanoUsd = 0n;
      ledger.lackReason = "unavailable";
      // A longer step of the clock would be a pause of the process, and the cause of a cut within 1.5 seconds.
      for (const stepMs of [2_000, 1_000]) {
        clock.atMs += stepMs;
        await untilWaiting(ledger);
      }
      clock.atMs += 1_000;
      const { text } = await readAll(await response);
      expect(text).toContain('"error_code":"stream_cut_database_unavailable"');
      expect(text).toContain("database grants no more budget");
      expect((await gateway.end()).cut?.reason).toBe("database_unavailable");
    });

    test("before its first byte is cut with the status of the cause, and costs its bound", async () => {
      const { ledger, clock, gateway, response } = await startStream();
      const first = ledger.holds[0] ?? 0n;
      ledger.budgetNanoUsd = 0n;
      ledger.lackReason = "held";
      clock.atMs += 4_000;
      await untilWaiting(ledger);
      clock.atMs += 1_000;
      const refused = await response;
      expect(refused.statusCode).toBe(429);
      expect(refused.headers["retry-after"]).toBe("2");
      const { text } = await readAll(refused);
      expect(JSON.parse(text)).toMatchObject({
        error: { details: { error_code: "stream_cut_budget_held", retry_after_seconds: 2 } },
      });
      const end = await gateway.end();
      // Six seconds of output, as at the start: four ahead, a step, and the burst.
      expect(end.cost.total).toBe(first);
      expect(end).toMatchObject({ outcome: "interrupted", cut: { reason: "limit_held" } });
    });

    test("whose client leaves costs its bound, and not max_tokens", async () => {
      const { ledger, clock, gateway, exchange, response } = await startStream();
      await begin(exchange);
      await untilHold(ledger, INPUT + 600n * OUTPUT);
      clock.atMs += 2_000;
      (await response).destroy();
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "aborted", isEstimated: true });
      expect(end.usage.outputTokens).toBe(300);
    });

    test("with impossible usage costs its bound, with doubt", async () => {
      const { ledger, clock, gateway, exchange } = await startStream();
      await begin(exchange);
      await untilHold(ledger, INPUT + 600n * OUTPUT);
      clock.atMs += 2_000;
      await exchange.write(messageEnd({ output_tokens: 900_000_000 }).join(""));
      exchange.end();
      const end = await gateway.end();
      expect(end).toMatchObject({
        outcome: "answered",
        doubt: "impossible_usage",
        isEstimated: true,
      });
      expect(end.cost.total).toBe(INPUT + 128_000n * OUTPUT);
    });

    test("without usage leaves its worst case unresolved, as after a crash", async () => {
      const { ledger, gateway, exchange, response } = await startStream();
      exchange.startStream();
      const reading = readAll(await response);
      exchange.reset();
      await reading;
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "interrupted", doubt: "missing_usage" });
      expect(end.holdNanoUsd).toBe(ledger.asked[0]?.amountNanoUsd);
    });

    test("in an encoding is bounded by time alone", async () => {
      const { ledger, clock, gateway, exchange, response } = await startStream();
      const first = ledger.holds[0] ?? 0n;
      exchange.startStream({ "content-encoding": "br" });
      clock.atMs += 2_000;
      await untilHold(ledger, first + 200n * US_OUTPUT);
      exchange.reset();
      await readAll(await response);
      expect((await gateway.end()).outcome).toBe("interrupted");
    });

    test("of a client that does not read is read on, and then bounded by time", async () => {
      const { ledger, clock, gateway, exchange, response } = await startStream();
      await begin(exchange, blockStart);
      (await response).pause();
      await untilHold(ledger, INPUT + 600n * OUTPUT);
      const text = textDelta("x".repeat(32 * 1024));
      let isOpen = true;
      void exchange.closed.then(() => (isOpen = false));
      // More than all socket buffers on the way.
      for (let sent = 0; sent < 600 && isOpen; sent++) exchange.response.write(text);
      clock.atMs += 60_000;
      await untilHold(ledger, INPUT + 6_600n * OUTPUT);
      (await response).destroy();
      expect((await gateway.end()).usage.outputTokens).toBe(6_100);
    });

    test("that was faster than its model makes the model whole on this node, and reports it once", async () => {
      const { ledger, clock, excesses, upstream, gateway, exchange, response } =
        await startStream();
      await begin(exchange);
      clock.atMs += 2_000;
      await exchange.write(messageEnd({ output_tokens: 501 }).join(""));
      exchange.end();
      await readAll(await response);
      const { requestId, organizationId } = await gateway.end();
      const observed = { kind: "model", name: MODEL, observed: 251, allowed: 100 };
      expect(excesses).toEqual([{ ...observed, requestId, organizationId }]);
      const arrived = upstream.nextExchange();
      const next = open(gateway.origin, post(gateway, asked));
      await expect.poll(() => ledger.asked.length).toBe(2);
      expect(ledger.asked[1]?.stream).toBeUndefined();
      (await arrived).reset();
      (await next).destroy();
    });

    test("ends as an APIError of the official SDK, with the code", async () => {
      const ledger = makeSteppedLeases();
      const clock = { atMs: 0 };
      const { gateway } = await startBoth({
        script: async (exchange) => {
          await begin(exchange, blockStart + textDelta("Hello"));
          await untilHold(ledger, INPUT + 600n * OUTPUT);
          ledger.budgetNanoUsd = 0n;
          clock.atMs += 4_000;
          await untilWaiting(ledger);
          clock.atMs += 1_000;
        },
        leases: ledger.leases,
        clock: { nowMs: () => Date.now(), monotonicMs: () => clock.atMs },
      });
      const client = new Anthropic({
        apiKey: gateway.secret,
        baseURL: gateway.origin,
        maxRetries: 0,
      });
      const messages = [{ role: "user" as const, content: "Hi" }];
      const stream = client.messages.stream({ model: MODEL, max_tokens: 128_000, messages });
      const error: unknown = await stream.finalMessage().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Anthropic.APIError);
      expect(error).toMatchObject({
        error: { error: { details: { error_code: "stream_cut_limit_spent" } } },
      });
    });
  });

  describe("a stream that is refused", () => {
    test.each(["too_large", "held"] as const)(
      "because its first hold is %s gets a smaller one, if the upstream counts fewer tokens",
      async (reason) => {
        const { counts, holds, status } = await refuseFirst(reason, "x".repeat(40_000));
        expect([counts, status]).toEqual([1, 200]);
        expect(holds).toHaveLength(2);
        expect(holds[1]).toBeLessThan((holds[0] ?? 0n) / 2n);
      },
    );

    test("gets a smaller first hold after a count of its prompt, also if it searches the web", async () => {
      const tools = [{ type: "web_search_20250305", name: "web_search" }];
      const { counts, holds, status } = await refuseFirst("held", "x".repeat(40_000), { tools });
      expect([counts, status]).toEqual([1, 200]);
      expect(holds).toHaveLength(2);
      expect(holds[1]).toBeLessThan((holds[0] ?? 0n) / 2n);
    });

    test("because others hold the rest is not counted for a small prompt", async () => {
      const { counts, holds, status } = await refuseFirst("held", "Hi");
      expect([counts, holds.length, status]).toEqual([0, 1, 429]);
    });

    test("counts its tokens once after a second of waiting, and its smaller hold keeps its place", async () => {
      const ledger = makeSteppedLeases();
      const { hold } = ledger.leases;
      const decided = Promise.withResolvers<HoldDecided | Dropped>();
      const lowered: bigint[] = [];
      ledger.lackReason = "held";
      ledger.figures = { ...NOTHING_USED, limitNanoUsd: steppedLimit.amountNanoUsd };
      ledger.leases.hold = () => decided.promise;
      ledger.leases.lowerHold = (requestId, amount) => {
        lowered.push(amount.stream?.firstNanoUsd ?? 0n);
        const { organizationId, scopeId: workspaceId } = steppedLimit;
        const scope = { organizationId, workspaceId, apiKeyId: "apikey_test" };
        decided.resolve(hold({ requestId, scope, ...amount }));
      };
      const { gateway, upstream } = await startBoth({
        leases: ledger.leases,
        script: (exchange) => {
          const isCount = exchange.received.url.includes("count_tokens");
          exchange.json(isCount ? { input_tokens: 5_000 } : {});
        },
      });
      const messages = [{ role: "user", content: "x".repeat(40_000) }];
      const { status } = await call(gateway.origin, post(gateway, { ...asked, messages }));
      expect(upstream.received.map(({ url }) => url)).toEqual([
        "/v1/messages/count_tokens",
        "/v1/messages",
      ]);
      expect([status, lowered]).toEqual([200, ledger.holds.slice(0, 1)]);
    });

    /** Sends a stream whose first hold is refused. */
    async function refuseFirst(reason: "too_large" | "held", content: string, fields = {}) {
      const ledger = makeSteppedLeases();
      const { hold } = ledger.leases;
      ledger.lackReason = reason;
      const holds: bigint[] = [];
      ledger.leases.hold = (request) => {
        holds.push(request.stream?.firstNanoUsd ?? 0n);
        const lack = ledger.leases.findLack(request.requestId);
        if (holds.length > 1 || lack === null) return hold(request);
        return { ...lack, figures: { ...NOTHING_USED, limitNanoUsd: steppedLimit.amountNanoUsd } };
      };
      const { gateway, upstream } = await startBoth({
        leases: ledger.leases,
        script: (exchange) => {
          const isCount = exchange.received.url.includes("count_tokens");
          exchange.json(isCount ? { input_tokens: 5_000 } : {});
        },
      });
      const messages = [{ role: "user", content }];
      const { status } = await call(
        gateway.origin,
        post(gateway, { ...asked, ...fields, messages }),
      );
      const counts = upstream.received.filter(({ url }) => url.includes("count_tokens")).length;
      return { counts, holds, status };
    }
  });

  describe("a request without a stream in steps", () => {
    test.each<[string, object]>([
      ["is JSON", { stream: false }],
      ["has a fallback", { fallbacks: [{ model: "claude-haiku-4-5" }] }],
      ["searches with code", { tools: [{ type: "web_search_20260209", name: "web_search" }] }],
      ["has an unknown model", { model: "claude-unheard-of" }],
    ])("holds its worst case if it %s", async (_, fields) => {
      const ledger = makeSteppedLeases();
      const { gateway } = await startBoth({ leases: ledger.leases });
      await call(gateway.origin, post(gateway, { ...asked, ...fields }));
      expect(ledger.asked).toHaveLength(1);
      expect(ledger.asked[0]?.stream).toBeUndefined();
      expect(ledger.holds).toEqual([ledger.asked[0]?.amountNanoUsd]);
      expect(holdOfEnd(gateway)).toBe(ledger.asked[0]?.amountNanoUsd);
    });

    test("with plain web search is a stream in steps, with a hold below its worst case", async () => {
      const ledger = makeSteppedLeases();
      const { gateway } = await startBoth({ leases: ledger.leases });
      const tools = [{ type: "web_search_20250305", name: "web_search" }];
      await call(gateway.origin, post(gateway, { ...asked, tools }));
      const [request] = ledger.asked;
      expect(request?.amountNanoUsd).toBeGreaterThan(80_000_000_000n);
      expect(request?.stream?.firstNanoUsd).toBeLessThan(100_000_000n);
    });
  });
});

function holdOfEnd({ ends }: TestGateway): bigint | undefined {
  return ends[0]?.holdNanoUsd;
}
