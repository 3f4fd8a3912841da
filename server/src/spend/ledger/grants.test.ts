import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { enterNode } from "#src/recording/node.sql.ts";
import { test as base } from "#test/harness/database-test.ts";
import { settleRecords } from "#test/harness/folds.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { countLimits } from "./lease-draws.sql.ts";
import type { LeaseTarget, SyncAnswer, SyncMessage } from "./lease-rules.ts";
import {
  type DraftedMessage,
  draftMessage,
  fenceSilentNodes,
  readLimitsVersion,
  syncLeases,
  writeDraft,
} from "./leases.sql.ts";
import { deleteSpendLimit, upsertSpendLimit } from "./limits.sql.ts";
import { balanceKeyText } from "./spend-key.ts";

const LIMIT = 100n;
const NO_FOLD = () => Promise.resolve();
const OPTIONS = { ttlMs: 60_000, atMs: null };

/** Nodes with an open lease on one limit of 100. */
const test = base.extend("grants", async ({ db }) => {
  const { database } = db;
  const { workspaceId, apiKeyId } = beginRecord();
  const organizationId = randomUUID();
  await database.insertInto("organization").values({ id: organizationId, name: "Acme" }).execute();
  const id = `spl_${organizationId}`;
  const scope = { organizationId, scopeType: "organization", scopeId: organizationId } as const;
  const setLimit = (amountNanoUsd: bigint) =>
    upsertSpendLimit(database, {
      ...scope,
      id,
      period: "daily",
      amountNanoUsd,
      enforcement: "strict",
    });
  const count = () => countLimits(database, { lockFold, fold: NO_FOLD, atMs: null });
  await setLimit(LIMIT);
  await count();
  const periodStart = new Date(SOME_TIME_MS).toISOString().slice(0, 10);
  const key = { ...scope, period: "daily", periodStart } as const;
  const text = balanceKeyText(key);
  const nodes = new Map<string, { epoch: bigint; op: number; countId: bigint }>();

  /** Message that sets the lease and asks for `minimum` more. */
  async function makeMessage(
    nodeId: string,
    { granted, minimum }: { granted: bigint | null; minimum: bigint },
  ): Promise<SyncMessage> {
    const node = nodes.get(nodeId) ?? { epoch: 0n, op: 0, countId: 0n };
    node.op += 1;
    const target: LeaseTarget =
      granted === null
        ? { kind: "open", neededNanoUsd: 0n, keptNanoUsd: 0n }
        : { kind: "set", countId: node.countId, grantedNanoUsd: granted };
    const entry = { key: text, minimumNanoUsd: minimum, preferredNanoUsd: minimum };
    return {
      nodeId,
      epoch: node.epoch,
      op: node.op,
      limitsVersion: await readLimitsVersion(database),
      keys: new Map([[text, key]]),
      targets: new Map([[text, target]]),
      isComplete: true,
      hasJournalGap: false,
      isLeaving: false,
      grantRequests: minimum === 0n ? [] : [{ requestId: "req_1", entries: [entry] }],
      topUps: new Map(),
    };
  }

  async function send(message: SyncMessage): Promise<SyncAnswer> {
    const answer = await syncLeases(database, message, OPTIONS);
    const opened = answer.kind === "done" ? answer.opened.get(text) : undefined;
    const node = nodes.get(message.nodeId);
    if (opened && node) node.countId = opened.countId;
    return answer;
  }

  return {
    database,
    text,
    setLimit,
    count,
    removeLimit: () => deleteSpendLimit(database, { organizationId, id }),
    makeMessage,
    send,
    async start(): Promise<string> {
      const nodeId = `node_${randomUUID()}`;
      const journalId = `journal_${randomUUID()}`;
      const { epoch } = await enterNode(database, { id: nodeId, journalId, version: "0" });
      nodes.set(nodeId, { epoch, op: 0, countId: 0n });
      await send(await makeMessage(nodeId, { granted: null, minimum: 0n }));
      return nodeId;
    },
    async draft(message: SyncMessage): Promise<DraftedMessage> {
      const draft = await draftMessage(database, message, { atMs: null });
      if (draft.kind !== "drafted") throw new Error(`the message is ${draft.kind}`);
      return draft;
    },
    write: (draft: DraftedMessage) => writeDraft(database, draft, OPTIONS),
    fold: (tx: Tx, nodeId: string, costNanoUsd: bigint) => {
      const requestId = `req_${randomUUID()}`;
      const begin = beginRecord({ organizationId, workspaceId, apiKeyId, requestId });
      return settleRecords(tx, nodeId, [endRecord(begin, costNanoUsd)], { atMs: null });
    },
    async balance() {
      const row = await database
        .selectFrom("balance_sum")
        .selectAll()
        .where("scope_id", "=", organizationId)
        .where("period", "=", "daily")
        .executeTakeFirstOrThrow();
      const { settled_nano_usd: settled, leased_nano_usd: leased } = row;
      return { settled, leased, unresolved: row.unresolved_nano_usd };
    },
    /** Stores leases and contacts as version 0.1 does. */
    setOlder: (isOlder: boolean) =>
      database
        .updateTable("rollup_progress")
        .set({ hour_at: isOlder ? sql`'infinity'` : new Date(SOME_TIME_MS) })
        .execute(),
  };
});

test("a grant does not wait for a fold or a flush that holds its locks", async ({ grants }) => {
  const [one, two] = [await grants.start(), await grants.start()];
  await inTransaction(grants.database, async (tx) => {
    await tx.selectFrom("node").select("id").forUpdate().execute();
    await grants.fold(tx, two, 7n);
    const answer = await grants.send(await grants.makeMessage(one, { granted: 0n, minimum: 60n }));
    expect(answer).toMatchObject({ kind: "done", grants: [[60n]] });
  });
  expect(await grants.balance()).toEqual({ settled: 7n, leased: 60n, unresolved: 0n });
});

test("a fold between the read and the write of a message changes nothing", async ({ grants }) => {
  const node = await grants.start();
  await grants.send(await grants.makeMessage(node, { granted: 0n, minimum: 50n }));
  const draft = await grants.draft(await grants.makeMessage(node, { granted: 50n, minimum: 50n }));
  await inTransaction(grants.database, (tx) => grants.fold(tx, node, 20n));
  expect(await grants.write(draft)).toMatchObject({ kind: "done", grants: [[50n]] });
  expect(await grants.balance()).toEqual({ settled: 20n, leased: 80n, unresolved: 0n });
});

test("a grant that no longer fits is not written, and is decided again", async ({ grants }) => {
  const [one, two] = [await grants.start(), await grants.start()];
  const message = await grants.makeMessage(one, { granted: 0n, minimum: 60n });
  const draft = await grants.draft(message);
  const other = await grants.send(await grants.makeMessage(two, { granted: 0n, minimum: 60n }));
  expect(other).toMatchObject({ grants: [[60n]] });
  expect(await grants.write(draft)).toBeNull();
  expect(await grants.balance()).toMatchObject({ leased: 60n });
  expect(await grants.send(message)).toMatchObject({ kind: "done", grants: [null] });
});

test("eight nodes that ask at once are granted the whole limit and no more", async ({ grants }) => {
  const nodes = await Promise.all(Array.from({ length: 8 }, () => grants.start()));
  const answers = await Promise.all(
    nodes.map(async (node) =>
      grants.send(await grants.makeMessage(node, { granted: 0n, minimum: 20n })),
    ),
  );
  const given = answers.filter(({ kind, ...rest }) => {
    return kind === "done" && "grants" in rest && rest.grants[0] !== null;
  });
  expect(given).toHaveLength(5);
  expect(await grants.balance()).toMatchObject({ leased: LIMIT });
});

test("a lease is not written under a count of draws that was started again", async ({ grants }) => {
  const node = await grants.start();
  const draft = await grants.draft(await grants.makeMessage(node, { granted: 0n, minimum: 10n }));
  await grants.removeLimit();
  await grants.count();
  await grants.setLimit(LIMIT);
  await grants.count();
  expect(await grants.write(draft)).toBeNull();
  expect(await grants.balance()).toMatchObject({ leased: 0n });
});

test("a grant is not written while its balance has no row", async ({ grants }) => {
  const node = await grants.start();
  const message = await grants.makeMessage(node, { granted: 0n, minimum: 60n });
  const draft = await grants.draft(message);
  await grants.database.deleteFrom("balance").where("period", "=", "daily").execute();
  expect(await grants.write(draft)).toBeNull();
  expect(await grants.send(message)).toMatchObject({ kind: "done", grants: [[60n]] });
  expect(await grants.balance()).toMatchObject({ leased: 60n });
});

test("a message of a node that is fenced after its read is not obeyed", async ({ grants }) => {
  const node = await grants.start();
  await grants.send(await grants.makeMessage(node, { granted: 0n, minimum: 30n }));
  const draft = await grants.draft(await grants.makeMessage(node, { granted: 30n, minimum: 30n }));
  const options = { graceMs: 0, atMs: Date.now() + 120_000 };
  expect(await fenceSilentNodes(grants.database, options)).toContain(node);
  expect(await grants.write(draft)).toEqual({ kind: "fenced" });
  expect(await grants.balance()).toEqual({ settled: 0n, leased: 0n, unresolved: 30n });
});

test("leases of version 0.1 keep their amounts when they are converted", async ({ grants }) => {
  await grants.setOlder(true);
  const node = await grants.start();
  await grants.send(await grants.makeMessage(node, { granted: 0n, minimum: 30n }));
  await inTransaction(grants.database, (tx) => grants.fold(tx, node, 12n));
  const stored = grants.database.selectFrom("balance").select("leased_nano_usd as leased");
  const isDaily = stored.where("period", "=", "daily").where("leased_nano_usd", ">", 0n);
  expect(await isDaily.execute()).toEqual([{ leased: 18n }]);
  expect(await grants.balance()).toEqual({ settled: 12n, leased: 18n, unresolved: 0n });
  await grants.setOlder(false);
  const message = await grants.makeMessage(node, { granted: 30n, minimum: 0n });
  expect(await grants.send(message)).toMatchObject({ kind: "done" });
  expect(await isDaily.execute()).toEqual([]);
  expect(await grants.balance()).toEqual({ settled: 12n, leased: 18n, unresolved: 0n });
  expect(await grants.send(message)).toEqual({ kind: "late" });
});

test("a message without balances renews the node, and keeps its leases", async ({ grants }) => {
  const node = await grants.start();
  const { database } = grants;
  const readContact = () =>
    database
      .selectFrom("lease_node")
      .select(["op", "expires_at as expiresAt"])
      .where("node_id", "=", node)
      .executeTakeFirstOrThrow();
  const complete = await grants.send(await grants.makeMessage(node, { granted: 0n, minimum: 10n }));
  if (complete.kind !== "done") throw new Error(`the message is ${complete.kind}`);
  const before = await readContact();
  const next = await grants.makeMessage(node, { granted: 0n, minimum: 0n });
  const quiet = { ...next, keys: new Map(), targets: new Map(), isComplete: false };
  const { foldedSeq, liveNodes, awaited } = complete;
  expect(await grants.send(quiet)).toMatchObject({ kind: "done", foldedSeq, liveNodes, awaited });
  const after = await readContact();
  expect(after.op).toBe(BigInt(next.op));
  expect(Number(after.expiresAt)).toBeGreaterThan(Number(before.expiresAt));
  const leases = database.selectFrom("lease").select("node_id").where("node_id", "=", node);
  expect(await leases.execute()).toHaveLength(1);
  expect(await grants.send(quiet)).toEqual({ kind: "late" });
});
