import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, afterEach, describe, expect } from "vitest";
import { type Database, openDatabase } from "#src/db/pool.ts";
import { noTokens } from "#src/domain/usage.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { type DatabaseLine, openDatabaseLine } from "#test/harness/database-line.ts";
import { test as base } from "#test/harness/database-test.ts";
import { maxRequestsPerWindow } from "./bucket.ts";
import { queryBuckets, readLevels } from "./buckets.sql.ts";
import { deleteRateLimit, upsertRateLimit } from "./limit-changes.sql.ts";
import type { PerMinute } from "./limits.sql.ts";
import { makeRateLimiter, type RateLimiter } from "./rate-limiter.ts";

// Several nodes with separate connections on one PostgreSQL.

const test = base
  .extend(
    "setLimit",
    ({ db }) =>
      (perMinute: Partial<PerMinute>) =>
        db.database.transaction().execute((tx) =>
          upsertRateLimit(tx, {
            id: idOf(),
            organizationId: scope.organizationId,
            scopeType: "workspace",
            scopeId: scope.workspaceId,
            modelGroup: "all",
            perMinute: { requests: null, input_tokens: null, output_tokens: null, ...perMinute },
          }),
        ),
  )
  .extend(
    "startNode",
    ({ db }) =>
      async (
        connectionString = db.connectionString,
        counted: StatementCount = { count: 0 },
      ): Promise<RateLimiter> => {
        const pool = openDatabase({
          connectionString,
          maxConnections: 2,
          onIdleError: () => undefined,
        });
        databases.push(pool);
        const database = pool.withPlugin({
          transformQuery: ({ node }) => {
            counted.count += 1;
            return node;
          },
          transformResult: async ({ result }) => result,
        });
        const limiter = makeRateLimiter({
          database,
          clock: systemClock,
          databaseNowMs: () => Date.now(),
          logger: makeLogger("silent"),
          // A slow database must not count as away, because standalone nodes share nothing.
          queryTimeoutMs: BOUND_MS,
        });
        limiters.set(limiter, pool);
        await limiter.start();
        return limiter;
      },
  )
  .extend(
    "level",
    ({ db }) =>
      async (kind: "requests" | "input_tokens" = "requests"): Promise<number> =>
        (await readLevels(db.database, [idOf()])).get(idOf())?.[kind] ?? Number.NaN,
  );

let line: DatabaseLine;
const limiters = new Map<RateLimiter, Database>();
const databases: Database[] = [];
/** Maximum wait, milliseconds. */
const BOUND_MS = 30_000;
let scope: { organizationId: string; workspaceId: string; apiKeyId: string; modelGroup: string };

test.beforeAll(async ({ db }) => {
  line = await openDatabaseLine(db.connectionString);
});
afterAll(async () => {
  await line.close();
});
test.beforeEach(async ({ db }) => {
  const organizationId = randomUUID();
  await db.database
    .insertInto("organization")
    .values({ id: organizationId, name: "Company" })
    .execute();
  const tail = organizationId.slice(0, 8);
  scope = {
    organizationId,
    workspaceId: `wksp_${tail}`,
    apiKeyId: `apikey_${tail}`,
    modelGroup: "sonnet_5",
  };
});
afterEach(async () => {
  line.restore();
  await Promise.all(Array.from(limiters.keys(), (limiter) => limiter.stop()));
  limiters.clear();
  await Promise.all(databases.splice(0).map((database) => database.destroy()));
});

const idOf = () => `rlim_${scope.organizationId}`;

/** Number of statements that a node has sent. */
interface StatementCount {
  count: number;
}

/** Sends a request. Returns the time when it was accepted, or null. */
async function request(limiter: RateLimiter): Promise<number | null> {
  const answer = await limiter.take(scope);
  return answer === null || answer.kind === "taken" ? performance.now() : null;
}

interface Load {
  clients: number;
  /** Minimum duration, milliseconds. The load then continues until `isEnough`. */
  ms: number;
  /** Called with the number of requests that this node has sent. */
  isEnough?: (sent: number) => boolean;
}

/** Runs clients that send the next request after each decision. Returns the times of accepted requests. */
async function sendRequests(limiter: RateLimiter, { clients, ms, isEnough = () => true }: Load) {
  const startedMs = performance.now();
  const sent: number[] = [];
  const isOver = () => {
    const lastedMs = performance.now() - startedMs;
    return lastedMs >= BOUND_MS || (lastedMs >= ms && isEnough(sent.length));
  };
  const client = async () => {
    while (!isOver()) {
      const sentMs = await request(limiter);
      if (sentMs === null) await delay(1);
      else sent.push(sentMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return sent;
}

describe("nodes on one database", () => {
  test.for([
    [600, 3_000],
    [60, 2_000],
    [30_000, 1_500],
  ] as const)(
    "together send %i requests a minute and no more, each node some of them",
    async ([perMinute, ms], { setLimit, startNode }) => {
      await setLimit({ requests: perMinute });
      const nodes = await Promise.all([startNode(), startNode(), startNode(), startNode()]);
      const refilled = Math.max(1, perMinute / 20) + (perMinute * ms) / 60_000;
      const least = Math.floor(refilled * 0.8);
      const counts = nodes.map(() => 0);
      const perNode = await Promise.all(
        nodes.map((node, at) => {
          const isEnough = (sent: number) => {
            counts[at] = sent;
            const total = counts.reduce((sum, count) => sum + count);
            return total >= least && (perMinute <= 60 || counts.every((count) => count > 0));
          };
          return sendRequests(node, { clients: 8, ms, isEnough });
        }),
      );
      const all = perNode.flat().sort((a, b) => a - b);
      for (let from = 0; from < all.length; from++) {
        for (let to = from; to < all.length; to += 1 + Math.floor(all.length / 200)) {
          const windowMs = (all[to] ?? 0) - (all[from] ?? 0);
          // A request learns of its decision some milliseconds later.
          expect(to - from + 1).toBeLessThanOrEqual(
            maxRequestsPerWindow(windowMs + 25, perMinute) + 1e-6,
          );
        }
      }
      expect(all.length).toBeGreaterThanOrEqual(least);
      if (perMinute > 60) for (const own of perNode) expect(own.length).toBeGreaterThan(0);
    },
  );

  test("concurrent requests share one query, and traffic sends a few queries a second", async ({
    db,
    setLimit,
    startNode,
  }) => {
    await setLimit({ requests: 60_000 });
    const counted = { count: 0 };
    const node = await startNode(db.connectionString, counted);
    counted.count = 0;
    const burst = await Promise.all(Array.from({ length: 200 }, () => request(node)));
    expect(burst.filter((sentMs) => sentMs !== null)).toHaveLength(200);
    // The first query finds no bucket, creates it, and runs again.
    expect(counted.count).toBeLessThanOrEqual(3);
    await sendRequests(node, { clients: 1, ms: 300 });
    counted.count = 0;
    // This client also empties the bucket.
    const sent = await sendRequests(node, {
      clients: 1,
      ms: 500,
      isEnough: (count) => count > 100,
    });
    expect(sent.length).toBeGreaterThan(100);
    expect(counted.count).toBeLessThan(40);
  });

  test("a node that dies loses its grants only, and the others continue", async ({
    setLimit,
    startNode,
    level,
  }) => {
    await setLimit({ requests: 6_000 });
    const dying = await startNode();
    const other = await startNode();
    await sendRequests(dying, { clients: 4, ms: 400 });
    // The node sends nothing more, and its running query is lost.
    await limiters.get(dying)?.destroy();
    // The node has grants for at most half a second of its traffic.
    const left = await level();
    expect(left).toBeLessThan(300);
    await delay(1_000);
    expect(await level()).toBeGreaterThanOrEqual(Math.min(300, left + 100) - 1e-6);
    expect(await request(other)).not.toBeNull();
  });

  test("a node waits until the tokens that another node used are refilled", async ({
    setLimit,
    startNode,
    level,
  }) => {
    // Ten a second: the refill during the reports is negligible.
    await setLimit({ input_tokens: 600 });
    const [first, second] = await Promise.all([startNode(), startNode()]);
    const ticket = await first.take(scope);
    if (ticket?.kind !== "taken") throw new Error("there is room");
    // 30,000 and the cache writes. Cache reads do not count.
    const usage = { inputTokens: 20_000, cacheWrite5mTokens: 6_000, cacheWrite1hTokens: 4_000 };
    first.charge(ticket, { ...noTokens, ...usage, cacheReadTokens: 900_000, outputTokens: 7 });
    expect(await first.take(scope)).toMatchObject({ kind: "refused", rateKind: "input_tokens" });
    // 50 were available.
    await expect.poll(() => level("input_tokens")).toBeLessThan(-29_600);
    // The first query of a node returns the use of the others, for later requests.
    await expect.poll(async () => (await second.take(scope))?.kind).toBe("refused");
    const refused = await second.take(scope);
    expect(refused).toMatchObject({ kind: "refused", rateKind: "input_tokens" });
    if (refused?.kind !== "refused") return;
    expect(refused.retryAfterMs).toBeGreaterThan(2_960_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(2_995_100);
  });

  test("many nodes that query many buckets at once never deadlock", async ({ db }) => {
    const ids = Array.from({ length: 30 }, (_, i) => `rlim_${i}_${scope.organizationId}`);
    await db.database.transaction().execute(async (tx) => {
      for (const [i, id] of ids.entries()) {
        await upsertRateLimit(tx, {
          id,
          organizationId: scope.organizationId,
          scopeType: "api_key",
          scopeId: `apikey_${i}`,
          modelGroup: "all",
          perMinute: { requests: 1_000, input_tokens: 1_000, output_tokens: null },
        });
      }
    });
    const queries = ids.flatMap((limitId) => [
      { limitId, kind: "requests" as const, wanted: 1, used: 0 },
      { limitId, kind: "input_tokens" as const, wanted: 0, used: 1 },
    ]);
    const pools = Array.from({ length: 6 }, () => {
      const { connectionString } = db;
      const pool = openDatabase({
        connectionString,
        maxConnections: 1,
        onIdleError: () => undefined,
      });
      databases.push(pool);
      return pool;
    });
    const rounds = pools.map(async (pool, i) => {
      for (let round = 0; round < 15; round++) {
        await queryBuckets(pool, i % 2 === 0 ? queries : queries.toReversed());
      }
    });
    await Promise.all(rounds);
    const levels = await readLevels(db.database, ids);
    expect(levels.size).toBe(30);
    // 90 requests of 50, and the refill meanwhile.
    for (const { requests = 99 } of levels.values()) expect(requests).toBeLessThan(50);
  });
});

describe("a change", () => {
  test("applies after a node has read it, and a deleted limit refuses nothing", async ({
    db,
    setLimit,
    startNode,
  }) => {
    await setLimit({ requests: 6_000 });
    const node = await startNode();
    expect(await request(node)).not.toBeNull();
    await setLimit({ requests: 1 });
    await node.refresh();
    // The bucket was nearly full, so the smaller bucket has its one request.
    expect(await request(node)).not.toBeNull();
    expect(await node.take(scope)).toMatchObject({
      kind: "refused",
      limit: { perMinute: { requests: 1 } },
    });
    const removed = await db.database
      .transaction()
      .execute((tx) => deleteRateLimit(tx, { organizationId: scope.organizationId, id: idOf() }));
    expect(removed?.id).toBe(idOf());
    const other = await startNode();
    expect(other.take(scope)).toBeNull();
    await node.refresh();
    expect(node.take(scope)).toBeNull();
  });

  test("that deletes a limit makes a node accept requests before it reads the change", async ({
    db,
    setLimit,
    startNode,
  }) => {
    await setLimit({ requests: 6_000 });
    const node = await startNode();
    await db.database
      .transaction()
      .execute((tx) => deleteRateLimit(tx, { organizationId: scope.organizationId, id: idOf() }));
    expect(await request(node)).not.toBeNull();
  });
});

describe("the database's clock", () => {
  test("set back by an hour refills nothing for the step, then continues", async ({
    db,
    setLimit,
  }) => {
    await setLimit({ requests: 600 });
    const query = { limitId: idOf(), kind: "requests" as const };
    const [first] = await queryBuckets(db.database, [{ ...query, wanted: 100, used: 0 }]);
    expect(first).toMatchObject({ granted: 30 });
    await sql`UPDATE rate_bucket SET refilled_at = now() + interval '1 hour' WHERE rate_limit_id = ${idOf()}`.execute(
      db.database,
    );
    const startedMs = performance.now();
    const [second] = await queryBuckets(db.database, [{ ...query, wanted: 100, used: 0 }]);
    expect(second?.granted).toBeLessThanOrEqual(1);
    await delay(350);
    const [third] = await queryBuckets(db.database, [{ ...query, wanted: 100, used: 0 }]);
    expect(third?.granted).toBeGreaterThanOrEqual(3);
    const tenASecond = (performance.now() - startedMs) / 100;
    expect(third?.granted).toBeLessThanOrEqual(tenASecond + 1);
  });

  test("set ahead fills the bucket once", async ({ db, setLimit }) => {
    await setLimit({ requests: 600 });
    const query = { limitId: idOf(), kind: "requests" as const };
    await queryBuckets(db.database, [{ ...query, wanted: 100, used: 0 }]);
    await sql`UPDATE rate_bucket SET refilled_at = now() - interval '1 hour' WHERE rate_limit_id = ${idOf()}`.execute(
      db.database,
    );
    const [answer] = await queryBuckets(db.database, [{ ...query, wanted: 100, used: 0 }]);
    expect(answer).toMatchObject({ granted: 30, level: 0 });
  });
});

describe("without the database", () => {
  test("a node continues by itself at the configured rate, and shares again when the database is back", async ({
    setLimit,
    startNode,
    level,
  }) => {
    await setLimit({ requests: 600 });
    const node = await startNode(line.connectionString);
    const witness = await startNode();
    expect(await request(node)).not.toBeNull();
    line.cut();
    let startedMs = performance.now();
    const refilled = () => (performance.now() - startedMs) / 100;
    const sent = await sendRequests(node, {
      clients: 4,
      ms: 1_200,
      isEnough: (count) => count >= 30,
    });
    // 30 in the bucket and 12 of refill, besides earlier grants.
    expect(sent.length).toBeGreaterThanOrEqual(30);
    expect(sent.length).toBeLessThanOrEqual(30 + refilled() + 13);
    line.restore();
    // The node reports its use by itself, without another request.
    await expect.poll(() => level(), { interval: 20 }).toBeLessThan(22);
    startedMs = performance.now();
    const left = await level();
    const together = await Promise.all([
      sendRequests(node, { clients: 2, ms: 600 }),
      sendRequests(witness, { clients: 2, ms: 600 }),
    ]);
    expect(together.flat().length).toBeLessThanOrEqual(left + refilled() + 6);
  });
});
