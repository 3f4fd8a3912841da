import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import { makeGuardedClient } from "#src/lib/guarded-client.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { test as upstreamTest } from "#test/harness/upstream-test.ts";
import { type TelemetryOutcome, TelemetryRelay } from "./telemetry-relay.ts";

const claims: LaptopClaims = {
  organizationId: "org_1",
  memberId: "user_1",
  laptopId: "laptop_1",
  key: "",
  groupIds: [],
  groupNames: ["Writers"],
  issuedAtMs: 0,
  expiresAtMs: 0,
  billingGroupTag: null,
};
const message = '{"resourceLogs":[{"resource":{}}]}';
const sent = {
  signal: "logs",
  contentType: "application/json",
  isCompressed: false,
  body: Buffer.from(message),
  claims,
} as const;

/** A relay whose outcomes can be awaited in order. */
function makeRelay(url: string, allowed: readonly string[] = ["127.0.0.1"]) {
  const outcomes: TelemetryOutcome[] = [];
  const waiters: (() => void)[] = [];
  const relay = new TelemetryRelay({
    receiver: { url, headers: { authorization: "Bearer receiver" } },
    client: makeGuardedClient({ allowed }),
    findEmail: async () => "ada@example.com",
    observe: (outcome) => {
      outcomes.push(outcome);
      for (const done of waiters.splice(0)) done();
    },
    logger: makeLogger("silent"),
  });
  const next = async () => {
    while (outcomes.length === 0) await new Promise<void>((done) => waiters.push(done));
    return outcomes.shift();
  };
  return { relay, next };
}

upstreamTest(
  "an export reaches the receiver with its headers and the person",
  async ({ upstream }) => {
    upstream.received.splice(0);
    const { relay, next } = makeRelay(`${upstream.origin}/otlp`);
    relay.relay(sent);
    expect(await next()).toBe("relayed");
    relay.relay({ ...sent, isCompressed: true, body: gzipSync(message) });
    expect(await next()).toBe("relayed");
    const [first, second] = upstream.received;
    expect([first?.method, first?.url]).toEqual(["POST", "/otlp/v1/logs"]);
    expect(first?.headers).toMatchObject({
      "content-type": "application/json",
      authorization: "Bearer receiver",
    });
    const values = JSON.parse(String(first?.body)).resourceLogs[0].resource.attributes;
    expect(values).toContainEqual({
      key: "user.email",
      value: { stringValue: "ada@example.com" },
    });
    expect(second?.body).toEqual(first?.body);
  },
);

upstreamTest(
  "an invalid export, and one that the receiver refuses, are counted",
  async ({ upstream }) => {
    const { relay, next } = makeRelay(upstream.origin);
    relay.relay({ ...sent, body: Buffer.from("{") });
    expect(await next()).toBe("invalid");
    const { script } = upstream;
    upstream.script = (exchange) => exchange.json({}, { status: 503 });
    relay.relay(sent);
    expect(await next()).toBe("failed");
    upstream.script = script;
  },
);

upstreamTest(
  "a private receiver that the operator has not allowed gets nothing",
  async ({ upstream }) => {
    upstream.received.splice(0);
    const { relay, next } = makeRelay(upstream.origin, []);
    relay.relay(sent);
    expect(await next()).toBe("failed");
    expect(upstream.received).toEqual([]);
  },
);

test("exports beyond the queue are dropped at once", async () => {
  const outcomes: TelemetryOutcome[] = [];
  const relay = new TelemetryRelay({
    receiver: { url: "https://otel.example.com", headers: {} },
    client: { post: () => new Promise(() => undefined) },
    findEmail: async () => null,
    observe: (outcome) => outcomes.push(outcome),
    logger: makeLogger("silent"),
  });
  for (let count = 0; count < 5; count++) {
    relay.relay({ ...sent, body: Buffer.alloc(4 * 1024 * 1024, " ") });
  }
  expect(outcomes).toEqual(["queue_full"]);
});
