import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { makeKeyCache } from "#src/access/key-cache.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { worstCaseCost } from "#src/domain/worst-case.ts";
import type { GatewayDeps } from "#src/gateway/handle-request.ts";
import { parseMessage } from "#src/gateway/parse-message.ts";
import { type NewSpendLimit, upsertSpendLimit } from "#src/ledger/limits.sql.ts";
import { systemClock } from "#src/lib/clock.ts";
import { createTestDatabase, type TestDatabase } from "./harness/database.ts";
import {
  type Exchange,
  type FakeUpstream,
  messageEvents,
  messageJson,
  messageStart,
  startFakeUpstream,
  textDelta,
} from "./harness/fake-upstream.ts";
import {
  call,
  defaultKey,
  messageBody,
  start,
  startTestGateway,
  type TestGateway,
  withKey,
} from "./harness/gateway.ts";
import { type SpendNode, startSpendNode } from "./harness/spend-node.ts";

// Strict limits from the client's side: a gateway on a socket, before a fake upstream, with the journal, the ledger and
// the leases of one node on PostgreSQL.

/** 10 input and 5 output tokens of claude-sonnet-4-5, which the fake upstream answers unless it is told otherwise. */
const COST = 105_000n;
const WORST = worstCaseOf(messageBody());
const HOLD_WAIT_MS = 300;

let db: TestDatabase;
let upstream: FakeUpstream;
let node: SpendNode;
let gateway: TestGateway;
let directory: string;
let scope: { organizationId: string; workspaceId: string; apiKeyId: string };
let secret: string;
let refusals: string[];
let overruns: bigint[];

beforeAll(async () => {
  db = await createTestDatabase();
  upstream = await startFakeUpstream();
});

afterAll(async () => {
  await upstream.close();
  await db.drop();
});

beforeEach(async () => {
  scope = {
    organizationId: randomUUID(),
    workspaceId: `wksp_${randomUUID()}`,
    apiKeyId: `apikey_${randomUUID()}`,
  };
  const organization = { id: scope.organizationId, name: "Acme" };
  await db.database.insertInto("organization").values(organization).execute();
  upstream.script = (exchange) => exchange.json(messageJson());
  upstream.received.length = 0;
  refusals = [];
  overruns = [];
  directory = await mkdtemp(join(tmpdir(), "bursar-strict-"));
  await startNode();
});

afterEach(async () => {
  await gateway.close();
  await node.stop();
  await rm(directory, { recursive: true });
});

async function startNode(
  options: Partial<Parameters<typeof startSpendNode>[0]> = {},
  overrides: Partial<GatewayDeps> = {},
): Promise<void> {
  node = await startSpendNode({
    database: db.database,
    directory,
    nodeId: `node_${scope.organizationId}`,
    holdWaitMs: HOLD_WAIT_MS,
    flushEveryMs: 20,
    listRunning: (organizationId) => gateway.gateway.listUnheld(organizationId),
    ...options,
  });
  gateway = await startTestGateway({
    origin: upstream.origin,
    ledger: node.ledger,
    leases: node.leases,
    meter: node.meter,
    metrics: {
      observeRequest: () => undefined,
      observeRateRefusal: () => undefined,
      observeHoldRefusal: (reason) => void refusals.push(reason),
      observeOverrun: (nanoUsd) => void overruns.push(nanoUsd),
    },
    ...overrides,
  });
  const { apiKeyId: id, organizationId, workspaceId } = scope;
  secret = gateway.addKey({ id, organizationId, workspaceId });
}

async function restart(...as: Parameters<typeof startNode>): Promise<void> {
  await gateway.close();
  await node.stop();
  await startNode(...as);
}

function worstCaseOf(body: string): bigint {
  return worstCaseCost(parseMessage(Buffer.from(body)), makePriceBook([]), Date.now()).nanoUsd;
}

async function limit(
  amountNanoUsd: bigint,
  fields: Partial<Omit<NewSpendLimit, "id" | "organizationId">> = {},
): Promise<void> {
  await upsertSpendLimit(db.database, {
    id: `spl_${randomUUID()}`,
    organizationId: scope.organizationId,
    scopeType: "workspace",
    scopeId: scope.workspaceId,
    period: "monthly",
    enforcement: "strict",
    amountNanoUsd,
    ...fields,
  });
  await node.ledger.refresh();
}

async function balance(scopeId = scope.workspaceId) {
  const row = await db.database
    .selectFrom("balance")
    .select(["settled_nano_usd", "leased_nano_usd", "unresolved_nano_usd", "overrun_nano_usd"])
    .where("scope_id", "=", scopeId)
    .where("period", "=", "monthly")
    .executeTakeFirst();
  return {
    settled: row?.settled_nano_usd ?? 0n,
    leased: row?.leased_nano_usd ?? 0n,
    unresolved: row?.unresolved_nano_usd ?? 0n,
    overrun: row?.overrun_nano_usd ?? 0n,
  };
}

function ask(body = messageBody()) {
  return call(gateway.origin, { headers: withKey(secret), body });
}

async function refusalOf(body = messageBody()) {
  const answer = await ask(body);
  const { error, request_id } = JSON.parse(answer.text) as {
    error: { type: string; message: string };
    request_id: string;
  };
  expect(answer.headers["request-id"]).toBe(request_id);
  return {
    status: answer.status,
    type: error.type,
    message: error.message,
    shouldRetry: answer.headers["x-should-retry"],
    retryAfter: answer.headers["retry-after"],
  };
}

/** What reached the upstream, without token counts. */
function messagesSent(): number {
  return upstream.received.filter(({ url }) => url === "/v1/messages").length;
}

/** A request that the upstream has and does not answer yet. */
async function hang(): Promise<{ exchange: Exchange; answer: ReturnType<typeof ask> }> {
  const { script } = upstream;
  upstream.script = () => undefined;
  const next = upstream.nextExchange();
  const answer = ask();
  const exchange = await next;
  upstream.script = script;
  return { exchange, answer };
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAtMs = performance.now() + 5_000;
  while (!(await what())) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited in vain: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe.each([
  ["a JSON answer", messageBody()],
  ["a stream", messageBody({ stream: true })],
])("%s under a strict limit", (_, body) => {
  beforeEach(() => {
    upstream.script = async (exchange) => {
      const { stream } = JSON.parse(exchange.received.body.toString()) as { stream?: boolean };
      if (stream !== true) return exchange.json(messageJson());
      await exchange.stream(messageEvents());
    };
  });

  test("is sent when its worst case fits, and leaves exactly its cost behind", async () => {
    await limit(worstCaseOf(body));
    expect((await ask(body)).status).toBe(200);
    await node.meter.flush();
    await until(async () => (await balance()).leased === 0n);
    expect(await balance()).toEqual({ settled: COST, leased: 0n, unresolved: 0n, overrun: 0n });
  });

  test("too large for what remains: 400 that says what it can cost and what remains, and no retry", async () => {
    const worst = worstCaseOf(body);
    await limit(worst - 1n);
    const refused = await refusalOf(body);
    expect(refused).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      shouldRetry: "false",
      retryAfter: undefined,
    });
    expect(refused.message).toMatch(
      /^\$0\.\d+ remains of a spend limit, less than this request can cost\. It can cost up to \$0\.\d+: /,
    );
    expect(refused.message).toContain(`of workspace ${scope.workspaceId} is $0.`);
    expect(refused.message).toContain("max_tokens 100");
    expect(messagesSent()).toBe(0);
    expect(refusals).toEqual(["too_large"]);
  });

  test("against a spent limit: 400 with the official words first, and no retry", async () => {
    await limit(0n);
    const { message, ...rest } = await refusalOf(body);
    expect(rest).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      shouldRetry: "false",
    });
    expect(message).toMatch(
      /^You have reached your specified workspace API usage limits\. You will regain access on \d{4}-\d\d-01 at 00:00 UTC\. /,
    );
    expect(message).toContain("spent: $0.00. Held by running requests: $0.00; unresolved: $0.00.");
    expect(upstream.received).toEqual([]);
  });

  test("with less left than any request can cost: the official words first, too", async () => {
    await limit(COST + 1n);
    const { message, ...rest } = await refusalOf(body);
    expect(rest).toMatchObject({ status: 400, shouldRetry: "false" });
    expect(message).toMatch(/^You have reached your specified workspace API usage limits\. /);
    expect(message).toMatch(/What is left is less than any request to this model can cost\./);
    expect(upstream.received).toEqual([]);
  });

  test("while others hold what remains: waits, then 429 to come again shortly", async () => {
    await limit(worstCaseOf(body));
    const { exchange, answer } = await hang();
    const startedMs = performance.now();
    const refused = await refusalOf(body);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(HOLD_WAIT_MS - 1);
    expect(refused).toMatchObject({
      status: 429,
      type: "rate_limit_error",
      shouldRetry: undefined,
      retryAfter: "2",
    });
    expect(refused.message).toContain("Running requests hold what remains of a spend limit.");
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
  });
});

describe("requests that wait for budget", () => {
  beforeEach(() => restart({ holdWaitMs: 5_000 }));

  test("go on when a running one ends, first in, first out", async () => {
    await limit(WORST + 2n * COST);
    const { exchange, answer } = await hang();
    const order: number[] = [];
    const asked = [0, 1].map(async (at) => {
      if (at === 1) await until(() => node.leases.status().waiting === 1);
      const { status } = await ask();
      order.push(at);
      return status;
    });
    await until(() => node.leases.status().waiting === 2);
    exchange.json(messageJson());
    expect([(await answer).status, ...(await Promise.all(asked))]).toEqual([200, 200, 200]);
    expect(order).toEqual([0, 1]);
  });

  test("give up their place when their client leaves, and are never sent", async () => {
    await limit(WORST + COST);
    const { exchange, answer } = await hang();
    const leaving = start(gateway.origin, { headers: withKey(secret), body: messageBody() });
    await until(() => node.leases.status().waiting === 1);
    leaving.destroy();
    await until(() => node.leases.status().waiting === 0);
    await until(() => gateway.gateway.stats().inFlight === 1);
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    expect((await ask()).status).toBe(200);
    expect(messagesSent()).toBe(2);
  });

  test("are refused when their key is revoked meanwhile, and what they held is free", async () => {
    let status: "active" | "inactive" = "active";
    const { apiKeyId: id, organizationId, workspaceId } = scope;
    const found = { ...defaultKey, id, organizationId, workspaceId };
    const keys = makeKeyCache({
      lookup: (hashes) => Promise.resolve(hashes.map(() => ({ ...found, status }))),
      msSinceContact: () => 0,
      leaseTtlMs: 120_000,
      clock: systemClock,
    });
    await restart({ holdWaitMs: 5_000 }, { keys });
    await limit(WORST + COST);
    const { exchange, answer } = await hang();
    const waiting = ask();
    await until(() => node.leases.status().waiting === 1);
    status = "inactive";
    keys.forget("anything");
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    expect((await waiting).status).toBe(401);
    status = "active";
    keys.forget("anything");
    expect((await ask()).status).toBe(200);
    expect(messagesSent()).toBe(2);
  });

  test("are told to come again when the server stops and can wait no longer", async () => {
    await limit(WORST);
    const { exchange, answer } = await hang();
    const waiting = ask();
    await until(() => node.leases.status().waiting === 1);
    const drained = gateway.gateway.drain(0);
    const stopped = await waiting;
    expect([stopped.status, stopped.headers["retry-after"]]).toEqual([503, "1"]);
    await answer;
    await exchange.closed;
    expect(exchange.isCut()).toBe(true);
    await drained;
  });
});

describe("a hold is released at once", () => {
  test("when the upstream refuses, since that costs nothing", async () => {
    await limit(WORST);
    upstream.script = (exchange) => exchange.json({ type: "error" }, { status: 529 });
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(529);
    expect(refusals).toEqual([]);
  });

  test("when the upstream cannot be reached", async () => {
    await limit(WORST);
    const gone = await startFakeUpstream();
    await gone.close();
    await restart({}, {});
    await gateway.close();
    gateway = await startTestGateway({
      origin: gone.origin,
      ledger: node.ledger,
      leases: node.leases,
      meter: node.meter,
    });
    const { apiKeyId: id, organizationId, workspaceId } = scope;
    secret = gateway.addKey({ id, organizationId, workspaceId });
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(502);
  });

  test("when the journal takes no record", async () => {
    await limit(WORST);
    await gateway.close();
    let fails: boolean = true;
    gateway = await startTestGateway({
      origin: upstream.origin,
      ledger: node.ledger,
      leases: node.leases,
      meter: {
        end: (record) => node.meter.end(record),
        begin(record) {
          if (fails) throw new Error("disk full");
          node.meter.begin(record);
        },
      },
    });
    const { apiKeyId: id, organizationId, workspaceId } = scope;
    secret = gateway.addKey({ id, organizationId, workspaceId });
    expect((await ask()).status).toBe(500);
    fails = false;
    expect((await ask()).status).toBe(200);
  });
});

describe("a long prompt whose bytes do not fit", () => {
  const body = messageBody({ messages: [{ role: "user", content: "word ".repeat(20_000) }] });
  let counted: { tokens: number | null; asked: string[] };

  beforeEach(() => {
    counted = { tokens: 20_000, asked: [] };
    upstream.script = (exchange) => {
      if (!exchange.received.url.includes("count_tokens")) return exchange.json(messageJson());
      counted.asked.push(exchange.received.body.toString());
      if (counted.tokens === null) return exchange.json({ type: "error" }, { status: 500 });
      return exchange.json({ input_tokens: counted.tokens });
    };
  });

  test("is counted by the upstream, once, and sent when that fits", async () => {
    await limit(150_000_000n);
    expect(worstCaseOf(body)).toBeGreaterThan(150_000_000n);
    expect((await ask(body)).status).toBe(200);
    expect(counted.asked.map((text) => JSON.parse(text))).toEqual([
      { model: "claude-sonnet-4-5", messages: JSON.parse(body).messages },
    ]);
    await node.meter.flush();
    const { hold_nano_usd } = await db.database
      .selectFrom("usage_event")
      .select("hold_nano_usd")
      .where("workspace_id", "=", scope.workspaceId)
      .executeTakeFirstOrThrow();
    expect(hold_nano_usd).toBe(21_024n * 3_000n + 100n * 15_000n);
  });

  test("is refused by the count where that does not fit either", async () => {
    await limit(50_000_000n);
    expect((await refusalOf(body)).message).toContain("as counted, with a margin");
    expect([counted.asked.length, messagesSent()]).toEqual([1, 0]);
  });

  test("is refused by its bytes where the count fails", async () => {
    counted.tokens = null;
    await limit(150_000_000n);
    expect((await refusalOf(body)).message).toContain("by its bytes and images");
    expect([counted.asked.length, messagesSent()]).toEqual([1, 0]);
  });

  test("is not counted where it fits, nor where no count could help", async () => {
    await limit(worstCaseOf(body));
    expect((await ask(body)).status).toBe(200);
    await limit(COST + 1_000_000n);
    expect((await refusalOf(body)).status).toBe(400);
    expect(counted.asked).toEqual([]);
  });
});

describe("an open-ended request", () => {
  const search = { type: "web_search_20250305", name: "web_search", max_uses: 2 };
  const body = messageBody({ tools: [search] });

  test("needs headroom for all the calls that it may make", async () => {
    const worst = worstCaseOf(body);
    await limit(worst - 1n);
    expect((await refusalOf(body)).message).toContain(
      "web_search_20250305 may bill the prompt again with each use; max_uses is 2.",
    );
    await limit(worst);
    expect((await ask(body)).status).toBe(200);
  });

  test("is held at what a limit chose; what it costs beyond that is counted and shown", async () => {
    await limit(1_000_000n, { openEndedHoldNanoUsd: 50_000n });
    await limit(worstCaseOf(body), { scopeType: "organization", scopeId: scope.organizationId });
    expect((await ask(body)).status).toBe(200);
    await node.meter.flush();
    expect(await balance()).toMatchObject({ settled: COST, overrun: COST - 50_000n });
    expect(await balance(scope.organizationId)).toMatchObject({ settled: COST, overrun: 0n });
    expect(overruns).toEqual([]);
  });

  test("that exceeds its hold everywhere is an overrun of the request", async () => {
    await limit(1_000_000n, { openEndedHoldNanoUsd: 50_000n });
    expect((await ask(body)).status).toBe(200);
    expect(overruns).toEqual([COST - 50_000n]);
  });

  test("of unknown end turns unresolved with what each limit held", async () => {
    await limit(1_000_000n, { openEndedHoldNanoUsd: 50_000n });
    const worst = worstCaseOf(body);
    await limit(worst, { scopeType: "organization", scopeId: scope.organizationId });
    upstream.script = (exchange) => exchange.reset();
    expect((await ask(body)).status).toBe(502);
    await node.meter.flush();
    expect((await balance()).unresolved).toBe(50_000n);
    expect((await balance(scope.organizationId)).unresolved).toBe(worst);
  });

  test("that is billed by the hour is refused, and not under other limits", async () => {
    const code = messageBody({
      tools: [{ type: "code_execution_20250825", name: "code_execution" }],
    });
    await limit(10n ** 15n);
    const refused = await refusalOf(code);
    expect(refused).toMatchObject({ status: 400, shouldRetry: "false" });
    expect(refused.message).toMatch(/^A strict spend limit cannot hold this request\. /);
    expect(refused.message).toContain("Code execution is billed by the hour");
    expect(refusals).toEqual(["unbounded"]);
    await limit(10n ** 15n, { enforcement: "soft" });
    expect((await ask(code)).status).toBe(200);
  });
});

describe("a request of unknown end", () => {
  test("leaves its hold unresolved, which refuses others until it is released", async () => {
    await restart({ unresolvedReleaseMs: 1_500, ttlMs: 2_000 });
    await limit(WORST);
    upstream.script = (exchange) => exchange.reset();
    expect((await ask()).status).toBe(502);
    upstream.script = (exchange) => exchange.json(messageJson());
    await node.meter.flush();
    expect(await balance()).toMatchObject({ settled: 0n, unresolved: WORST });
    const refused = await refusalOf();
    expect(refused.status).toBe(400);
    expect(refused.message).toMatch(/unresolved: \$0\.\d+\. To ask for a higher limit, /);
    await until(async () => (await balance()).unresolved === 0n);
    expect((await ask()).status).toBe(200);
  });

  test("of which some usage was seen costs that and leaves nothing unresolved", async () => {
    await limit(2n * WORST);
    upstream.script = async (exchange) => {
      exchange.startStream();
      await exchange.write(messageStart() + textDelta("abc"));
      exchange.reset();
    };
    expect((await ask(messageBody({ stream: true }))).text).toContain("event: error");
    await until(() => gateway.gateway.stats().inFlight === 0);
    await node.meter.flush();
    expect(await balance()).toMatchObject({ unresolved: 0n });
    expect((await balance()).settled).toBeGreaterThan(0n);
  });
});

describe("limits of several kinds in one chain", () => {
  test("each act as they say: strict holds, soft blocks when spent, alert_only does nothing", async () => {
    await limit(0n, { scopeType: "api_key", scopeId: scope.apiKeyId, enforcement: "alert_only" });
    await limit(COST, {
      scopeType: "organization",
      scopeId: scope.organizationId,
      enforcement: "soft",
    });
    await limit(WORST);
    expect((await ask()).status).toBe(200);
    expect((await refusalOf()).message).toMatch(
      /^You have reached your specified API usage limits\./,
    );
    await limit(10n * COST, {
      scopeType: "organization",
      scopeId: scope.organizationId,
      enforcement: "soft",
    });
    expect((await refusalOf()).message).toContain("less than this request can cost");
  });

  test("all strict ones hold, or none: what one refuses is not held by another", async () => {
    await limit(WORST);
    await limit(WORST - 1n, { scopeType: "organization", scopeId: scope.organizationId });
    expect((await refusalOf()).message).toContain(`of organization ${scope.organizationId}`);
    await limit(WORST, { scopeType: "organization", scopeId: scope.organizationId });
    expect((await ask()).status).toBe(200);
  });
});

describe("without a strict limit", () => {
  test("nothing is held and the record says so; token counts are free under any limit", async () => {
    expect((await ask()).status).toBe(200);
    await node.meter.flush();
    const event = await db.database
      .selectFrom("usage_event")
      .select("hold_nano_usd")
      .where("workspace_id", "=", scope.workspaceId)
      .executeTakeFirstOrThrow();
    expect(event).toEqual({ hold_nano_usd: null });
    await limit(0n);
    upstream.script = (exchange) => exchange.json({ input_tokens: 5 });
    const counted = await call(gateway.origin, {
      path: "/v1/messages/count_tokens",
      headers: withKey(secret),
      body: messageBody(),
    });
    expect(counted.status).toBe(200);
  });

  test("a limit that is made counts what runs already at its worst", async () => {
    const { exchange, answer } = await hang();
    await limit(2n * WORST - 1n);
    await until(async () => (await balance()).leased === WORST);
    expect((await refusalOf()).status).toBe(429);
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    expect((await ask()).status).toBe(200);
    await node.meter.flush();
    await until(async () => (await balance()).leased === 0n);
    expect(await balance()).toMatchObject({ settled: 2n * COST, unresolved: 0n });
  });
});

test("a warm node asks the database for no single request", async () => {
  const requests = 600;
  await restart({ flushEveryMs: 3_600_000 });
  await limit(10_000n * WORST);
  const askAll = (count: number) => Promise.all(Array.from({ length: count }, () => ask()));
  for (let i = 0; i < 20; i++) await askAll(10);
  const query = vi.spyOn(pg.Client.prototype, "query");
  try {
    const startedMs = performance.now();
    for (let sent = 0; sent < requests; sent += 10) {
      for (const { status } of await askAll(10)) expect(status).toBe(200);
    }
    // A message each quarter of a second, of about ten statements, however many requests there are.
    const messages = (performance.now() - startedMs) / 250 + 5;
    expect(query.mock.calls.length).toBeLessThan(messages * 16);
    expect(query.mock.calls.length).toBeLessThan(requests);
  } finally {
    query.mockRestore();
  }
});
