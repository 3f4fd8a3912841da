import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect } from "vitest";
import { type Database, openDatabase } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { BeginRecord } from "#src/domain/request-record.ts";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { type DatabaseLine, openDatabaseLine } from "#test/harness/database-line.ts";
import { test as base } from "#test/harness/database-test.ts";
import { expireLeases } from "#test/harness/expire-leases.ts";
import { passMonthEnd } from "#test/harness/month-end.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { type SpendNode, startSpendNode } from "#test/harness/spend-node.ts";
import { fenceSilentNodes } from "./leases.sql.ts";
import { upsertSpendLimit } from "./limits.sql.ts";
import { recordMissedOverruns } from "./overruns.sql.ts";
import { releaseNodeBudget, releaseUnresolved } from "./release-unresolved.sql.ts";

// A node loses the database for longer than any time limit, and returns with its journal.

const LIMIT = 2_000_000_000n;
const UNFLUSHED = 620_000_000n;
/** Lease of the silent node: the hold of its request, and a half more for the next one. */
const LEASED = 930_000_000n;

const test = base.extend("ledger", ({ db }) => {
  async function setLimit(amountNanoUsd: bigint): Promise<void> {
    await upsertSpendLimit(db.database, {
      id: `spl_${scope.workspaceId}`,
      organizationId: scope.organizationId,
      scopeType: "workspace",
      scopeId: scope.workspaceId,
      period: "monthly",
      amountNanoUsd,
      enforcement: "strict",
    });
  }

  function balance() {
    return db.database
      .selectFrom("balance_sum")
      .select([
        "settled_nano_usd as settled",
        "leased_nano_usd as leased",
        "unresolved_nano_usd as unresolved",
        "limit_overrun_nano_usd as overrun",
      ])
      .where("scope_id", "=", scope.workspaceId)
      .where("period", "=", "monthly")
      .executeTakeFirstOrThrow();
  }

  /** Makes a fenced node with spend of $0.62 that the database does not know. */
  async function silence(): Promise<SpendNode> {
    const node = await start(far);
    const begun = await begin(node, UNFLUSHED);
    line.cut();
    if (begun !== null) node.meter.end(endRecord(begun, UNFLUSHED));
    const { nodeId } = node;
    await expireLeases(db.database, nodeId);
    expect(await fenceSilentNodes(db.database, { graceMs: 0, atMs: null })).toEqual([nodeId]);
    expect(await balance()).toMatchObject({ leased: 0n, unresolved: LEASED });
    return node;
  }

  const releaseAllThatIsOld = () => releaseUnresolved(db.database, { afterMs: 0, atMs: null });

  const forget = ({ nodeId }: SpendNode) =>
    inTransaction(db.database, (tx) =>
      releaseNodeBudget(tx, { nodeId, organizationId: scope.organizationId }),
    );

  const difference = async () =>
    (await checkLedger(db.database, scope.organizationId)).differences.map(
      ({ amount, actualNanoUsd, expectedNanoUsd }) => ({ amount, actualNanoUsd, expectedNanoUsd }),
    );

  async function settleUnrecorded(): Promise<void> {
    await db.database
      .updateTable("balance")
      .set({ limit_overrun_nano_usd: 0n, limit_compared_nano_usd: LIMIT })
      .where("scope_id", "=", scope.workspaceId)
      .where("period", "=", "monthly")
      .execute();
  }

  return { setLimit, balance, silence, releaseAllThatIsOld, forget, difference, settleUnrecorded };
});

let line: DatabaseLine;
let far: Database;
let scope: { organizationId: string; workspaceId: string; apiKeyId: string };
let folders: string[];
let nodes: SpendNode[];

test.beforeAll(async ({ db }) => {
  await passMonthEnd();
  line = await openDatabaseLine(db.connectionString);
  const { connectionString } = line;
  far = openDatabase({ connectionString, maxConnections: 4, onIdleError: () => undefined });
});

afterAll(async () => {
  await far.destroy();
  await line.close();
});

test.beforeEach(async ({ db, ledger }) => {
  folders = [];
  nodes = [];
  scope = {
    organizationId: randomUUID(),
    workspaceId: `wksp_${randomUUID()}`,
    apiKeyId: `apikey_${randomUUID()}`,
  };
  const organization = { id: scope.organizationId, name: "Acme" };
  await db.database.insertInto("organization").values(organization).execute();
  await ledger.setLimit(LIMIT);
});

afterEach(async () => {
  line.restore();
  for (const node of nodes) await node.stop();
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function start(database: Database): Promise<SpendNode> {
  const directory = await mkdtemp(join(tmpdir(), "bursar-silent-"));
  folders.push(directory);
  const nodeId = `node_${randomUUID()}`;
  const options = { database, directory, nodeId, flushEveryMs: 3_600_000, holdWaitMs: 20_000 };
  const node = await startSpendNode(options);
  nodes.push(node);
  return node;
}

async function begin(node: SpendNode, amountNanoUsd: bigint): Promise<BeginRecord | null> {
  const { requestId } = beginRecord();
  const held = await node.leases.hold({ requestId, scope, amountNanoUsd });
  if (held.kind !== "held") return null;
  const { startedAtMs } = held;
  const record = beginRecord({ ...scope, requestId, startedAtMs, holdNanoUsd: amountNanoUsd });
  node.meter.begin(record);
  return record;
}

async function spend(node: SpendNode, nanoUsd: bigint): Promise<boolean> {
  const begun = await begin(node, nanoUsd);
  if (begun === null) return false;
  node.meter.end(endRecord(begun, nanoUsd));
  return true;
}

/** Restores the connection. Waits until the node has appended its spend, and a message of it has ended its fenced lease. */
async function comeBack(node: SpendNode): Promise<void> {
  line.restore();
  await expect.poll(() => node.flush().catch(() => false), { timeout: 20_000 }).toBe(true);
  await expect.poll(() => listFencedLeases(node), { timeout: 20_000 }).toEqual([]);
}

function listFencedLeases({ nodeId }: SpendNode) {
  return far
    .selectFrom("lease")
    .select(["scope_id", "request_id"])
    .where("node_id", "=", nodeId)
    .where("unresolved_since", "is not", null)
    .execute();
}

describe("a node that is silent for longer than unresolved spend lasts", () => {
  test("keeps its budget, so that the limit is not exceeded when it returns", async ({
    db,
    ledger,
  }) => {
    const silent = await ledger.silence();
    const other = await start(db.database);
    expect(await ledger.releaseAllThatIsOld()).toEqual([]);
    expect(await spend(other, LIMIT)).toBe(false);
    expect(await spend(other, LIMIT - LEASED)).toBe(true);
    await other.flush();
    await comeBack(silent);
    const settled = LIMIT - LEASED + UNFLUSHED;
    expect(await ledger.balance()).toMatchObject({ settled, unresolved: 0n, overrun: 0n });
    expect(await ledger.difference()).toEqual([]);
  });

  test("keeps its budget while a node of an older version releases old amounts", async ({
    db,
    ledger,
  }) => {
    const silent = await ledger.silence();
    const { numDeletedRows } = await db.database
      .deleteFrom("lease")
      .where("node_id", "=", silent.nodeId)
      .executeTakeFirstOrThrow();
    expect(numDeletedRows).toBe(0n);
    expect(await ledger.balance()).toMatchObject({ unresolved: LEASED });
  });

  test("settles its spend once as an overrun after an administrator released its budget", async ({
    db,
    ledger,
  }) => {
    const silent = await ledger.silence();
    const other = await start(db.database);
    expect(await ledger.forget(silent)).toMatchObject([{ amountNanoUsd: LEASED }]);
    expect(await ledger.forget(silent)).toEqual([]);
    expect(await spend(other, LIMIT)).toBe(true);
    await other.flush();
    expect(await ledger.balance()).toMatchObject({ settled: LIMIT, overrun: 0n });
    await comeBack(silent);
    expect(await ledger.balance()).toMatchObject({
      settled: LIMIT + UNFLUSHED,
      unresolved: 0n,
      overrun: UNFLUSHED,
    });
    expect(await ledger.difference()).toEqual([]);
    await ledger.setLimit(3_000_000_000n);
    await other.ledger.refresh();
    expect(await spend(other, 300_000_000n)).toBe(true);
    await other.flush();
    expect(await ledger.balance()).toMatchObject({ settled: 2_920_000_000n, overrun: UNFLUSHED });
    expect(await ledger.difference()).toEqual([]);
  });
});

describe("spend that a node of an older version settled beyond the limit", () => {
  test("is reported by a check of the ledger until it is recorded", async ({ db, ledger }) => {
    const silent = await ledger.silence();
    const other = await start(db.database);
    await ledger.forget(silent);
    expect(await spend(other, LIMIT)).toBe(true);
    await other.flush();
    await comeBack(silent);
    await ledger.settleUnrecorded();
    expect(await ledger.difference()).toEqual([
      { amount: "overrun", actualNanoUsd: 0n, expectedNanoUsd: UNFLUSHED },
    ]);
    expect(await recordMissedOverruns(db.database)).toBe(1);
    expect(await ledger.balance()).toMatchObject({ overrun: UNFLUSHED });
    expect(await recordMissedOverruns(db.database)).toBe(0);
    expect(await ledger.difference()).toEqual([]);
  });
});

test("a limit below the spend makes an overrun of later spend only", async ({ db, ledger }) => {
  const node = await start(db.database);
  expect(await spend(node, 900_000_000n)).toBe(true);
  await node.flush();
  const running = await begin(node, 200_000_000n);
  await ledger.setLimit(500_000_000n);
  expect(await ledger.balance()).toMatchObject({ settled: 900_000_000n, overrun: 0n });
  expect(await ledger.difference()).toEqual([]);
  if (running !== null) node.meter.end(endRecord(running, 150_000_000n));
  await node.flush();
  expect(await ledger.balance()).toMatchObject({ settled: 1_050_000_000n, overrun: 150_000_000n });
  expect(await ledger.difference()).toEqual([]);
});
