import { afterAll, describe, expect } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { messageJson, messageStart, sse } from "#test/harness/fake-upstream.ts";
import {
  call,
  messageBody,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { test } from "#test/harness/upstream-test.ts";
import type { RefusedRequest } from "./refuse.ts";

// Claude Code sends local paths and the state of repositories in `safeguards`. They are content: they pass unchanged, and
// reach no log, no message of a refusal and no record.

const CANARY = "/home/ada/canary-7f3a";
const safeguards = [
  {
    type: "dangerous_tool_use",
    classifier_context: { v: 1, live_cwd: CANARY, [CANARY]: [CANARY] },
  },
];
const results = [
  {
    type: "dangerous_tool_use",
    status: { type: "available", tool_uses: { toolu_1: { type: "evaluated", outcome: CANARY } } },
  },
];

describe("safeguards", () => {
  let gateway: TestGateway;
  const lines: string[] = [];
  const refused: RefusedRequest[] = [];
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({
      origin: upstream.origin,
      logger: makeLogger("trace", { write: (line) => void lines.push(line) }),
      onRefused: (request) => void refused.push(request),
    });
  });
  afterAll(() => gateway.close());

  test.beforeEach(() => void gateway.ends.splice(0));

  const post = (body: string) => call(gateway.origin, { headers: withKey(gateway.secret), body });
  const recorded = () => {
    const records = [...gateway.begins, ...gateway.ends, ...gateway.uses, ...refused];
    const text = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
    return `${JSON.stringify(records, text)}${lines.join("")}`;
  };

  test("pass unchanged in a JSON answer, and their results too", async ({ upstream }) => {
    const answer = JSON.stringify({ ...messageJson(), safeguard_results: results });
    upstream.script = (exchange) => exchange.json(answer);
    const body = messageBody({ safeguards });
    expect((await post(body)).text).toBe(answer);
    expect(upstream.received.at(-1)?.body.toString("utf8")).toBe(body);
    expect(recorded()).not.toContain("canary");
  });

  test("pass unchanged in a stream, and their results too", async ({ upstream }) => {
    const delta = { stop_reason: "end_turn", stop_sequence: null, safeguard_results: results };
    const events = [
      messageStart(),
      sse("message_delta", { delta, usage: { output_tokens: 5 } }),
      sse("message_stop", {}),
    ];
    upstream.script = (exchange) => exchange.stream(events);
    const body = messageBody({ safeguards, stream: true });
    expect((await post(body)).text).toBe(events.join(""));
    expect(upstream.received.at(-1)?.body.toString("utf8")).toBe(body);
    expect(recorded()).not.toContain("canary");
  });

  test("of an upstream that fails reach no log", async ({ upstream }) => {
    const cut = sse("message_delta", { delta: { safeguard_results: results }, usage: {} });
    upstream.script = async (exchange) => {
      exchange.startStream();
      await exchange.write(messageStart());
      await exchange.write(cut.slice(0, -20));
      exchange.reset();
    };
    await post(messageBody({ safeguards, stream: true })).catch(() => undefined);
    await gateway.end();
    expect(recorded()).not.toContain("canary");
  });

  test.for([
    ["not closed", `{"safeguards":[{"a":"${CANARY}"`],
    ["an invalid value", `{"safeguards":[{"a":"${CANARY}",}]}`],
    ["sent twice", `{"safeguards":["${CANARY}"],"safeguards":["${CANARY}"]}`],
    ["beside an invalid model", `{"model":7,"safeguards":["${CANARY}"],"messages":[]}`],
  ] as const)("of a refused request, %s, are never named", async ([, body]) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/safeguards|canary/);
    expect(recorded()).not.toContain("canary");
  });
});
