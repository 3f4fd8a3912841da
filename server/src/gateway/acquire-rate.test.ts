import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { sql } from "kysely";
import { afterEach, describe, expect, onTestFinished } from "vitest";
import type { Clock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { upsertRateLimit } from "#src/rates/buckets/limit-changes.sql.ts";
import type { PerMinute, RateLimit } from "#src/rates/buckets/limits.sql.ts";
import { makeRateLimiter, type RateLimiter } from "#src/rates/buckets/rate-limiter.ts";
import { test as base } from "#test/harness/database-test.ts";
import { messageEvents, messageJson, messageStart } from "#test/harness/fake-upstream.ts";
import {
  type Answer,
  call,
  messageBody,
  start,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

// Rate limits at the gateway: real buckets in PostgreSQL, a scripted upstream.

/** Clock of the node. The time is frozen, so that nothing refills between two requests. */
const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0 };

const test = base
  .extend(
    "limit",
    ({ db }) =>
      async (
        perMinute: Partial<PerMinute>,
        modelGroup = "all",
        scope: Pick<RateLimit, "scopeType" | "scopeId"> = {
          scopeType: "workspace",
          scopeId: workspaceId,
        },
      ): Promise<string> => {
        const kind = scope.scopeType === "workspace" ? "" : `_${scope.scopeType}`;
        const id = `rlim_${modelGroup}_${organizationId}${kind}`;
        await db.database.transaction().execute((tx) =>
          upsertRateLimit(tx, {
            id,
            organizationId,
            ...scope,
            modelGroup,
            perMinute: { requests: null, input_tokens: null, output_tokens: null, ...perMinute },
          }),
        );
        await rates.refresh();
        return id;
      },
  )
  /** Number of statements that wait for a row of another transaction. */
  .extend("countWaiting", ({ db }) => async (): Promise<number> => {
    const { rows } = await sql`SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db.database);
    return rows.length;
  });

let rates: RateLimiter;
let gateway: TestGateway;
let organizationId: string;
let workspaceId: string;
let headers: Record<string, string>;
let refusals: { kind: string; scope: string }[];
let refused: string[];
test.beforeEach(async ({ db, upstream }) => {
  organizationId = randomUUID();
  workspaceId = `wksp_${organizationId}`;
  await db.database
    .insertInto("organization")
    .values({ id: organizationId, name: "Company" })
    .execute();
  rates = makeRateLimiter({
    database: db.database,
    clock,
    databaseNowMs: () => Date.now(),
    logger: makeLogger("silent"),
  });
  await rates.start();
  refusals = [];
  refused = [];
  upstream.received.length = 0;
  upstream.script = (exchange) => exchange.json(messageJson());
  gateway = await startTestGateway({
    origin: upstream.origin,
    rates,
    onRefused: ({ key }) => void refused.push(key?.id ?? ""),
    metrics: {
      observeRequest: (request) => void gateway.observed.push(request),
      observeRateRefusal: (refusal) => void refusals.push(refusal),
      observeHoldRefusal: () => undefined,
      observeOverrun: () => undefined,
      observeDoubt: () => undefined,
      observeCut: () => undefined,
      observeFasterStream: () => undefined,
      observeStep: () => undefined,
    },
  });
  headers = withKey(gateway.addKey({ organizationId, workspaceId }));
});
afterEach(async () => {
  await gateway.close();
  await rates.stop();
});

const send = (fields: object = {}) => call(gateway.origin, { headers, body: messageBody(fields) });
const count = () =>
  call(gateway.origin, { path: "/v1/messages/count_tokens", headers, body: messageBody() });

function rateHeadersOf(answer: Answer): Record<string, string> {
  const found = Object.entries(answer.headers).filter(([name]) =>
    name.startsWith("anthropic-ratelimit-"),
  );
  return Object.fromEntries(found.map(([name, value]) => [name.slice(20), String(value)]));
}

const RESET = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

describeEachReader(() => {
  describe("a request beyond a limit", () => {
    test("is a 429 in the official body that names the limit, its owner and the time", async ({
      upstream,
      limit,
    }) => {
      const id = await limit({ requests: 2, output_tokens: 60_000 });
      expect((await send()).status).toBe(200);
      const answer = await send();
      expect(answer.status).toBe(429);
      expect(JSON.parse(answer.text)).toEqual({
        type: "error",
        error: {
          type: "rate_limit_error",
          message: `This request would exceed your workspace's rate limit of 2 requests per minute for all models. The exceeded limit is ${id} of workspace ${workspaceId}. Send the request again in 30 seconds.`,
          details: {
            error_code: "rate_limited",
            rate_limit: {
              id,
              scope: { type: "workspace", workspace_id: workspaceId },
              model_group: "all",
              kind: "requests",
              per_minute: 2,
            },
            retry_after_seconds: 30,
          },
        },
        request_id: answer.headers["request-id"],
      });
      expect(answer.headers["retry-after"]).toBe("30");
      expect(answer.headers["x-should-retry"]).toBeUndefined();
      expect(rateHeadersOf(answer)).toEqual({
        "requests-limit": "2",
        "requests-remaining": "0",
        "requests-reset": expect.stringMatching(RESET),
        "output-tokens-limit": "60000",
        "output-tokens-remaining": expect.stringMatching(/^(4995|5000|499\d)$/),
        "output-tokens-reset": expect.stringMatching(RESET),
        "tokens-limit": "60000",
        "tokens-remaining": expect.stringMatching(/^\d+$/),
        "tokens-reset": expect.stringMatching(RESET),
      });
      expect(upstream.received).toHaveLength(1);
      expect(gateway.begins).toHaveLength(1);
    });

    test("of a member counts all keys of the person, and of a group all keys of its members", async ({
      db,
      limit,
    }) => {
      const [ada, group] = [`user_${organizationId}`, `group_${organizationId}`];
      const addKey = (id: string, ownerMemberId: string) => {
        const of = { id, organizationId, workspaceId, ownerMemberId, groupIds: [group] };
        return withKey(gateway.addKey(of));
      };
      const [one, other] = [addKey("apikey_1", ada), addKey("apikey_2", ada)];
      const colleague = addKey("apikey_3", "user_bob");
      const ask = async (own: Record<string, string>) =>
        JSON.parse((await call(gateway.origin, { headers: own, body: messageBody() })).text).error
          ?.message;
      await limit({ requests: 1 }, "all", { scopeType: "member", scopeId: ada });
      expect(await ask(one)).toBeUndefined();
      expect(await ask(other)).toContain("exceed your personal rate limit of 1 request per minute");
      await sql`INSERT INTO member_group (id, organization_id, name)
        VALUES (${group}, ${organizationId}, 'Research')`.execute(db.database);
      await limit({ requests: 1 }, "all", { scopeType: "group", scopeId: group });
      expect(await ask(colleague)).toBeUndefined();
      const named = (name: string) => expect.stringContaining(`of group ${name} (${group})`);
      expect(await ask(colleague)).toEqual(named("Research"));
      await sql`UPDATE member_group SET name = 'Science' WHERE id = ${group}`.execute(db.database);
      await rates.refresh();
      expect(await ask(colleague)).toEqual(named("Science"));
      expect((await send()).status).toBe(200);
      expect(refusals.map(({ scope }) => scope)).toEqual(["member", "group", "group"]);
    });

    test("is counted as a refused request, and leaves no record", async ({ limit }) => {
      await limit({ requests: 1 });
      await send();
      await send();
      expect(refusals).toEqual([{ kind: "requests", scope: "workspace" }]);
      expect(refused).toEqual(["apikey_test"]);
      expect(gateway.observed).toMatchObject([
        { outcome: "answered", status: 200 },
        { outcome: "rejected", status: 429 },
      ]);
      expect(gateway.ends).toHaveLength(1);
    });

    test("affects its own model group only", async ({ limit }) => {
      await limit({ requests: 1 }, "sonnet_4");
      const statuses = [];
      for (const model of ["claude-sonnet-4-5", "claude-sonnet-4-6", "claude-sonnet-5"]) {
        statuses.push((await send({ model })).status);
      }
      expect(statuses).toEqual([200, 429, 200]);
    });
  });

  describe("before the body is read", () => {
    const sendNothing = (path: string) => {
      const socket = connect(gateway.port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      const secret = headers["x-api-key"] ?? "";
      socket.write(`POST ${path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${secret}\r\n`);
      socket.write("content-length: 500000\r\n\r\n{");
      return once(socket, "data").then(([data]) => String(data));
    };

    test("a request beyond the limit of all models is refused", async ({ limit }) => {
      await limit({ requests: 1 });
      await send();
      expect(await sendNothing("/v1/messages")).toMatch(/^HTTP\/1\.1 429 /);
      expect(refusals).toEqual([{ kind: "requests", scope: "workspace" }]);
      expect(gateway.uses.at(-1)).toMatchObject({ secretId: 1, model: null });
    });

    test("a token count beyond the limit of token counting is refused", async ({ limit }) => {
      await limit({ requests: 1 }, "token_count");
      await count();
      expect(await sendNothing("/v1/messages/count_tokens")).toMatch(/^HTTP\/1\.1 429 /);
    });

    test("a request that the model's limit refuses costs nothing of the limit of all models", async ({
      limit,
    }) => {
      // The bucket of all models has two requests.
      await limit({ requests: 40 });
      await limit({ requests: 1 }, "sonnet_4");
      expect((await send()).status).toBe(200);
      const refusedByModel = await send();
      expect(refusedByModel.status).toBe(429);
      expect(refusedByModel.text).toContain("for Claude Sonnet 4.x");
      expect((await send({ model: "claude-sonnet-5" })).status).toBe(200);
    });

    test("each limit is charged once", async ({ limit }) => {
      // Each bucket has one request, and gets the next one after half a minute.
      await limit({ requests: 2 });
      await limit({ requests: 2 }, "sonnet_4");
      expect([(await send()).status, (await send()).status]).toEqual([200, 429]);
    });
  });

  describe("tokens", () => {
    const used = {
      input_tokens: 700,
      cache_creation_input_tokens: 300,
      cache_read_input_tokens: 90_000,
    };

    test.for([
      ["JSON", false],
      ["a stream", true],
    ] as const)(
      "of %s count after use: input and cache writes, and no cache reads",
      async ([_, stream], { upstream, limit }) => {
        await limit({ input_tokens: 6_000 });
        upstream.script = (exchange) =>
          stream ? exchange.stream(streamOf(used)) : exchange.json(messageJson({ usage: used }));
        expect((await send({ stream })).status).toBe(200);
        // The bucket had 500 tokens and 1,000 are used. Room for one more takes five seconds and a token.
        const answer = await send({ stream });
        expect(answer.status).toBe(429);
        expect(answer.text).toContain("rate limit of 6,000 input tokens per minute");
        expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(5);
        expect(Number(answer.headers["retry-after"])).toBeLessThanOrEqual(6);
        expect(rateHeadersOf(answer)["input-tokens-remaining"]).toBe("0");
      },
    );

    test("do not include max_tokens, because only used tokens count", async ({ limit }) => {
      await limit({ output_tokens: 60 });
      expect((await send({ max_tokens: 60_000 })).status).toBe(200);
      // The bucket had five.
      const answer = await send();
      expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "1"]);
    });

    test("are 0 for requests that the upstream did not get or refused", async ({
      upstream,
      limit,
    }) => {
      await limit({ output_tokens: 60 });
      upstream.script = (exchange) =>
        exchange.json(
          { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
          { status: 529 },
        );
      for (let i = 0; i < 3; i++) expect((await send()).status).toBe(529);
      upstream.script = (exchange) => exchange.json(messageJson());
      expect((await send()).status).toBe(200);
    });
  });

  describe("headers of a response", () => {
    const sharedCredential = {
      "anthropic-ratelimit-requests-limit": "4000",
      "anthropic-ratelimit-requests-remaining": "3999",
      "anthropic-ratelimit-requests-reset": "2026-11-25T00:00:00Z",
      "anthropic-ratelimit-output-tokens-limit": "400000",
    };

    test("about counted limits replace those of the shared account, and the others pass", async ({
      upstream,
      limit,
    }) => {
      await limit({ requests: 600 });
      await limit({ requests: 120, input_tokens: 12_000 }, "sonnet_4");
      upstream.script = (exchange) => exchange.json(messageJson(), { headers: sharedCredential });
      expect(rateHeadersOf(await send())).toEqual({
        "requests-limit": "120",
        "requests-remaining": "5",
        "requests-reset": expect.stringMatching(RESET),
        "input-tokens-limit": "12000",
        "input-tokens-remaining": "1000",
        "input-tokens-reset": expect.stringMatching(RESET),
        "tokens-limit": "12000",
        "tokens-remaining": "1000",
        "tokens-reset": expect.stringMatching(RESET),
        "output-tokens-limit": "400000",
      });
    });

    test("of an upstream error are the upstream's", async ({ upstream, limit }) => {
      await limit({ requests: 600 });
      upstream.script = (exchange) =>
        exchange.json(
          { type: "error", error: { type: "rate_limit_error", message: "Too many" } },
          { status: 429, headers: { ...sharedCredential, "retry-after": "7" } },
        );
      const answer = await send();
      expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "7"]);
      expect(rateHeadersOf(answer)["requests-limit"]).toBe("4000");
    });

    test("without a limit are the upstream's", async ({ upstream }) => {
      upstream.script = (exchange) => exchange.json(messageJson(), { headers: sharedCredential });
      expect(rateHeadersOf(await send())["requests-limit"]).toBe("4000");
    });
  });

  describe("requests without a message", () => {
    test("token counts have their own limit, and use nothing of the limit of messages", async ({
      limit,
    }) => {
      await limit({ requests: 1 });
      expect([(await count()).status, (await count()).status]).toEqual([200, 200]);
      await limit({ requests: 1 }, "token_count");
      const first = await count();
      expect([first.status, rateHeadersOf(first)["requests-limit"]]).toEqual([200, "1"]);
      const second = await count();
      expect(second.status).toBe(429);
      expect(second.text).toContain("1 request per minute for token counting");
      expect((await send()).status).toBe(200);
    });

    test("the list of models is not limited", async ({ limit }) => {
      await limit({ requests: 1 });
      await send();
      const models = () => call(gateway.origin, { method: "GET", path: "/v1/models", headers });
      expect([(await models()).status, (await models()).status]).toEqual([200, 200]);
    });
  });

  test("a request whose client leaves during the wait for the buckets is not sent", async ({
    db,
    upstream,
    limit,
    countWaiting,
  }) => {
    await limit({ requests: 600 });
    await db.database.transaction().execute(async (tx) => {
      await tx.insertInto("rate_bucket").values(fullBucket()).execute();
      const leaving = start(gateway.origin, { headers, body: messageBody() });
      await expect.poll(countWaiting).toBe(1);
      const [socket] = gateway.clientSockets;
      const gone = socket ? once(socket, "close") : Promise.reject(new Error("no client"));
      leaving.destroy();
      await gone;
    });
    expect((await send()).status).toBe(200);
    expect(upstream.received).toHaveLength(1);
    expect(gateway.observed).toMatchObject([{ outcome: "abandoned" }, { outcome: "answered" }]);
  });
});

const fullBucket = () => ({
  rate_limit_id: `rlim_all_${organizationId}`,
  kind: "requests",
  level: 30,
  refilled_at: new Date(),
});

/** A stream whose first event has this usage. */
function streamOf(usage: object): string[] {
  const [, ...rest] = messageEvents();
  return [messageStart(usage), ...rest];
}
