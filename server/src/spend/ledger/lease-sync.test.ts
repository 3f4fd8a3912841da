import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { afterEach, describe, expect } from "vitest";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { flushBatch } from "#src/recording/flush.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { enterNode } from "#src/recording/node.sql.ts";
import type { TestDatabase } from "#test/harness/database.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { makeTestFolds, settleRecords } from "#test/harness/folds.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { LeaseSync } from "./lease-sync.ts";
import type { LeaseSyncOptions } from "./lease-sync-options.ts";
import { upsertSpendLimit } from "./limits.sql.ts";
import { toHoldError } from "./refuse-hold.ts";

const logger = makeLogger("silent");
/** Longest response time of the database on a busy machine. After that it counts as away, and refusals differ. */
const HOLD_WAIT_MS = 2_000;
const TTL_MS = 60_000;
const BOUND_MS = 30_000;
const explainIncrease = () => "Ask for more.";

const test = base
  .extend(
    "limit",
    ({ db }) =>
      (amountNanoUsd: bigint, hold?: "steps"): Promise<unknown> =>
        upsertSpendLimit(db.database, {
          id: `spl_${randomUUID()}`,
          organizationId: scope.organizationId,
          scopeType: "workspace",
          scopeId: scope.workspaceId,
          period: "monthly",
          amountNanoUsd,
          enforcement: "strict",
          ...(hold && { hold }),
        }),
  )
  .extend(
    "balance",
    ({ db }) =>
      async () =>
        await db.database
          .selectFrom("balance_sum")
          .select([
            "settled_nano_usd as settled",
            "leased_nano_usd as leased",
            "unresolved_nano_usd as unresolved",
          ])
          .where("scope_id", "=", scope.workspaceId)
          .where("period", "=", "monthly")
          .executeTakeFirstOrThrow(),
  );

let scope: { organizationId: string; workspaceId: string; apiKeyId: string };
let nodes: TestNode[];

test.beforeEach(async ({ db }) => {
  nodes = [];
  scope = {
    organizationId: randomUUID(),
    workspaceId: `wksp_${randomUUID()}`,
    apiKeyId: `apikey_${randomUUID()}`,
  };
  const organization = { id: scope.organizationId, name: "Acme" };
  await db.database.insertInto("organization").values(organization).execute();
});

afterEach(async () => {
  for (const { keeper } of nodes) await keeper.stop();
});

/** A node with the real clock and a real database. Its records wait in memory for `flush`. */
class TestNode {
  readonly id = `node_${randomUUID()}`;
  readonly keeper: LeaseSync;
  readonly #database: TestDatabase["database"];
  #ends: EndRecord[] = [];
  #epoch = 0n;
  #flushedSeq = 0;
  #flushing = Promise.resolve();

  constructor(
    { database }: TestDatabase,
    {
      holdWaitMs = HOLD_WAIT_MS,
      clock = systemClock,
      fold = () => makeTestFolds(database).fold(),
    }: Partial<Pick<LeaseSyncOptions, "holdWaitMs" | "clock" | "fold">> = {},
  ) {
    this.#database = database;
    this.keeper = new LeaseSync({
      database,
      nodeId: this.id,
      databaseNowMs: () => Date.now(),
      clock,
      logger,
      ttlMs: TTL_MS,
      holdWaitMs,
      unresolvedReleaseMs: 3_600_000,
      reenter: () => Promise.resolve(),
      acknowledgeJournalGap: () => undefined,
      holdRunning: () => [],
      journalSynced: () => Promise.resolve(),
      fold,
      lockFold,
    });
  }

  async start(): Promise<this> {
    const node = { id: this.id, journalId: "journal", version: "0" };
    const { epoch, flushedSeq } = await enterNode(this.#database, node);
    this.#epoch = epoch;
    this.keeper.entered({ epoch, flushedSeq, isJournalWhole: true });
    await this.keeper.start();
    nodes.push(this);
    return this;
  }

  async hold(amountNanoUsd: bigint) {
    const requestId = beginRecord().requestId;
    const decision = await this.keeper.hold({ requestId, scope, amountNanoUsd });
    if (decision.kind === "dropped") throw new Error("the request was dropped");
    if (decision.kind === "refused") return { refusal: decision, begin: null };
    const { startedAtMs } = decision;
    const held = { ...scope, requestId, startedAtMs, holdNanoUsd: amountNanoUsd };
    return { refusal: null, begin: beginRecord(held) };
  }

  end(begin: BeginRecord, nanoUsd: bigint): void {
    const record = endRecord(begin, nanoUsd);
    this.#ends.push(record);
    this.keeper.queued(record);
  }

  /** Flushes one batch at a time, like the meter. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    const batch = this.#ends.splice(0);
    if (batch.length === 0) return;
    const [from, to] = [this.#flushedSeq, this.#flushedSeq + batch.length];
    const result = await flushBatch({
      database: this.#database,
      participants: [
        {
          flush: async (tx, ends, position) => {
            await settleRecords(tx, this.id, ends, { atMs: null }, position);
          },
        },
      ],
      nodeId: this.id,
      epoch: this.#epoch,
      journalId: "journal",
      from,
      to,
      batch,
      isRecordedSkipped: false,
    });
    expect(result.kind).toBe("flushed");
    this.#flushedSeq = to;
    this.keeper.appended(batch, { seq: to, isCounted: () => true });
    this.keeper.folded(to);
  }
}

test("sets a larger hold of a stream before a waiting request, and the rest of a smaller one serves it", async ({
  db,
  limit,
  balance,
}) => {
  await limit(100n, "steps");
  const { keeper } = await new TestNode(db).start();
  const stream = { firstNanoUsd: 10n, usualNanoUsd: 20n };
  const asked = { requestId: "req_s", scope, amountNanoUsd: 1_000n, stream };
  expect(await keeper.hold(asked)).toMatchObject({ holdNanoUsd: 1_000n, isStepped: true });
  const waiting = keeper.hold({ requestId: "req_w", scope, amountNanoUsd: 90n });
  expect(keeper.resizeHold("req_s", 60n)).toBe("waiting");
  const currentOf = () => keeper.findStreamHold("req_s")?.currentNanoUsd;
  await eventually(BOUND_MS, "the larger hold", async () => (currentOf() === 60n ? true : null));
  expect([keeper.status().waiting, keeper.findLack("req_s")]).toEqual([1, null]);
  expect(keeper.resizeHold("req_s", 5n)).toBe("held");
  expect(keeper.findStreamHold("req_s")?.highest.holdNanoUsd).toBe(60n);
  keeper.drop("req_s");
  expect(await waiting).toMatchObject({ kind: "held" });
  expect((await balance()).leased >= 90n).toBe(true);
});

test("renews its leases while a clean-up waits for a fold", async ({ db }) => {
  const times = { nowMs: 0 };
  let folds = 0;
  const fold = async () => {
    folds += 1;
    await folded.promise;
  };
  const folded = Promise.withResolvers<void>();
  const clock = { nowMs: () => Date.now(), monotonicMs: () => times.nowMs };
  const node = await new TestNode(db, { clock, fold }).start();
  // A clean-up folds only for unresolved amounts.
  const key = { scope_type: "workspace", scope_id: scope.workspaceId, period: "monthly" } as const;
  await db.database
    .insertInto("lease")
    .values({
      ...{ ...key, period_start: "2020-01-01", organization_id: scope.organizationId },
      ...{ node_id: node.id, request_id: "", amount_nano_usd: 1n, unresolved_since: new Date() },
    })
    .execute();
  const countMessages = async () => {
    const last = db.database.selectFrom("lease_node").select("op").where("node_id", "=", node.id);
    return (await last.executeTakeFirstOrThrow()).op;
  };
  times.nowMs = TTL_MS / 4;
  await eventually(BOUND_MS, "the clean-up", async () => (folds > 0 ? true : null));
  const before = await countMessages();
  times.nowMs = TTL_MS / 2;
  await eventually(BOUND_MS, "a message", async () =>
    (await countMessages()) > before ? true : null,
  );
  // The first message renewed the leases for 90 % of the TTL.
  times.nowMs = TTL_MS;
  await eventually(BOUND_MS, "the response", async () =>
    node.keeper.status().isExpired ? null : true,
  );
  folded.resolve();
});

test("sends messages again after it could not read changed limits", async ({ db, limit }) => {
  const rename = (from: string, to: string) =>
    sql`ALTER TABLE spend_limit RENAME ${sql.ref(from)} TO ${sql.ref(to)}`.execute(db.database);
  await limit(100n);
  const node = await new TestNode(db).start();
  await limit(90n);
  await rename("open_ended_hold_nano_usd", "hidden");
  // The database accepts no message of a node that is not live, until the node knows the newest limits.
  await db.database.updateTable("lease_node").set({ expires_at: null }).execute();
  const held = node.hold(80n);
  await delay(500);
  await rename("hidden", "open_ended_hold_nano_usd");
  expect((await held).refusal).toBeNull();
});

test("fences no other node at a wake-up, before the others had time to speak", async ({ db }) => {
  const times = { nowMs: 0 };
  const clock = { nowMs: () => Date.now(), monotonicMs: () => times.nowMs };
  const node = await new TestNode(db, { clock }).start();
  const silent = await new TestNode(db, { clock: { ...clock, monotonicMs: () => 0 } }).start();
  const silentNode = db.database.selectFrom("lease_node").where("node_id", "=", silent.id);
  const isFenced = async () =>
    (await silentNode.select("expires_at").executeTakeFirstOrThrow()).expires_at === null;
  const renew = async () => {
    times.nowMs += TTL_MS / 3;
    await eventually(BOUND_MS, "a renewal", async () => {
      const row = await db.database
        .selectFrom("lease_node")
        .select(sql<boolean>`expires_at > clock_timestamp() + interval '59 s'`.as("isNew"))
        .where("node_id", "=", node.id)
        .executeTakeFirstOrThrow();
      return row.isNew && !node.keeper.status().isExpired ? true : null;
    });
  };
  await renew();
  await db.database
    .updateTable("lease_node")
    .set({ expires_at: sql`clock_timestamp() - interval '1 day'` })
    .execute();
  times.nowMs += 86_400_000;
  await renew();
  await node.keeper.stop();
  expect(await isFenced()).toBe(false);
});

test("completes the balance of a new soft limit, in which a concurrent fold can be missing", async ({
  db,
}) => {
  const node = await new TestNode(db).start();
  node.end(beginRecord({ ...scope, startedAtMs: Date.now() }), 5n);
  await node.flush();
  const limit = { scopeType: "workspace", scopeId: scope.workspaceId, period: "monthly" } as const;
  await upsertSpendLimit(db.database, {
    ...limit,
    id: `spl_${randomUUID()}`,
    organizationId: scope.organizationId,
    amountNanoUsd: 100n,
    enforcement: "soft",
  });
  const ofLimit = () => db.database.updateTable("balance").where("scope_id", "=", limit.scopeId);
  await ofLimit().set({ settled_nano_usd: 1n, is_complete: false }).execute();
  await node.keeper.refresh();
  const balances = db.database
    .selectFrom("balance")
    .select(["settled_nano_usd as settled", "is_complete as isComplete"])
    .where("scope_id", "=", limit.scopeId)
    .where("period", "=", "monthly");
  expect(await balances.execute()).toEqual([{ settled: 5n, isComplete: true }]);
});

test("four nodes at once never exceed a strict limit, and leave less than one request of it", async ({
  db,
  limit,
  balance,
}) => {
  await limit(1_000n);
  for (let i = 0; i < 4; i++) await new TestNode(db, { holdWaitMs: 20_000 }).start();
  let [running, most] = [0n, 0n];
  const agent = async (node: TestNode) => {
    for (;;) {
      const { begin, refusal } = await node.hold(40n);
      if (refusal !== null && refusal.reason !== "held") return refusal.reason;
      if (begin === null) continue;
      running += 40n;
      const { settled, unresolved } = await balance();
      most = settled + unresolved + running > most ? settled + unresolved + running : most;
      running -= 40n;
      node.end(begin, 7n);
      await node.flush();
    }
  };
  const reasons = await Promise.all(
    nodes.flatMap((node) => [agent(node), agent(node), agent(node)]),
  );
  expect(new Set(reasons)).toEqual(new Set(["too_large"]));
  for (const node of nodes) await node.flush();
  const { settled } = await balance();
  expect(settled).toBeGreaterThan(960n);
  expect(settled).toBeLessThanOrEqual(1_000n);
  expect(most).toBeLessThanOrEqual(1_000n);
});

describe("a refusal", () => {
  test("for budget that running requests hold comes after a wait, and asks for a retry", async ({
    db,
    limit,
  }) => {
    await limit(100n);
    const node = await new TestNode(db).start();
    const { begin } = await node.hold(80n);
    const startedMs = performance.now();
    const { refusal } = await node.hold(80n);
    expect(refusal?.reason).toBe("held");
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(HOLD_WAIT_MS);
    if (refusal === null || begin === null) throw new Error("one is held, one refused");
    const error = toHoldError(refusal, { explain: () => "", explainIncrease });
    expect([error.code, error.headers]).toEqual(["budget_held", { "retry-after": "2" }]);
    const waiting = node.hold(80n);
    node.end(begin, 10n);
    expect((await waiting).begin).not.toBeNull();
  });

  test("for a request that is too large names the remaining amount, and asks for no retry", async ({
    db,
    limit,
  }) => {
    await limit(100_000_000n);
    const node = await new TestNode(db).start();
    const { refusal } = await node.hold(100_000_001n);
    if (refusal === null) throw new Error("it does not fit");
    const error = toHoldError(refusal, {
      explain: () => "The request can cost up to $0.100000001.",
      explainIncrease,
    });
    expect(error.message).toContain("$0.10 remains of a spend limit");
    expect([error.code, error.headers]).toEqual([
      "request_too_large_for_limit",
      { "x-should-retry": "false" },
    ]);
    expect(error.details).toEqual({
      error_code: "request_too_large_for_limit",
      limit: {
        id: expect.stringMatching(/^spl_/),
        scope: { type: "workspace", workspace_id: refusal.limit?.scopeId },
        period: "monthly",
        period_ends_at: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00\.000Z$/),
        limit_usd: 0.1,
        spent_usd: "0.00",
        held_usd: "0.00",
        unresolved_usd: "0.00",
        needed_usd: "0.100000001",
      },
      max_cost_usd: "0.100000001",
    });
  });

  test("for a spent limit begins with the official words", async ({ db, limit }) => {
    await limit(0n);
    const node = await new TestNode(db).start();
    const { refusal } = await node.hold(1n);
    if (refusal === null) throw new Error("there is nothing to hold");
    expect(toHoldError(refusal, { explain: () => "", explainIncrease }).message).toMatch(
      /^You have reached your specified workspace API usage limits\. You will regain access on/,
    );
  });
});

test("a node that stops returns its whole budget", async ({ db, limit, balance }) => {
  await limit(100n);
  const node = await new TestNode(db).start();
  const { begin } = await node.hold(80n);
  if (begin === null) throw new Error("it fits");
  node.end(begin, 10n);
  await node.flush();
  await node.keeper.stop();
  expect(await balance()).toEqual({ settled: 10n, leased: 0n, unresolved: 0n });
  nodes = [];
});

test("a request that stops waiting is dropped, and its place is free", async ({ db, limit }) => {
  await limit(100n);
  const node = await new TestNode(db).start();
  const { begin } = await node.hold(80n);
  const waiting = node.keeper.hold({ requestId: "req_leaves", scope, amountNanoUsd: 80n });
  expect(node.keeper.status().waiting).toBe(1);
  node.keeper.drop("req_leaves");
  expect(await waiting).toEqual({ kind: "dropped" });
  expect(node.keeper.status().waiting).toBe(0);
  if (begin === null) throw new Error("it fits");
  node.end(begin, 1n);
  expect((await node.hold(80n)).begin).not.toBeNull();
});

test("an organization without strict limits needs no holds while the node's leases are valid", async ({
  db,
  limit,
}) => {
  const node = await new TestNode(db).start();
  expect(node.keeper.isHoldRequired(scope.organizationId)).toBe(false);
  await limit(100n);
  await node.keeper.refresh();
  expect(node.keeper.isHoldRequired(scope.organizationId)).toBe(true);
  expect(node.keeper.isHoldRequired(randomUUID())).toBe(false);
  node.keeper.entered({ epoch: 99n, flushedSeq: 0, isJournalWhole: true });
  expect(node.keeper.isHoldRequired(randomUUID())).toBe(true);
});

test("a request without a strict limit in its chain is held at once", async ({ db }) => {
  const node = await new TestNode(db).start();
  const decision = node.keeper.hold({ requestId: "req_1", scope, amountNanoUsd: 5n });
  expect(decision).toMatchObject({ kind: "held" });
});
