import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { enterNode } from "#src/recording/node.sql.ts";
import { test as base } from "#test/harness/database-test.ts";
import { makeTestFolds } from "#test/harness/folds.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import { makeTestLeases } from "#test/harness/spend-node.ts";
import { countLimits } from "./lease-draws.sql.ts";
import { lockNode } from "./lease-rows.sql.ts";
import type { SyncAnswer } from "./lease-rules.ts";
import {
  draftMessage,
  endAwaits,
  listActivating,
  readStrictLimits,
  syncLeases,
  writeDraft,
} from "./leases.sql.ts";
import { upsertSpendLimit } from "./limits.sql.ts";
import { NodeLeases } from "./node-leases.ts";
import { toHoldError } from "./refuse-hold.ts";

const TTL_MS = 120_000;
const AWAIT_MS = TTL_MS * 1.25;
const LIMIT = 100n;

const test = base.extend("company", ({ db }) => makeCompany(db.database));

type Company = Awaited<ReturnType<typeof makeCompany>>;
type TestNode = Awaited<ReturnType<Company["startNode"]>>;

/** An organization with one strict limit. */
async function makeCompany(database: Database) {
  const folds = makeTestFolds(database);
  // Nodes of earlier tests.
  await database.updateTable("lease_node").set({ expires_at: null, awaited_until: null }).execute();
  const scope = {
    organizationId: randomUUID(),
    workspaceId: `wksp_${randomUUID()}`,
    apiKeyId: `apikey_${randomUUID()}`,
  };
  await database
    .insertInto("organization")
    .values({ id: scope.organizationId, name: "Acme" })
    .execute();
  const now = { nowMs: 1_000, atMs: SOME_TIME_MS };
  const clock = () => ({ ttlMs: TTL_MS, atMs: now.atMs });

  async function setLimit(amountNanoUsd: bigint): Promise<void> {
    const { organizationId } = scope;
    const of = { scopeType: "organization", scopeId: organizationId, period: "monthly" } as const;
    const limit = { ...of, id: `spl_${randomUUID()}`, organizationId, amountNanoUsd };
    await upsertSpendLimit(database, { ...limit, enforcement: "strict" });
    await countLimits(database, { lockFold, fold: () => folds.fold(), atMs: null });
  }

  /** A node whose messages use the real statements at the time `now`. */
  async function startNode() {
    const id = `node_${randomUUID()}`;
    const leases = new NodeLeases({
      ...{ nodeId: id, ttlMs: TTL_MS, marginMs: 12_000, holdWaitMs: 5_000, maxWaiting: 10 },
    });
    const node = {
      id,
      leases,
      async enter(): Promise<void> {
        const entered = await enterNode(database, { id, journalId: "journal", version: "0" });
        const { epoch, flushedSeq: appendedSeq } = entered;
        leases.enter({ epoch, appendedSeq, hasJournalGap: false });
        const { limits, version } = await readStrictLimits(database);
        leases.setLimits(limits, version);
      },
      async speak(): Promise<SyncAnswer> {
        const message = leases.nextMessage(now);
        if (message === null) throw new Error("the node has nothing to say");
        const answer = await syncLeases(database, message, clock());
        leases.applyAnswer(answer, now);
        return answer;
      },
      hold(amountNanoUsd: bigint) {
        const requestId = `req_${randomUUID()}`;
        return { requestId, ...leases.hold({ requestId, scope, amountNanoUsd }, now) };
      },
      /** Amounts of the node's only lease. */
      lease() {
        const [state] = leases.view().states;
        if (state === undefined) throw new Error("the node has a lease");
        return { held: state.held, free: state.granted - state.drawn - state.held };
      },
    };
    await node.enter();
    await node.speak();
    return node;
  }

  /** Raises the incarnation. Returns its lowest epoch. */
  async function raise(): Promise<bigint> {
    const { rows } = await sql<{ value: bigint }>`
      SELECT value FROM raise_incarnation((SELECT id FROM incarnation ORDER BY value DESC LIMIT 1), -1,
        gen_random_uuid(), 'timeline', '{}', ${new Date(now.atMs)})`.execute(database);
    return (rows[0]?.value ?? 0n) << 32n;
  }

  /** Removes the leases that were written since, as a failover does that loses their transactions. */
  const loseLeases = () =>
    sql`
    WITH allowed AS (SELECT set_config('bursar.may_release_budget', 'on', true)) DELETE FROM lease USING allowed`.execute(
      database,
    );

  function pass(ms: number): void {
    now.nowMs += ms;
    now.atMs += ms;
  }

  await setLimit(LIMIT);
  return { database, scope, now, setLimit, startNode, raise, loseLeases, pass };
}

/** Two nodes. The first one was granted 80 in the lost seconds, and a request runs at 30 of it. */
async function loseGrant({ startNode, raise, loseLeases, now }: Company) {
  const [one, two] = [await startNode(), await startNode()];
  const { requestId } = one.hold(80n);
  await one.speak();
  one.leases.drop(requestId);
  one.hold(30n);
  await loseLeases();
  const leastEpoch = await raise();
  for (const { leases } of [one, two]) leases.handleFailover(leastEpoch, now);
  return { one, two };
}

async function report(node: TestNode): Promise<SyncAnswer> {
  await node.enter();
  return await node.speak();
}

test("a node holds budget of its lease during a failover, and keeps it", async ({ company }) => {
  const { one } = await loseGrant(company);
  expect(one.hold(20n).kind).toBe("held");
  expect(one.lease()).toEqual({ held: 50n, free: 30n });
  await report(one);
  expect(one.lease()).toEqual({ held: 50n, free: 30n });
});

test("a grant that the database lost is not granted again", async ({ company }) => {
  const { one, two } = await loseGrant(company);
  await two.enter();
  two.hold(25n);
  expect(await two.speak()).toMatchObject({ grants: [null], awaited: { nodeId: one.id } });
  await report(one);
  company.pass(200);
  expect(await two.speak()).toMatchObject({ grants: [null], awaited: null });
  two.hold(20n);
  expect(two.leases.view().waiting).toBe(2);
});

test("the last node that is awaited is granted budget with its report", async ({ company }) => {
  const { one, two } = await loseGrant(company);
  await report(two);
  await one.enter();
  one.hold(60n);
  expect(await one.speak()).toMatchObject({ grants: [[10n]], awaited: null });
  expect(one.leases.view().waiting).toBe(0);
});

test("a silent node delays grants for a TTL and a quarter, and a late report needs room for its free budget", async ({
  company,
}) => {
  const { database, now, pass } = company;
  const { one, two } = await loseGrant(company);
  await two.enter();
  two.hold(80n);
  const untilMs = now.atMs + AWAIT_MS;
  expect(await two.speak()).toMatchObject({ awaited: { nodeId: one.id, untilMs } });
  pass(AWAIT_MS - 1);
  expect(await endAwaits(database, { atMs: now.atMs })).toEqual([]);
  expect(await two.speak()).toMatchObject({ awaited: { nodeId: one.id } });
  pass(1);
  expect(await endAwaits(database, { atMs: now.atMs })).toEqual([one.id]);
  two.hold(80n);
  expect(await two.speak()).toMatchObject({ grants: [[80n]], awaited: null });
  const answer = await report(one);
  if (answer.kind !== "done") throw new Error("the report is handled");
  expect([...answer.opened.values()].map(({ keptNanoUsd }) => keptNanoUsd)).toEqual([0n]);
  expect(one.lease()).toEqual({ held: 30n, free: 0n });
});

test("a report that is written after the wait has ended is decided again", async ({ company }) => {
  const { database, now, pass } = company;
  const { one } = await loseGrant(company);
  await one.enter();
  const message = one.leases.nextMessage(now);
  if (message === null) throw new Error("the node reports");
  const draft = await draftMessage(database, message, { atMs: now.atMs });
  if (draft.kind !== "drafted") throw new Error("the report is drafted");
  expect(draft.isAwaiting).toBe(true);
  pass(AWAIT_MS);
  expect(await writeDraft(database, draft, { ttlMs: TTL_MS, atMs: now.atMs })).toBe(null);
});

test("a second failover waits for nodes that have not reported since the first one", async ({
  company,
}) => {
  const { now, pass, raise } = company;
  const { one, two } = await loseGrant(company);
  await report(two);
  pass(60_000);
  const leastEpoch = await raise();
  for (const { leases } of [one, two]) leases.handleFailover(leastEpoch, now);
  await two.enter();
  two.hold(10n);
  const untilMs = now.atMs + AWAIT_MS;
  expect(await two.speak()).toMatchObject({ awaited: { nodeId: one.id, untilMs } });
});

test("a node ignores an epoch from before the last failover", async ({ company }) => {
  const { now, raise } = company;
  const { one } = await loseGrant(company);
  one.leases.handleFailover((await raise()) + (1n << 32n), now);
  await one.enter();
  expect([one.leases.isFenced, one.hold(20n).kind]).toEqual([true, "held"]);
});

test("a limit that is lower after the failover ends the free budget", async ({ company }) => {
  const { database, setLimit } = company;
  const { one } = await loseGrant(company);
  await setLimit(60n);
  const limits = await readStrictLimits(database);
  one.leases.setLimits(limits.limits, limits.version);
  expect(one.hold(20n).kind).toBe("waiting");
});

test("a node counts as live while it is awaited, so it cannot be forgotten", async ({
  company,
}) => {
  const { database, now, pass } = company;
  const { one } = await loseGrant(company);
  const untilMs = now.atMs + AWAIT_MS;
  const readExpiry = () => database.transaction().execute((tx) => lockNode(tx, one.id));
  expect(await readExpiry()).toMatchObject({ expiresAt: new Date(untilMs) });
  pass(AWAIT_MS);
  await endAwaits(database, { atMs: now.atMs });
  expect(await readExpiry()).toMatchObject({ expiresAt: null });
});

test("a limit is activating while a node that may not know it is awaited", async ({ company }) => {
  const { database, scope, setLimit } = company;
  const { one, two } = await loseGrant(company);
  await setLimit(50n);
  await report(two);
  const countActivating = async () => {
    const limits = await listActivating(database);
    return limits.filter(({ organizationId }) => organizationId === scope.organizationId).length;
  };
  expect(await countActivating()).toBe(1);
  await report(one);
  expect(await countActivating()).toBe(0);
});

test("a node that the database does not know gets an epoch of the incarnation", async ({
  company,
}) => {
  const leastEpoch = await company.raise();
  const entered = await enterNode(company.database, {
    ...{ id: `node_${randomUUID()}`, journalId: "journal", version: "0" },
  });
  expect(entered.epoch).toBe(leastEpoch);
});

test("a request that waits for the report of a node is refused with the node and the time", async ({
  company,
}) => {
  const { now, pass } = company;
  const { one, two } = await loseGrant(company);
  const untilMs = now.atMs + AWAIT_MS;
  await two.enter();
  two.hold(25n);
  await two.speak();
  pass(4_900);
  await two.speak();
  pass(100);
  const [resolution] = two.leases.resolveWaiting(now);
  if (resolution?.decision.kind !== "refused") throw new Error("the request is refused");
  const error = toHoldError(resolution.decision, {
    explain: () => "",
    explainIncrease: () => "",
  });
  const until = new Date(untilMs).toISOString();
  expect(error).toMatchObject({
    code: "database_failed_over",
    headers: { "retry-after": "2" },
    details: { awaited_node: { id: one.id, until } },
  });
  expect(error.message).toContain(
    `node ${one.id} to report the budget that it holds, until ${until}`,
  );
});

test("a node that hears of a failover enters again, and holds budget meanwhile", async ({
  company,
}) => {
  const { database, scope } = company;
  const handlers = new Set<(change: { after: { value: bigint } }) => void>();
  const id = `node_${randomUUID()}`;
  const entered = Promise.withResolvers<void>();
  const enter = async () => {
    const row = await enterNode(database, { id, journalId: "journal", version: "0" });
    leases.entered({ ...row, isJournalWhole: true });
  };
  const leases = makeTestLeases({
    database,
    nodeId: id,
    incarnations: {
      subscribe: (handler) => {
        const call = (change: { after: { value: bigint } }) => {
          const after = { id: "a", timeline: 2n, systemIdentifier: "one", ...change.after };
          handler({ before: { ...after, value: 0n }, after });
        };
        handlers.add(call);
        return () => void handlers.delete(call);
      },
    },
    reenter: async () => {
      await enter();
      entered.resolve();
    },
  });
  await enter();
  await leases.start();
  await leases.hold({ requestId: "req_1", scope, amountNanoUsd: 40n });
  leases.drop("req_1");
  const leastEpoch = await company.raise();
  for (const handler of handlers) handler({ after: { value: leastEpoch >> 32n } });
  expect(leases.hold({ requestId: "req_2", scope, amountNanoUsd: 40n })).toMatchObject({
    kind: "held",
  });
  await entered.promise;
  await leases.stop();
  expect(handlers.size).toBe(0);
});
