// Oldest PostgreSQL: ledger
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { OwnScopeType, PeriodName } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { openJournal } from "#src/recording/journal.ts";
import type { Meter } from "#src/recording/meter.ts";
import { appendUsage } from "#src/recording/record-usage.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import {
  failOverToSnapshot,
  raiseIncarnation,
  takeSnapshot,
} from "#test/harness/database-snapshot.ts";
import { test as base } from "#test/harness/database-test.ts";
import { makeTestFolds } from "#test/harness/folds.ts";
import { makeHeldLine } from "#test/harness/held-line.ts";
import { makeTestMeter } from "#test/harness/meters.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { makeTestLeases } from "#test/harness/spend-node.ts";
import { readSpendOf } from "./balances.sql.ts";
import { encodeHoldCharges } from "./hold-charges.ts";
import { type Ledger, makeLedger } from "./ledger.ts";
import {
  deleteSpendLimit,
  type Enforcement,
  findSpendLimit,
  listSpendLimits,
  upsertSpendLimit,
} from "./limits.sql.ts";

const HOUR_MS = 3_600_000;
const FIRST_OF_DECEMBER = Date.UTC(2026, 11, 1);

const test = base
  /** A node: a meter and its ledger, which flush and refresh only when the test says so. */
  .extend(
    "startNode",
    ({ db }) =>
      async (options: { nodeId?: string; meter?: Database; ledger?: Database } = {}) => {
        const { nodeId = newName("node"), meter: ofMeter = db.database } = options;
        const ledger = makeLedger({
          database: options.ledger ?? db.database,
          nodeId,
          leases: makeTestLeases({ database: db.database, nodeId, databaseNowMs: () => atMs }),
          databaseNowMs: () => atMs,
          logger,
          refreshEveryMs: 2_000_000_000,
        });
        const folds = makeTestFolds(ofMeter);
        const folder = path.join(directory, nodeId);
        const follow = folds.participant(nodeId, (foldedSeq) => ledger.markFolded(foldedSeq));
        const meter = makeTestMeter({
          database: ofMeter,
          journal: openJournal({ directory: folder, nodeId, clock: systemClock, logger }),
          participants: [
            appendUsage({ nodeId, encodeHoldCharges }),
            ledger.flushParticipant,
            follow,
          ],
          fold: () => folds.fold(),
          reportRollback: () => raiseIncarnation(db.database),
          logger,
        });
        await meter.start();
        await ledger.start();
        const flush = async () => {
          const isDone = await meter.flush();
          await folds.fold();
          return isDone;
        };
        const node = { meter, ledger, flush };
        running.push(node);
        return node;
      },
  )
  .extend(
    "limit",
    ({ db }) =>
      async (
        scopeType: OwnScopeType,
        amountNanoUsd: bigint,
        options: { period?: PeriodName; enforcement?: Enforcement } = {},
      ) => {
        const scopeIds = {
          organization: scope.organizationId,
          workspace: scope.workspaceId,
          api_key: scope.apiKeyId,
        };
        return await upsertSpendLimit(db.database, {
          id: newName("spl"),
          organizationId: scope.organizationId,
          scopeType,
          scopeId: scopeIds[scopeType],
          period: options.period ?? "monthly",
          amountNanoUsd,
          enforcement: options.enforcement ?? "soft",
        });
      },
  );

let directory: string;
let scope: { organizationId: string; workspaceId: string; apiKeyId: string };
let atMs: number;
let running: { meter: Meter; ledger: Ledger }[];

const logger = makeLogger("silent");

test.beforeEach(async ({ db }) => {
  directory = fs.mkdtempSync(path.join(tmpdir(), "bursar-ledger-"));
  scope = {
    organizationId: randomUUID(),
    workspaceId: newName("wksp"),
    apiKeyId: newName("apikey"),
  };
  atMs = SOME_TIME_MS;
  running = [];
  const organization = { id: scope.organizationId, name: "Acme" };
  await db.database.insertInto("organization").values(organization).execute();
});

afterEach(async () => {
  for (const { meter, ledger } of running) {
    ledger.stop();
    await meter.stop();
  }
  fs.rmSync(directory, { recursive: true, force: true });
});

function newName(prefix: string): string {
  return `${prefix}_${randomUUID()}`;
}

/** A whole request that costs `nanoUsd`. */
function spend(meter: Meter, nanoUsd: bigint, overrides: Partial<EndRecord> = {}): void {
  const begin = beginRecord({ ...scope, startedAtMs: atMs, ...overrides });
  meter.begin(begin);
  meter.end(endRecord(begin, nanoUsd, overrides));
}

/** Spend of a limit of 0 at this moment. Such a limit always refuses, and names its spend. */
function spentIn(ledger: Ledger): bigint {
  const admission = ledger.admit(scope, atMs);
  if (admission.kind === "admitted") throw new Error("a limit of 0 admits nothing");
  return admission.spentNanoUsd;
}

describe("a limit", () => {
  test.for(["api_key", "workspace", "organization"] as const)(
    "of scope %s admits until exactly its amount is spent, then refuses",
    async (scopeType, { startNode, limit }) => {
      await limit(scopeType, 100n);
      const { meter, ledger, flush } = await startNode();
      spend(meter, 99n);
      expect(ledger.admit(scope, atMs)).toEqual({ kind: "admitted" });
      spend(meter, 1n);
      expect(ledger.admit(scope, atMs)).toMatchObject({
        kind: "blocked",
        spentNanoUsd: 100n,
        regainAtMs: FIRST_OF_DECEMBER,
        limit: { scopeType, amountNanoUsd: 100n },
      });
      await flush();
      expect(ledger.admit(scope, atMs)).toMatchObject({ kind: "blocked", spentNanoUsd: 100n });
    },
  );

  test("refuses with the official words", async ({ startNode, limit }) => {
    await limit("workspace", 0n);
    const { ledger } = await startNode();
    expect(ledger.admit(scope, atMs)).toMatchObject({
      message:
        "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC. " +
        `The monthly spend limit of workspace ${scope.workspaceId} is $0.00; spent: $0.00.`,
    });
  });

  test("applies to its own scope only", async ({ startNode, limit }) => {
    await limit("workspace", 0n);
    const { ledger } = await startNode();
    const elsewhere = { ...scope, workspaceId: newName("wksp") };
    expect(ledger.admit(elsewhere, atMs)).toEqual({ kind: "admitted" });
  });

  test("that is strict or only alerts admits every request here", async ({ startNode, limit }) => {
    await limit("workspace", 0n, { enforcement: "alert_only" });
    const { ledger } = await startNode();
    expect(ledger.admit(scope, atMs)).toEqual({ kind: "admitted" });
    await limit("workspace", 0n, { enforcement: "strict" });
    await ledger.refresh();
    expect(ledger.admit(scope, atMs)).toEqual({ kind: "admitted" });
    await limit("workspace", 0n, { enforcement: "soft" });
    await ledger.refresh();
    expect(ledger.admit(scope, atMs).kind).toBe("blocked");
  });

  test("of the narrowest scope refuses first, and in one scope the limit with the latest end", async ({
    startNode,
    limit,
  }) => {
    await limit("organization", 0n);
    await limit("api_key", 0n, { period: "daily" });
    await limit("api_key", 0n, { period: "weekly" });
    const { ledger } = await startNode();
    expect(ledger.admit(scope, atMs)).toMatchObject({
      limit: { scopeType: "api_key", period: "weekly" },
      regainAtMs: Date.UTC(2026, 10, 30),
    });
  });

  test("starts again with each period, and counts a request in the period of its start", async ({
    db,
    startNode,
    limit,
  }) => {
    await limit("workspace", 100n);
    const { meter, ledger, flush } = await startNode();
    spend(meter, 100n);
    await flush();
    const november = atMs;
    atMs = FIRST_OF_DECEMBER - 1;
    expect(ledger.admit(scope, atMs).kind).toBe("blocked");
    atMs = FIRST_OF_DECEMBER;
    expect(ledger.admit(scope, atMs)).toEqual({ kind: "admitted" });
    spend(meter, 1_000n, { startedAtMs: november, endedAtMs: atMs });
    expect(ledger.admit(scope, atMs)).toEqual({ kind: "admitted" });
    spend(meter, 100n);
    expect(ledger.admit(scope, atMs).kind).toBe("blocked");
    await flush();
    await ledger.refresh();
    expect(ledger.admit(scope, atMs)).toMatchObject({ kind: "blocked", spentNanoUsd: 100n });
    expect(await listBalanceDifferences(db.database)).toEqual([]);
  });

  test("counts earlier spend when it is new, and changes with the next refresh", async ({
    db,
    startNode,
    limit,
  }) => {
    // A new limit finds the spend of the current period.
    atMs = Date.now();
    const { meter, ledger, flush } = await startNode();
    spend(meter, 50n);
    await flush();
    spend(meter, 50n);
    const first = await limit("workspace", 100n);
    await ledger.refresh();
    expect(ledger.admit(scope, atMs)).toMatchObject({ kind: "blocked", spentNanoUsd: 100n });
    expect((await limit("workspace", 101n)).id).toBe(first.id);
    await ledger.refresh();
    expect(ledger.admit(scope, atMs)).toEqual({ kind: "admitted" });
    await deleteSpendLimit(db.database, { organizationId: scope.organizationId, id: first.id });
    spend(meter, 500n);
    await ledger.refresh();
    expect(ledger.admit(scope, atMs)).toEqual({ kind: "admitted" });
  });

  test("counts spend of other nodes after their flush", async ({ startNode, limit }) => {
    await limit("organization", 0n);
    const [here, there] = [await startNode(), await startNode()];
    spend(there.meter, 30n);
    spend(here.meter, 12n);
    await there.flush();
    await here.ledger.refresh();
    expect(spentIn(here.ledger)).toBe(42n);
    await here.flush();
    expect(spentIn(here.ledger)).toBe(42n);
  });
});

describe("spend is counted once at every moment", () => {
  test("when balances were read before a fold and arrive after it", async ({
    db,
    startNode,
    limit,
  }) => {
    await limit("workspace", 0n);
    const line = makeHeldLine(db.database);
    const { meter, ledger, flush } = await startNode({ ledger: line.reads });
    spend(meter, 7n);
    line.hold("reads");
    const refreshed = ledger.refresh();
    await expect.poll(line.isHolding).toBe(true); // the limits
    line.release();
    line.hold("reads");
    await expect.poll(line.isHolding).toBe(true); // the balances, read before the fold
    const folded = flush();
    await expect
      .poll(() => db.database.selectFrom("balance").selectAll().execute())
      .toContainEqual(
        expect.objectContaining({ scope_id: scope.workspaceId, settled_nano_usd: 7n }),
      );
    expect(spentIn(ledger)).toBe(7n);
    line.release();
    await Promise.all([refreshed, folded]);
    expect(spentIn(ledger)).toBe(7n);
  });

  test("when they are read before the response to a committed flush arrives", async ({
    db,
    startNode,
    limit,
  }) => {
    await limit("workspace", 0n);
    const line = makeHeldLine(db.database);
    const { meter, ledger, flush } = await startNode({ meter: line.commits });
    spend(meter, 7n);
    line.hold("commits");
    const flushed = flush();
    await expect.poll(line.isHolding).toBe(true);
    expect(spentIn(ledger)).toBe(7n);
    await ledger.refresh();
    expect(spentIn(ledger)).toBe(7n);
    spend(meter, 1n);
    expect(spentIn(ledger)).toBe(8n);
    line.release();
    await flushed;
    await ledger.refresh();
    expect(spentIn(ledger)).toBe(8n);
  });

  test("with flushes, refreshes and requests that overlap in any order", async ({
    db,
    startNode,
    limit,
  }) => {
    await limit("workspace", 0n);
    const { meter, ledger, flush } = await startNode();
    let total = 0n;
    const work: Promise<unknown>[] = [];
    for (let i = 0; i < 400; i++) {
      if (i % 3 === 0) {
        spend(meter, BigInt(i));
        total += BigInt(i);
      }
      if (i % 7 === 0) work.push(flush());
      if (i % 5 === 0) work.push(ledger.refresh());
      expect(spentIn(ledger)).toBe(total);
      await new Promise((resolve) => setImmediate(resolve));
      expect(spentIn(ledger)).toBe(total);
    }
    await Promise.all(work);
    await flush();
    await ledger.refresh();
    expect(spentIn(ledger)).toBe(total);
    expect(await listBalanceDifferences(db.database)).toEqual([]);
  });

  test("after a start that replays unflushed requests of a killed process", async ({
    startNode,
    limit,
  }) => {
    await limit("workspace", 0n);
    const first = await startNode();
    spend(first.meter, 5n);
    await first.flush();
    const nodeId = fs.readdirSync(directory)[0] ?? "";
    spend(first.meter, 6n);
    const { ledger, flush } = await startNode({ nodeId });
    expect(spentIn(ledger)).toBe(11n);
    await flush();
    expect(spentIn(ledger)).toBe(11n);
  });
});

describe("after a failover, a soft limit", () => {
  test("counts each request once, whether it was folded, appended or lost", async ({
    db,
    startNode,
    limit,
  }) => {
    await limit("workspace", 0n);
    const { meter, ledger, flush } = await startNode();
    spend(meter, 1n);
    await flush();
    spend(meter, 20n);
    await meter.flush();
    await takeSnapshot(db.database);
    await flush();
    spend(meter, 300n);
    await flush();
    spend(meter, 4_000n);
    await meter.flush();
    spend(meter, 50_000n);
    expect(spentIn(ledger)).toBe(54_321n);
    await failOverToSnapshot(db.database);
    expect(spentIn(ledger)).toBe(54_321n);
    await meter.reenter();
    expect(spentIn(ledger)).toBe(54_321n);
    await ledger.refresh();
    expect(spentIn(ledger)).toBe(54_321n);
    expect(await flush()).toBe(true);
    expect(spentIn(ledger)).toBe(54_321n);
    expect(await listBalanceDifferences(db.database)).toEqual([]);
  });
});

describe("balances", () => {
  test("add up to the events, and the spend of three scopes and three periods is read with and without a limit", async ({
    db,
    startNode,
    limit,
  }) => {
    await limit("workspace", 1_000n, { period: "daily" });
    const nodes = [await startNode(), await startNode()];
    for (let i = 0; i < 60; i++) {
      const startedAtMs = SOME_TIME_MS + i * 11 * HOUR_MS;
      for (const { meter } of nodes) {
        spend(meter, BigInt(i % 4), { startedAtMs, apiKeyId: `${scope.apiKeyId}${i % 3}` });
      }
    }
    expect(await Promise.all(nodes.map(({ flush }) => flush()))).toEqual([true, true]);
    expect(await listBalanceDifferences(db.database)).toEqual([]);
    expect(await listRollupDifferences(db.database)).toEqual([]);
    const { organizationId, workspaceId } = scope;
    const key = { organizationId, scopeType: "workspace", scopeId: workspaceId } as const;
    // 2 nodes × the requests of the 6.5 days left in November, every fourth of which is free.
    const month = { ...key, workspaceId, period: "monthly", periodStart: "2026-11-01" } as const;
    const november = await readSpendOf(db.database, month);
    expect(november).toMatchObject({
      settledNanoUsd: 42n,
      leasedNanoUsd: 0n,
      unresolvedNanoUsd: 0n,
    });
    const other = { ...month, organizationId: randomUUID() };
    expect(await readSpendOf(db.database, other)).toMatchObject({ settledNanoUsd: 0n });
  });

  test("reports differences between balances and events", async ({ db, startNode, limit }) => {
    await limit("api_key", 1_000n, { period: "weekly" });
    const { meter, flush } = await startNode();
    spend(meter, 10n);
    await flush();
    await db.database
      .updateTable("balance")
      .set({ settled_nano_usd: 9n })
      .where("scope_id", "=", scope.apiKeyId)
      .where("period", "=", "weekly")
      .execute();
    expect(await listBalanceDifferences(db.database)).toEqual([
      {
        scopeType: "api_key",
        scopeId: scope.apiKeyId,
        period: "weekly",
        periodStart: "2026-11-23",
        eventNanoUsd: 10n,
        settledNanoUsd: 9n,
      },
    ]);
    await db.database
      .updateTable("balance")
      .set({ settled_nano_usd: 10n })
      .where("scope_id", "=", scope.apiKeyId)
      .execute();
  });
});

describe("stored limits", () => {
  test("exist once for each scope and period, and are found in their organization only", async ({
    db,
    limit,
  }) => {
    const monthly = await limit("workspace", 5n);
    const daily = await limit("workspace", 6n, { period: "daily" });
    const ofKey = await limit("api_key", 7n);
    const { organizationId, workspaceId } = scope;
    expect(await listSpendLimits(db.database, { organizationId })).toEqual([ofKey, daily, monthly]);
    const ofWorkspace = { scopeType: "workspace", scopeId: workspaceId } as const;
    expect(await listSpendLimits(db.database, { organizationId, ...ofWorkspace })).toEqual([
      daily,
      monthly,
    ]);
    const elsewhere = randomUUID();
    expect(await listSpendLimits(db.database, { organizationId: elsewhere })).toEqual([]);
    const of = { ...ofWorkspace, period: "monthly" } as const;
    expect(await findSpendLimit(db.database, { organizationId, ...of })).toEqual(monthly);
    expect(await findSpendLimit(db.database, { organizationId: elsewhere, ...of })).toBeNull();
    expect(
      await deleteSpendLimit(db.database, { organizationId: elsewhere, id: daily.id }),
    ).toBeNull();
    expect(await deleteSpendLimit(db.database, { organizationId, id: daily.id })).toEqual(daily);
  });
});
