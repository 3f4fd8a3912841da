import { afterEach, describe, expect } from "vitest";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { test } from "./harness/database-test.ts";
import {
  blockStart,
  type Exchange,
  messageEnd,
  messageJson,
  messageStart,
  sse,
  textDelta,
} from "./harness/fake-upstream.ts";
import { messageBody } from "./harness/gateway.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import { COST, StrictGateway, WORST, waitFor, worstCaseOf } from "./harness/strict-gateway.ts";

// Doubtful ends under a strict limit: usage that cannot be true costs the hold, and a 200 that broke off costs at least
// its input. The ledger adds up in each case.

await passMonthEnd();

let s: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
  await s.limit(10n * WORST);
});

afterEach(() => s.stop());

const INPUT_BOUND = BigInt(messageBody().length + 2_048);
/** Price of an input token of claude-sonnet-4-5, nano-USD. */
const INPUT_COST = 3_000n * INPUT_BOUND;
const STREAM = messageBody({ stream: true });

type Script = (exchange: Exchange) => void | Promise<void>;

interface Case {
  answer: Script;
  body?: string;
  doubt: string | undefined;
  outcome?: string;
  settled: bigint;
  unresolved?: bigint;
}

function withUsage(usage: object, fields: object = {}): Script {
  return (exchange) => exchange.json({ ...messageJson({ usage }), ...fields });
}

function cut(...events: string[]): Script {
  return async (exchange) => {
    exchange.startStream();
    if (events.length > 0) await exchange.write(events.join(""));
    exchange.reset();
  };
}

function json(text: string, headers: Record<string, string> = {}): Script {
  return (exchange) => exchange.json(text, { headers });
}

const impossible = { doubt: "impossible_usage", settled: WORST };
const unknown = {
  doubt: "missing_usage",
  outcome: "interrupted",
  settled: INPUT_COST,
  unresolved: WORST - INPUT_COST,
};

const cases: Record<string, Case> = {
  "more than 10^9 output tokens": {
    answer: withUsage({ input_tokens: 10, output_tokens: 1_000_000_001 }),
    ...impossible,
  },
  "no valid count": {
    answer: withUsage({ input_tokens: -1, output_tokens: "many" }),
    ...impossible,
  },
  "a negative output": {
    answer: withUsage({ input_tokens: 10, output_tokens: -5 }),
    ...impossible,
  },
  "no output count": {
    answer: withUsage({ input_tokens: 10, output_tokens: null }),
    ...impossible,
  },
  "an empty prompt": { answer: withUsage({ input_tokens: 0, output_tokens: 0 }), ...impossible },
  "more output than max_tokens": {
    answer: withUsage({ input_tokens: 10, output_tokens: 101 }),
    ...impossible,
  },
  "a prompt that the body cannot have": {
    answer: withUsage({ input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 50_000 }),
    ...impossible,
  },
  "an invalid cache count": {
    answer: withUsage({ input_tokens: 10, output_tokens: 5, cache_read_input_tokens: -50 }),
    ...impossible,
  },
  "a million searches": {
    answer: withUsage({
      input_tokens: 10,
      output_tokens: 5,
      server_tool_use: { web_search_requests: 1_000_000 },
    }),
    ...impossible,
  },
  "a model that the request cannot reach": {
    answer: withUsage({ input_tokens: 2_000, output_tokens: 100 }, { model: "claude-opus-4-1" }),
    ...impossible,
  },
  "impossible usage in a stream": {
    body: STREAM,
    answer: (exchange) =>
      exchange.stream([messageStart(), blockStart, ...messageEnd({ output_tokens: 10 ** 12 })]),
    doubt: "impossible_usage",
    settled: worstCaseOf(STREAM),
  },
  "a fraction": {
    answer: withUsage({ input_tokens: 9.5, output_tokens: 5 }),
    doubt: undefined,
    settled: COST,
  },
  "no usage": { answer: json('{"type":"message"}'), ...unknown },
  "an empty usage": { answer: withUsage({}, { usage: {} }), ...unknown },
  "malformed JSON": { answer: json('{"type":"message",'), ...unknown },
  "a page of HTML": { answer: json("<html>", { "content-type": "text/html" }), ...unknown },
  "an unknown encoding": { answer: json("{}", { "content-encoding": "secret" }), ...unknown },
  "a JSON text that broke off": {
    answer: async (exchange) => {
      exchange.response.writeHead(200, { "content-length": "900" });
      await exchange.write('{"type":"message"');
      exchange.reset();
    },
    ...unknown,
  },
  "a stream that broke off before message_start": {
    answer: cut(sse("ping", {})),
    ...unknown,
  },
  "a stream that broke off after message_start": {
    answer: cut(messageStart(), blockStart, textDelta("abcde")),
    doubt: "incomplete_usage",
    outcome: "interrupted",
    settled: COST,
  },
  "a connection that broke before the status": {
    answer: (exchange) => exchange.reset(),
    doubt: undefined,
    outcome: "interrupted",
    settled: 0n,
    unresolved: WORST,
  },
  "an error event before any usage": {
    answer: (exchange) =>
      exchange.stream([sse("error", { error: { type: "overloaded_error", message: "No" } })]),
    doubt: undefined,
    outcome: "refused",
    settled: 0n,
  },
};

describe.each(Object.entries(cases))("%s", (_, expected) => {
  test("is marked, settles its cost, and the ledger adds up", async ({ db, upstream }) => {
    upstream.script = expected.answer;
    await s.ask(expected.body).catch(() => undefined);
    await waitFor(() => s.gateway.gateway.stats().inFlight === 0);
    await s.node.flush();
    const row = await db.database
      .selectFrom("recorded_request")
      .select(["outcome", "doubt", "is_estimated", "cost_nano_usd", "hold_nano_usd"])
      .where("workspace_id", "=", s.scope.workspaceId)
      .executeTakeFirstOrThrow();
    const { doubt, outcome = "answered", settled, unresolved = 0n } = expected;
    expect(row).toMatchObject({ outcome, doubt: doubt ?? null, cost_nano_usd: settled });
    if (doubt !== undefined) expect(row.is_estimated).toBe(true);
    expect(await s.balance()).toMatchObject({ settled, unresolved, overrun: 0n });
    const checked = await checkLedger(db.database, s.scope.organizationId);
    expect(checked.differences).toEqual([]);
  });
});
