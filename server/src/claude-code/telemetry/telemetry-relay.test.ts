import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import { type GuardedClient, makeGuardedClient } from "#src/lib/guarded-client.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { test as upstreamTest } from "#test/harness/upstream-test.ts";
import type { Receiver } from "./receiver.ts";
import type { TelemetryOutcome } from "./receiver-sender.ts";
import { TelemetryRelay } from "./telemetry-relay.ts";

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

const receiver: Receiver = {
  id: "telrcv_1",
  organizationId: "org_1",
  version: 1,
  url: "https://otel.example.com",
  headers: { authorization: "Bearer receiver" },
  signals: ["metrics", "logs", "traces"],
};

interface Outcomes {
  relay: TelemetryRelay;
  outcomes: TelemetryOutcome[];
  /** Waits for the next outcome. */
  next: () => Promise<TelemetryOutcome | undefined>;
}

/** A relay whose outcomes can be awaited in order. */
function makeRelay(client: Pick<GuardedClient, "post">, ...receivers: Receiver[]): Outcomes {
  const outcomes: TelemetryOutcome[] = [];
  const waiters: (() => void)[] = [];
  const relay = new TelemetryRelay({
    environment: null,
    client,
    findEmail: async () => "ada@example.com",
    observe: (outcome) => {
      outcomes.push(outcome);
      for (const done of waiters.splice(0)) done();
    },
    nowMs: () => 1_000,
    logger: makeLogger("silent"),
  });
  relay.setReceivers(receivers);
  const next = async () => {
    while (outcomes.length === 0) await new Promise<void>((done) => waiters.push(done));
    return outcomes.shift();
  };
  return { relay, outcomes, next };
}

const allowed = makeGuardedClient({ allowed: ["127.0.0.1"] });

describe("an export", () => {
  upstreamTest("reaches the receiver with its headers and the person", async ({ upstream }) => {
    upstream.received.splice(0);
    const { relay, next } = makeRelay(allowed, { ...receiver, url: `${upstream.origin}/otlp` });
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
    expect(relay.findHealth(receiver)).toEqual({
      ...{ relayedAtMs: 1_000, failedAtMs: null, failure: null },
    });
  });

  upstreamTest("is counted if it is invalid or the receiver refuses it", async ({ upstream }) => {
    const { relay, next } = makeRelay(allowed, { ...receiver, url: upstream.origin });
    relay.relay({ ...sent, body: Buffer.from("{") });
    expect(await next()).toBe("invalid");
    const { script } = upstream;
    upstream.script = (exchange) => exchange.json({}, { status: 503 });
    relay.relay(sent);
    expect(await next()).toBe("failed");
    upstream.script = script;
    expect(relay.findHealth(receiver)).toMatchObject({ failedAtMs: 1_000, failure: "HTTP 503." });
  });

  upstreamTest("is not sent to a private receiver without permission", async ({ upstream }) => {
    upstream.received.splice(0);
    const client = makeGuardedClient({ allowed: [] });
    const { relay, next } = makeRelay(client, { ...receiver, url: upstream.origin });
    relay.relay(sent);
    expect(await next()).toBe("failed");
    expect(upstream.received).toEqual([]);
  });

  test("is not sent without the headers that cannot be decrypted", async () => {
    const { relay, next } = makeRelay(answering(), { ...receiver, headers: null });
    relay.relay(sent);
    expect(await next()).toBe("failed");
    expect(relay.findHealth(receiver)?.failure).toContain("cannot be decrypted");
  });
});

/** A client that records addresses. A host whose name begins with "slow" never answers. */
function answering(): Pick<GuardedClient, "post"> & { urls: string[] } {
  const urls: string[] = [];
  return {
    urls,
    post: async ({ url }) => {
      urls.push(url);
      if (new URL(url).host.startsWith("slow")) return new Promise(() => undefined);
      return { kind: "answered", status: 200, retryAfter: null, contentType: null, text: "" };
    },
  };
}

describe("receivers", () => {
  test("get the telemetry of their own organization and signals", async () => {
    const client = answering();
    const { relay, next } = makeRelay(
      client,
      { ...receiver, id: "a", url: "https://a" },
      { ...receiver, id: "b", url: "https://b", signals: ["metrics"] },
      { ...receiver, id: "c", url: "https://c", organizationId: "org_2" },
    );
    relay.relay(sent);
    expect(await next()).toBe("relayed");
    relay.relay({ ...sent, claims: { ...claims, organizationId: "org_2" } });
    expect(await next()).toBe("relayed");
    relay.relay({ ...sent, claims: { ...claims, organizationId: "org_3" } });
    relay.relay({ ...sent, signal: "metrics" });
    expect([await next(), await next()]).toEqual(["relayed", "relayed"]);
    expect(client.urls).toEqual([
      "https://a/v1/logs",
      "https://c/v1/logs",
      "https://a/v1/metrics",
      "https://b/v1/metrics",
    ]);
  });

  test("get a whole queue each, so a slow one delays no other", async () => {
    const { relay, next } = makeRelay(
      answering(),
      { ...receiver, id: "slow", url: "https://slow" },
      { ...receiver, id: "fast", url: "https://fast" },
    );
    const contentType = "application/x-protobuf";
    // One unknown field of 3 MB.
    const body = Buffer.concat([Buffer.from([18, 128, 128, 192, 1]), Buffer.alloc(3 * 1024 ** 2)]);
    const outcomes: unknown[] = [];
    for (let count = 0; count < 3; count++) {
      relay.relay({ ...sent, contentType, body });
      outcomes.push(await next());
    }
    // The third one is over the person's half of the slow one's queue.
    expect(outcomes).toEqual(["relayed", "relayed", "queue_full"]);
    expect(await next()).toBe("relayed");
    const slow = { ...receiver, id: "slow" };
    expect(relay.findHealth(slow)?.failure).toContain("Too much waits");
    expect(relay.findHealth({ ...receiver, id: "fast" })?.failure).toBeNull();
  });

  test("that are removed get nothing more, and keep no health", async () => {
    const client = answering();
    const { relay } = makeRelay(client, receiver);
    relay.setReceivers([]);
    relay.relay(sent);
    expect(client.urls).toEqual([]);
    expect(relay.findHealth(receiver)).toBeNull();
  });

  test("that change get what waits at their new address", async () => {
    const client = answering();
    const { relay, next } = makeRelay(client, receiver);
    relay.setReceivers([{ ...receiver, version: 2, url: "https://new" }]);
    relay.relay(sent);
    expect(await next()).toBe("relayed");
    expect(client.urls).toEqual(["https://new/v1/logs"]);
    expect(relay.takeNews()).toMatchObject([{ receiver: { version: 2 } }]);
    expect(relay.takeNews()).toEqual([]);
  });
});

test("exports of a person beyond half of the queue are dropped at once, and those of others wait", () => {
  const { relay, outcomes } = makeRelay(answering(), receiver);
  const body = Buffer.alloc(4 * 1024 * 1024, " ");
  for (let count = 0; count < 3; count++) relay.relay({ ...sent, body });
  expect(outcomes).toEqual(["queue_full"]);
  relay.relay({ ...sent, body, claims: { ...claims, memberId: "user_2" } });
  expect(outcomes).toEqual(["queue_full"]);
});

test("an export that decompresses to over 8 MB is invalid", async () => {
  const { relay, next } = makeRelay(answering(), receiver);
  const spaces = Buffer.alloc(8 * 1024 * 1024, " ");
  relay.relay({ ...sent, isCompressed: true, body: gzipSync(Buffer.concat([spaces, sent.body])) });
  expect(await next()).toBe("invalid");
  relay.relay(sent);
  expect(await next()).toBe("relayed");
});

test("an export after the end of the thread starts another one", async () => {
  const { relay, next } = makeRelay(answering(), receiver);
  relay.relay(sent);
  expect(await next()).toBe("relayed");
  await relay.close();
  relay.relay(sent);
  expect(await next()).toBe("relayed");
});
