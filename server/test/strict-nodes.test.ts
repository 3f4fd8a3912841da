import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, describe, expect } from "vitest";
import { makePriceBook } from "#src/domain/price-book.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import { parseMessage } from "#src/gateway/parse-message.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";
import { createTestDatabase, type TestDatabase } from "./harness/database.ts";
import { type DatabaseLine, openDatabaseLine } from "./harness/database-line.ts";
import { eventually } from "./harness/eventually.ts";
import { type Exchange, type FakeUpstream, messageJson } from "./harness/fake-upstream.ts";
import { messageBody } from "./harness/gateway.ts";
import { waitUntilLimitsKnown } from "./harness/running-nodes.ts";
import {
  callAdmin,
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";
import { test as base } from "./harness/upstream-test.ts";

// Real processes on one PostgreSQL: killed, stopped, cut off from the database. Spend under a strict limit never
// exceeds it.

const REQUEST = { model: "claude-sonnet-4-5", maxTokens: 100, text: "Hi" };
const WORST = computeWorstCost(
  parseMessage(Buffer.from(messageBody())),
  makePriceBook([]),
  Date.now(),
).nanoUsd;
/** Nearly the worst case: 2,000 input tokens at $3 and 100 output tokens at $15 a million. */
const EXPENSIVE_USAGE = { input_tokens: 2_000, output_tokens: 100 };
const EXPENSIVE_COST = 7_500_000n;
const TTL_MS = 2_000;
/** Pause between two requests of a sender. */
const SENDER_PAUSE_MS = 40;

let db: TestDatabase;
let line: DatabaseLine;

const test = base
  /** Sends requests that reach the upstream and have no response yet. */
  .extend(
    "startRequests",
    ({ upstream }) =>
      async (server: ServerProcess, made: WorkspaceWithKey, count: number) => {
        const { script } = upstream;
        upstream.script = () => undefined;
        const exchanges: Exchange[] = [];
        const answers: Promise<number>[] = [];
        for (let i = 0; i < count; i++) {
          const next = upstream.nextExchange();
          answers.push(
            ask(server, made).then(
              ({ status }) => status,
              () => 0,
            ),
          );
          exchanges.push(await next);
        }
        upstream.script = script;
        return { exchanges, answers };
      },
  );

let env: Record<string, string>;

async function setUp(upstream: FakeUpstream): Promise<void> {
  db = await createTestDatabase();
  line = await openDatabaseLine(db.connectionString);
  upstream.script = (exchange) => exchange.json(messageJson({ usage: EXPENSIVE_USAGE }));
  env = {
    DATABASE_URL: line.connectionString,
    BURSAR_SECRET: TEST_SECRET,
    ANTHROPIC_API_KEY: "test",
    ANTHROPIC_UPSTREAM_URL: upstream.origin,
    BURSAR_LEASE_TTL: `${TTL_MS}ms`,
    BURSAR_HOLD_WAIT: "2s",
  };
}

async function tearDown(): Promise<void> {
  await stopAllServers();
  await line.close();
  await db.drop();
}

async function limited(server: ServerProcess, limitNanoUsd: bigint): Promise<WorkspaceWithKey> {
  const made = await server.workspaceWithKey();
  await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: made.workspaceId,
    monthly_limit_usd: Number(limitNanoUsd) / 1e9,
  });
  return made;
}

/** Creates a limited workspace. Waits until every node has the limit. */
async function createLimitedWorkspace(
  servers: readonly ServerProcess[],
  limitNanoUsd: bigint,
): Promise<WorkspaceWithKey> {
  const [first] = servers;
  if (first === undefined) throw new Error("there is a server");
  const made = await limited(first, limitNanoUsd);
  await waitUntilLimitsKnown(db.database, 30_000);
  return made;
}

async function balanceOf({ workspaceId }: WorkspaceWithKey) {
  const row = await db.database
    .selectFrom("balance_sum")
    .select(["settled_nano_usd", "leased_nano_usd", "unresolved_nano_usd"])
    .where("scope_id", "=", workspaceId)
    .where("period", "=", "monthly")
    .executeTakeFirst();
  return {
    settled: row?.settled_nano_usd ?? 0n,
    leased: row?.leased_nano_usd ?? 0n,
    unresolved: row?.unresolved_nano_usd ?? 0n,
  };
}

const ask = (server: ServerProcess, { key }: WorkspaceWithKey) =>
  sendMessage(server.url, key, REQUEST);

/** Refusals that ask for a retry. A busy machine may delay a query until its timeout. */
const RETRIED = [429, 503, 529];

/** Sends one request after the other until none fits, with pauses. Returns the number of responses. */
async function spendAll(
  server: ServerProcess,
  made: WorkspaceWithKey,
  pauseMs = 0,
): Promise<number> {
  for (let answered = 0; ; ) {
    const { status, text } = await ask(server, made);
    if (status === 200) answered += 1;
    else if (status === 400) return answered;
    else if (!RETRIED.includes(status)) throw new Error(`${status} ${text}`);
    if (pauseMs > 0) await delay(pauseMs);
  }
}

describe("four nodes", () => {
  let servers: ServerProcess[];
  /** Workspaces whose limit is spent. The last test checks them after the stop. */
  const exhausted: { made: WorkspaceWithKey; answered: number; limit: bigint }[] = [];
  /** Workspace whose node was fenced. */
  let fenced: { made: WorkspaceWithKey; limit: bigint };
  test.beforeAll(async ({ upstream }) => {
    await setUp(upstream);
    servers = await Promise.all([1, 2, 3, 4].map(() => startServer({ env })));
  }, 120_000);
  afterAll(tearDown, 60_000);

  test("two nodes share a strict limit exactly under concurrent requests", async () => {
    const spending = servers.slice(2);
    const limit = 40n * WORST;
    const made = await createLimitedWorkspace(spending, limit);
    const spent = await Promise.all(
      spending.flatMap((server) => [spendAll(server, made), spendAll(server, made)]),
    );
    const answered = spent.reduce((sum, each) => sum + each, 0);
    exhausted.push({ made, answered, limit });
  }, 240_000);

  test("a paused node's hold is not available to another node, and a resumed node spends no lost budget", async ({
    startRequests,
  }) => {
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error("there are four nodes");
    const limit = 60n * WORST;
    const made = await createLimitedWorkspace([first, second], limit);
    for (let i = 0; i < 10; i++) expect((await ask(first, made)).status).toBe(200);
    const { exchanges, answers } = await startRequests(first, made, 2);
    process.kill(first.pid, "SIGSTOP");
    // The requests wait in its socket until it continues.
    const waiting = [0, 1, 2, 3].map(() => ask(first, made));
    await eventually(60_000, "the stopped node to be fenced", async () => {
      const { unresolved, leased } = await balanceOf(made);
      return unresolved >= 2n * WORST && leased === 0n ? true : null;
    });
    await spendAll(second, made);
    const { settled, unresolved } = await balanceOf(made);
    expect(settled + unresolved).toBeLessThanOrEqual(limit);
    process.kill(first.pid, "SIGCONT");
    for (const exchange of exchanges) exchange.json(messageJson({ usage: EXPENSIVE_USAGE }));
    expect(await Promise.all(answers)).toEqual([200, 200]);
    const late = (await Promise.all(waiting)).map(({ status }) => status);
    expect(late.every((status) => [200, 400, 429, 503].includes(status))).toBe(true);
    // The node continues without a restart.
    await spendAll(first, made);
    fenced = { made, limit };
    expect(first.output()).toContain("this node was fenced, and has a new epoch");
  }, 240_000);

  test("all nodes lose the database for longer than their leases, report it, and continue without lost or doubled requests", async ({
    startRequests,
  }) => {
    const [first] = servers;
    if (first === undefined) throw new Error("there are four nodes");
    const limit = 60n * WORST;
    const made = await createLimitedWorkspace(servers, limit);
    let answered = 0;
    for (const server of servers) {
      // A node refuses while the database of a busy machine is slow for a moment.
      const isAnswered = async () => ((await ask(server, made)).status === 200 ? true : null);
      for (let i = 0; i < 3; i++) {
        await eventually(30_000, "an answered request", isAnswered);
        answered += 1;
      }
    }
    const hanging: Awaited<ReturnType<typeof startRequests>>[] = [];
    for (const server of servers) hanging.push(await startRequests(server, made, 2));
    line.cut();
    const cutMs = performance.now();
    // Their ends wait in the journals, which no node reads before the database returns.
    for (const { exchanges } of hanging)
      exchanges[0]?.json(messageJson({ usage: EXPENSIVE_USAGE }));
    expect(await Promise.all(hanging.map(({ answers }) => answers[0]))).toEqual(
      servers.map(() => 200),
    );
    const awayMs = TTL_MS * 1.5;
    const refused = await Promise.all(
      servers.map(async (server) => {
        for (;;) {
          const { status, json } = await ask(server, made);
          if (status === 200) answered += 1;
          else if (performance.now() - cutMs > awayMs) return { status, json };
          else expect(status).toBe(503);
          await delay(SENDER_PAUSE_MS);
        }
      }),
    );
    for (const { status, json } of refused) {
      expect(status).toBe(503);
      expect(json).toMatchObject({ type: "error", error: { type: "api_error" } });
    }
    line.restore();
    for (const { exchanges } of hanging)
      exchanges[1]?.json(messageJson({ usage: EXPENSIVE_USAGE }));
    expect(await Promise.all(hanging.map(({ answers }) => answers[1]))).toEqual(
      servers.map(() => 200),
    );
    answered += 2 * servers.length;
    for (const server of servers) {
      await eventually(60_000, "every node to serve", async () =>
        (await ask(server, made)).status === 200 ? true : null,
      );
      answered += 1;
    }
    await eventually(60_000, "no node to be fenced", async () =>
      (await balanceOf(made)).unresolved === 0n ? true : null,
    );
    const spent = await Promise.all(servers.map((server) => spendAll(server, made)));
    answered += spent.reduce((sum, each) => sum + each, 0);
    const check = await eventually(60_000, "every record", async () => {
      const { settled } = await balanceOf(made);
      if (settled < BigInt(answered) * EXPENSIVE_COST) return null;
      return await first.mustAdmin("GET", "/v1/admin/ledger_check");
    });
    expect(check).toMatchObject({ is_correct: true, differences: [] });
    exhausted.push({ made, answered, limit });
  }, 240_000);

  test("a limit that is created during requests, removed and created again counts all spend before it", async () => {
    const spending = servers.slice(2);
    const [first] = spending;
    if (first === undefined) throw new Error("there is a server");
    const made = await first.workspaceWithKey();
    const limitTo = (limit: bigint | null) =>
      first.mustAdmin("POST", "/v1/admin/workspaces/limits", {
        workspace_id: made.workspaceId,
        monthly_limit_usd: limit === null ? null : Number(limit) / 1e9,
      });
    const spend = (pauseMs = 0) =>
      Promise.all(
        spending.flatMap((node) => [spendAll(node, made, pauseMs), spendAll(node, made, pauseMs)]),
      );
    const countRecorded = async () => {
      const rows = db.database.selectFrom("recorded_request").select("request_id");
      return (await rows.where("workspace_id", "=", made.workspaceId).execute()).length;
    };
    // At most 25 requests a second, so that the limit is in force before they have spent it.
    const unlimited = spend(4 * SENDER_PAUSE_MS);
    await eventually(
      60_000,
      "20 recorded requests",
      async () => (await countRecorded()) >= 20 || null,
    );
    await limitTo(120n * WORST);
    const answered = await unlimited;
    await limitTo(null);
    const free = await Promise.all(spending.map((node) => ask(node, made)));
    const isFree = free.map(({ status }) => status);
    const limit = 140n * WORST;
    await limitTo(limit);
    await waitUntilLimitsKnown(db.database, 30_000);
    answered.push(...(await spend()), isFree.filter((status) => status === 200).length);
    exhausted.push({ made, answered: answered.reduce((sum, each) => sum + each, 0), limit });
  }, 240_000);

  test("a stop returns all leases, and each response is settled once", async () => {
    for (const server of servers) await server.stop();
    for (const { made, answered, limit } of exhausted) {
      const settled = BigInt(answered) * EXPENSIVE_COST;
      expect(await balanceOf(made)).toEqual({ settled, leased: 0n, unresolved: 0n });
      expect(settled).toBeLessThanOrEqual(limit);
      expect(settled).toBeGreaterThan(limit - WORST);
      const events = await db.database
        .selectFrom("recorded_request")
        .select("outcome")
        .where("workspace_id", "=", made.workspaceId)
        .execute();
      expect(events).toEqual(Array.from({ length: answered }, () => ({ outcome: "answered" })));
    }
    expect(exhausted).toHaveLength(3);
    const { settled, ...held } = await balanceOf(fenced.made);
    expect(held).toEqual({ leased: 0n, unresolved: 0n });
    expect(settled).toBeLessThanOrEqual(fenced.limit);
    expect(settled).toBeGreaterThan(fenced.limit - WORST);
    expect(await listBalanceDifferences(db.database)).toEqual([]);
    const living = db.database.selectFrom("node_contact").where("lease_expires_at", "is not", null);
    expect(await living.selectAll().execute()).toEqual([]);
  }, 120_000);
});

describe("one node", () => {
  test.beforeEach(({ upstream }) => setUp(upstream), 120_000);
  afterEach(tearDown, 60_000);

  test("running requests of a killed process stay unresolved at their hold until released", async ({
    startRequests,
  }) => {
    const server = await startServer({ env });
    const made = await createLimitedWorkspace([server], 3n * WORST);
    await startRequests(server, made, 3);
    await server.kill();
    const next = await server.restart();
    const { unresolved } = await eventually(60_000, "the crash to be recorded", async () => {
      const balance = await balanceOf(made);
      return balance.unresolved > 0n ? balance : null;
    });
    expect(unresolved).toBe(3n * WORST);
    const refused = await ask(next, made);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("unresolved: $0.02");
    const events = await db.database
      .selectFrom("recorded_request")
      .select(["outcome", "hold_nano_usd as hold"])
      .where("workspace_id", "=", made.workspaceId)
      .execute();
    expect(events).toEqual(
      Array.from({ length: 3 }, () => ({ outcome: "interrupted", hold: WORST })),
    );
    await next.stop();
    const last = await next.restart({ env: { ...env, BURSAR_UNRESOLVED_RELEASE: "1s" } });
    await eventually(60_000, "the money to be released", async () => {
      const answer = await ask(last, made);
      return answer.status === 200 ? answer : null;
    });
    await last.stop();
    expect(await balanceOf(made)).toMatchObject({ leased: 0n, unresolved: 0n });
  }, 240_000);

  test("without the database requests continue while leases last, then get 503, and recover", async ({
    upstream,
  }) => {
    const cheap = { input_tokens: 10, output_tokens: 1 };
    upstream.script = (exchange) => exchange.json(messageJson({ usage: cheap }));
    const ttlMs = 6_000;
    const server = await startServer({
      env: { ...env, BURSAR_LEASE_TTL: `${ttlMs}ms` },
    });
    const made = await createLimitedWorkspace([server], 10_000n * WORST);
    let answered = 0;
    const send = async () => {
      const { status } = await ask(server, made);
      if (status === 200) answered += 1;
      return status;
    };
    const renewedUntil = async () => {
      const living = db.database
        .selectFrom("node_contact")
        .where("lease_expires_at", "is not", null);
      const { lease_expires_at } = await living
        .select("lease_expires_at")
        .executeTakeFirstOrThrow();
      return Number(lease_expires_at);
    };
    // Leases follow the node's traffic. With many senders, one that waits for the machine does not end it.
    const SENDERS = 8;
    const each = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: SENDERS }, work));
    const serve = async () => {
      for (const status of await each(send)) expect(status).toBe(200);
      await delay(SENDER_PAUSE_MS);
    };
    const warmUntilMs = performance.now() + 2_000;
    while (performance.now() < warmUntilMs) await serve();
    // Just after a renewal, leases have their full duration left.
    const renewedAt = await renewedUntil();
    while ((await renewedUntil()) === renewedAt) await serve();
    line.cut();
    const cutMs = performance.now();
    // The node also keeps unused leases for a while, because no message can release them now.
    await delay(ttlMs / 2);
    let firstRefusedMs = Number.POSITIVE_INFINITY;
    const statuses = new Set<number>();
    await each(async () => {
      for (;;) {
        const sentMs = performance.now() - cutMs;
        if (sentMs > ttlMs + 1_000) return;
        const status = await send();
        statuses.add(status);
        if (status !== 200) firstRefusedMs = Math.min(firstRefusedMs, sentMs);
        await delay(SENDER_PAUSE_MS);
      }
    });
    expect(statuses).toEqual(new Set([200, 503]));
    expect(firstRefusedMs).toBeGreaterThan((ttlMs * 2) / 3);
    const lost = await ask(server, made);
    expect(lost.json).toMatchObject({ type: "error", error: { type: "api_error" } });
    line.restore();
    await eventually(60_000, "requests to be served again", async () =>
      (await send()) === 200 ? true : null,
    );
    // A stop gives up a message that still waits on the cut line, and leases stay. After another renewal there is none.
    const servedAt = await renewedUntil();
    await eventually(60_000, "another renewal", async () => {
      await send();
      return (await renewedUntil()) === servedAt ? null : true;
    });
    await server.stop();
    expect(await balanceOf(made)).toEqual({
      settled: BigInt(answered) * 45_000n,
      leased: 0n,
      unresolved: 0n,
    });
  }, 240_000);
});

describe("one node without a strict limit", () => {
  let server: ServerProcess;
  test.beforeAll(async ({ upstream }) => {
    await setUp(upstream);
    server = await startServer({ env });
  }, 120_000);
  afterAll(tearDown, 60_000);

  test("requests leave no rows in the lease table", async () => {
    const made = await server.workspaceWithKey();
    expect((await ask(server, made)).status).toBe(200);
    expect(await db.database.selectFrom("lease").selectAll().execute()).toEqual([]);
    const metrics = await callAdmin(server.url, null, "GET", "/metrics");
    expect(metrics.text).toContain("bursar_holds_waiting 0");
  }, 60_000);

  test("running requests at the creation of the first strict limit stay unresolved at their worst case when the node is killed", async ({
    startRequests,
  }) => {
    const made = await server.workspaceWithKey();
    await startRequests(server, made, 2);
    await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
      workspace_id: made.workspaceId,
      monthly_limit_usd: Number(3n * WORST) / 1e9,
    });
    await waitUntilLimitsKnown(db.database, 30_000);
    await server.kill();
    const next = await server.restart();
    const { unresolved } = await eventually(60_000, "the crash to be recorded", async () => {
      const balance = await balanceOf(made);
      return balance.unresolved > 0n ? balance : null;
    });
    expect(unresolved).toBe(2n * WORST);
    expect((await ask(next, made)).status).toBe(200);
    // Until then its hold could free budget, and the refusal would be a 429.
    await eventually(60_000, "the answered request to be counted", async () => {
      const { settled } = await balanceOf(made);
      return settled === EXPENSIVE_COST ? true : null;
    });
    const refused = await ask(next, made);
    expect(refused.status).toBe(400);
    await next.stop();
    expect(await balanceOf(made)).toEqual({
      settled: EXPENSIVE_COST,
      leased: 0n,
      unresolved: 2n * WORST,
    });
  }, 240_000);
});
