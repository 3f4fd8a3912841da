import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { openJournal } from "#src/recording/journal.ts";
import { segmentPath } from "#src/recording/segments.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { test as base } from "#test/harness/database-test.ts";
import { expireLeases } from "#test/harness/expire-leases.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { type SpendNode, type SpendNodeOptions, startSpendNode } from "#test/harness/spend-node.ts";
import { fenceSilentNodes } from "./leases.sql.ts";
import { upsertSpendLimit } from "./limits.sql.ts";

// A node with a real journal and a real database, after failures of both.

const test = base
  /** Starts a node. Without a stop it counts as killed, and the next start finds its journal and rows. */
  .extend(
    "start",
    ({ db }) =>
      async (options: Partial<SpendNodeOptions> = {}): Promise<SpendNode> => {
        const node = await startSpendNode({
          database: db.database,
          directory,
          nodeId,
          flushEveryMs: 3_600_000,
          // Longer than the response of a busy database takes.
          holdWaitMs: 20_000,
          ...options,
        });
        running.push(node);
        return node;
      },
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

let directory: string;
let scope: { organizationId: string; workspaceId: string; apiKeyId: string };
let nodeId: string;
let running: SpendNode[];

test.beforeEach(async ({ db }) => {
  directory = await mkdtemp(join(tmpdir(), "bursar-recovery-"));
  scope = {
    organizationId: randomUUID(),
    workspaceId: `wksp_${randomUUID()}`,
    apiKeyId: `apikey_${randomUUID()}`,
  };
  nodeId = `node_${randomUUID()}`;
  running = [];
  const organization = { id: scope.organizationId, name: "Acme" };
  await db.database.insertInto("organization").values(organization).execute();
  await upsertSpendLimit(db.database, {
    id: `spl_${randomUUID()}`,
    organizationId: scope.organizationId,
    scopeType: "workspace",
    scopeId: scope.workspaceId,
    period: "monthly",
    amountNanoUsd: 100n,
    enforcement: "strict",
  });
});

afterEach(async () => {
  for (const node of running) await node.stop();
  await rm(directory, { recursive: true });
});

async function begin(node: SpendNode, amountNanoUsd: bigint) {
  const { requestId } = beginRecord();
  const held = await node.leases.hold({ requestId, scope, amountNanoUsd });
  if (held.kind !== "held") return held;
  const { startedAtMs } = held;
  const record = beginRecord({ ...scope, requestId, startedAtMs, holdNanoUsd: amountNanoUsd });
  node.meter.begin(record);
  return { kind: "begun", record } as const;
}

async function begun(node: SpendNode, amountNanoUsd: bigint) {
  const began = await begin(node, amountNanoUsd);
  if (began.kind !== "begun") throw new Error(`it is ${began.kind}`);
  return began.record;
}

/** Kills a node: its timers send nothing more, and its lease stays unchanged. */
function kill(node: SpendNode): void {
  running = running.filter((each) => each !== node);
}

test("a fenced node gets its own budget back and continues by itself", async ({
  db,
  start,
  balance,
}) => {
  const node = await start();
  const record = await begun(node, 60n);
  await expireLeases(db.database, nodeId);
  expect(await fenceSilentNodes(db.database, { graceMs: 500, atMs: null })).toEqual([nodeId]);
  expect(await balance()).toEqual({ settled: 0n, leased: 0n, unresolved: 60n });
  // The next message is refused as fenced. The hold waits until the node has a new epoch.
  expect((await begin(node, 40n)).kind).toBe("begun");
  expect(await balance()).toEqual({ settled: 0n, leased: 100n, unresolved: 0n });
  node.meter.end(endRecord(record, 7n));
  expect(await node.flush()).toBe(true);
  // The node returns the unused 53 after a moment.
  await expect.poll(balance).toEqual({ settled: 7n, leased: 40n, unresolved: 0n });
});

test("keeps budget unresolved for a journal without its tail, until the database knows of the gap", async ({
  start,
  balance,
}) => {
  const bootId = (name: string) =>
    openJournal({
      directory,
      nodeId,
      clock: systemClock,
      logger: makeLogger("silent"),
      bootId: name,
    });
  const first = await start({ journal: bootId("boot_1") });
  await begun(first, 60n);
  kill(first);
  // The power failure lost the begin.
  await rm(segmentPath(directory, 1));
  const mark = () => JSON.parse(readFileSync(join(directory, "written"), "utf8"));
  expect(mark()).toMatchObject({ bootId: "boot_1", isWhole: true });
  const second = await start({ journal: bootId("boot_2") });
  expect(mark()).toMatchObject({ bootId: "boot_2", isWhole: true });
  expect(await balance()).toEqual({ settled: 0n, leased: 0n, unresolved: 60n });
  await second.stop();
  running = [];
  expect(existsSync(join(directory, "written"))).toBe(false);
});

test("spend in segments that a start does not read counts under a strict limit", async ({
  start,
  balance,
}) => {
  const logger = makeLogger("silent");
  const files = { directory, nodeId, clock: systemClock, logger, segmentBytes: 1 };
  const journal = openJournal(files);
  const first = await start({ journal });
  const record = await begun(first, 60n);
  first.meter.end(endRecord(record, 60n));
  await journal.synced();
  await begun(first, 1n);
  await journal.synced();
  kill(first);
  const second = await start({ holdWaitMs: 500 });
  expect((await begin(second, 40n)).kind).not.toBe("begun");
  await begun(second, 39n);
  expect(await second.meter.flush()).toBe(true);
  expect((await begin(second, 1n)).kind).not.toBe("begun");
  expect(await balance()).toEqual({ settled: 60n, leased: 39n, unresolved: 1n });
});

test("ends that the database has already draw nothing from leases again", async ({
  db,
  start,
  balance,
}) => {
  const first = await start();
  const [one, two] = [await begun(first, 20n), await begun(first, 20n)];
  first.meter.end(endRecord(one, 5n));
  await first.flush();
  first.meter.end(endRecord(two, 6n));
  kill(first);
  // As after a restore of the node's row, the journal is replayed from the beginning.
  await db.database.updateTable("node").set({ flushed_seq: 0n }).where("id", "=", nodeId).execute();
  const second = await start();
  const third = await begun(second, 80n);
  expect(await second.flush()).toBe(true);
  expect((await balance()).settled).toBe(11n);
  second.meter.end(endRecord(third, 80n));
  await second.stop();
  running = [];
  expect(await balance()).toEqual({ settled: 91n, leased: 0n, unresolved: 0n });
  const own = (await listBalanceDifferences(db.database)).filter(
    ({ scopeId }) => scopeId === scope.workspaceId,
  );
  expect(own).toEqual([]);
});
