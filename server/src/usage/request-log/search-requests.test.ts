import { sql } from "kysely";
import { describe, expect } from "vitest";
import { insertUsageEvents } from "#src/recording/usage.sql.ts";
import { toUsageEvent } from "#src/recording/usage-rows.ts";
import { test as base } from "#test/harness/database-test.ts";
import { beginRecord, endRecord, SOME_TIME_MS, toOldEvent } from "#test/harness/request-records.ts";
import type { RequestPlace } from "./merge-searches.rule.ts";
import { listRequests } from "./requests.sql.ts";
import type { RequestFilter } from "./search-requests.sql.ts";

// Searches over more requests and labels than one step of them reads, and over both tables.

const { organizationId } = beginRecord();
const MINUTE_MS = 60_000;

const everything: RequestFilter = {
  organizationId,
  visible: { workspaceIds: null, own: null },
  startMs: 0,
  endMs: SOME_TIME_MS + 24 * 60 * MINUTE_MS,
  workspaceIds: undefined,
  apiKeyIds: undefined,
  statuses: undefined,
  labels: {},
  attribution: null,
  minCostNanoUsd: undefined,
  doubts: undefined,
  isResolved: undefined,
  hasUnbilledParts: undefined,
  isCut: undefined,
  upstreamIds: undefined,
  idPrefix: undefined,
  upstreamRequestId: undefined,
  agentSessionId: undefined,
  promptId: undefined,
};

interface Made {
  apiKeyId: string;
  startedAtMs: number;
  isFailed?: boolean;
  isUnbilled?: boolean;
  isCut?: boolean;
  upstreamId?: string;
  nanoUsd?: bigint;
}

const cut = {
  reason: "limit_spent",
  scopeType: "workspace",
  scopeId: "wksp_1",
  period: "monthly",
  heldNanoUsd: 5n,
  seenOutputTokens: 10,
  boundOutputTokens: 12,
} as const;

const test = base.extend("log", ({ db }) => {
  const toRecord = ({ apiKeyId, startedAtMs, nanoUsd = 1n, ...made }: Made) => {
    const { isFailed, isUnbilled, isCut, upstreamId } = made;
    return endRecord(
      beginRecord({ apiKeyId, startedAtMs, ...(isUnbilled && { hasUnbilledParts: true }) }),
      nanoUsd,
      {
        ...(isFailed && { outcome: "refused", httpStatus: 529 }),
        ...(isCut && { outcome: "interrupted", cut }),
        ...(upstreamId !== undefined && { upstreamId, failover: "overloaded" }),
      },
    );
  };
  return {
    record: async (made: readonly Made[]) => {
      const records = made.map(toRecord);
      const ended = { nodeId: "node_1", records };
      await db.database.transaction().execute((tx) => insertUsageEvents(tx, ended));
      return records.map(({ requestId }) => requestId);
    },
    recordAsOldNode: async (made: readonly Made[]) => {
      const events = made.map((each) => toUsageEvent(toRecord(each), "node_1"));
      for (const event of events.map(toOldEvent)) {
        await db.database.insertInto("usage_event").values(event).execute();
      }
      return events.map((event) => event.request_id);
    },
    /** Requests of other keys, newer than all others. */
    fillWithOthers: async (keys: number, requests: number) => {
      await sql`INSERT INTO usage_labels SELECT key, ${organizationId}::uuid, 'wksp_2', 'apikey_other_' || key, '',
          'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'other'
        FROM generate_series(1, ${keys}::int) AS key`.execute(db.database);
      await sql`INSERT INTO usage_record (started_at, labels_id, prices_id, usage_node_id, duration_ms, outcome_code,
          is_stream, is_estimated, is_unpriced, request_id, cost_nano_usd)
        SELECT ${new Date(SOME_TIME_MS + 60 * MINUTE_MS)}::timestamptz + n * interval '1 ms', 1 + n % ${keys}::int, 0, 0, 1,
          CASE WHEN n % 2 = 0 THEN 2 ELSE 0 END, false, false, false, 'req_other_' || n, 5
        FROM generate_series(1, ${requests}::int) AS n`.execute(db.database);
    },
    /** All pages, each with the number of its requests. */
    readAll: async (filter: Partial<RequestFilter>, limit = 2) => {
      const ids: string[] = [];
      let from: RequestPlace | null = null;
      for (let page = 0; page < 200; page++) {
        const { rows, searchEnd } = await db.database
          .transaction()
          .execute((tx) => listRequests(tx, { ...everything, ...filter }, { from, limit }));
        expect(rows.length).toBeLessThanOrEqual(limit);
        ids.push(...rows.map((row) => row.request_id));
        if (searchEnd === null) return ids;
        from = searchEnd;
      }
      throw new Error("the log has no end");
    },
  };
});

test.beforeEach(async ({ db }) => {
  await sql`TRUNCATE usage_record, usage_event, usage_labels, usage_prices, usage_node`.execute(
    db.database,
  );
});

const few = (isFailed = false): Made[] =>
  [0, 1, 2, 3, 4].map((n) => ({
    apiKeyId: "apikey_1",
    startedAtMs: SOME_TIME_MS - n * MINUTE_MS,
    isFailed,
  }));

test("requests of both tables are one log, newest first", async ({ log }) => {
  const at = (n: number) => SOME_TIME_MS - n * MINUTE_MS;
  const [a, c, e] = await log.record(
    [0, 2, 4].map((n) => ({ apiKeyId: "apikey_1", startedAtMs: at(n) })),
  );
  const [b, d] = await log.recordAsOldNode(
    [1, 3].map((n) => ({ apiKeyId: "apikey_1", startedAtMs: at(n) })),
  );
  for (const limit of [1, 2, 3, 10]) {
    expect(await log.readAll({}, limit)).toEqual([a, b, c, d, e]);
    expect(await log.readAll({ apiKeyIds: ["apikey_1"], minCostNanoUsd: 1n }, limit)).toEqual([
      a,
      b,
      c,
      d,
      e,
    ]);
  }
});

test("pages over both tables have every request of one millisecond once", async ({ log }) => {
  const same = Array.from({ length: 7 }, () => ({
    apiKeyId: "apikey_1",
    startedAtMs: SOME_TIME_MS,
  }));
  const ids = [...(await log.record(same)), ...(await log.recordAsOldNode(same))];
  const all = await log.readAll({}, 100);
  expect(all.toSorted()).toEqual(ids.toSorted());
  expect(await log.readAll({})).toEqual(all);
});

describe("behind thousands of requests of other keys", () => {
  test.for([
    ["by key, with few combinations of labels", 20],
    ["by key, with many combinations of labels", 1_500],
  ] as const)("finds requests %s", async ([_, keys], { log }) => {
    await log.fillWithOthers(keys, 3_000);
    const ids = await log.record(few());
    expect(await log.readAll({ apiKeyIds: ["apikey_1"] })).toEqual(ids);
    expect(await log.readAll({ workspaceIds: ["wksp_1"] })).toEqual(ids);
    expect(await log.readAll({ apiKeyIds: ["apikey_1"], minCostNanoUsd: 2n })).toEqual([]);
    expect(await log.readAll({ minCostNanoUsd: 2n, workspaceIds: ["wksp_2"] }, 1_000)).toHaveLength(
      3_000,
    );
  });

  test("finds failed requests of a key", async ({ log }) => {
    await log.fillWithOthers(20, 6_000);
    const ids = await log.record(few(true));
    const filter = { statuses: ["server_error"], apiKeyIds: ["apikey_1"] };
    expect(await log.readAll(filter)).toEqual(ids);
    await log.record(few());
    expect(await log.readAll(filter)).toEqual(ids);
  });

  test("a filter that only few requests of many keys match finds each once", async ({ log }) => {
    await log.fillWithOthers(1_500, 60_000);
    const ids = await log.record(few().map((made) => ({ ...made, nanoUsd: 100n })));
    expect(await log.readAll({ minCostNanoUsd: 100n })).toEqual(ids);
  });
});

test("requests with unbilled parts are found in either half of the log, and by key", async ({
  log,
}) => {
  await log.fillWithOthers(20, 3_000);
  const marked = await log.record(few().map((made) => ({ ...made, isUnbilled: true })));
  const others = await log.record(few());
  const old = await log.recordAsOldNode(few());
  expect(await log.readAll({ hasUnbilledParts: true })).toEqual(marked);
  expect(await log.readAll({ hasUnbilledParts: true, apiKeyIds: ["apikey_1"] })).toEqual(marked);
  const rest = await log.readAll({ hasUnbilledParts: false, apiKeyIds: ["apikey_1"] });
  expect(rest.toSorted()).toEqual([...others, ...old].toSorted());
});

test("cut streams are found in either half of the log, and by key", async ({ log }) => {
  await log.fillWithOthers(20, 3_000);
  const marked = await log.record(few().map((made) => ({ ...made, isCut: true })));
  const others = await log.record(few());
  const old = await log.recordAsOldNode(few());
  expect(await log.readAll({ isCut: true })).toEqual(marked);
  expect(await log.readAll({ isCut: true, apiKeyIds: ["apikey_1"] })).toEqual(marked);
  expect(await log.readAll({ isCut: true, statuses: ["interrupted"] })).toEqual(marked);
  const rest = await log.readAll({ isCut: false, apiKeyIds: ["apikey_1"] });
  expect(rest.toSorted()).toEqual([...others, ...old].toSorted());
});

test("requests of an upstream are found, with and without a failover", async ({ log }) => {
  await log.fillWithOthers(20, 3_000);
  const second = await log.record(few().map((made) => ({ ...made, upstreamId: "ups_2" })));
  const first = await log.record(few().map((made) => ({ ...made, upstreamId: "ups_22" })));
  await log.record(few());
  await log.recordAsOldNode(few());
  expect(await log.readAll({ upstreamIds: ["ups_2"] })).toEqual(second);
  expect(await log.readAll({ upstreamIds: ["ups_22"], apiKeyIds: ["apikey_1"] })).toEqual(first);
  const both = await log.readAll({ upstreamIds: ["ups_2", "ups_22"] });
  expect(both.toSorted()).toEqual([...first, ...second].toSorted());
  expect(await log.readAll({ upstreamIds: ["ups"] })).toEqual([]);
});

test("an organization does not see the requests of another one", async ({ log }) => {
  await log.record(few());
  expect(await log.readAll({ organizationId: "00000000-0000-4000-8000-000000000002" })).toEqual([]);
});
