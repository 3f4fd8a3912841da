import fc from "fast-check";
import { sql } from "kysely";
import { expect } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { test as base } from "#test/harness/database-test.ts";
import { countPropertyRuns } from "#test/harness/property-runs.ts";
import { beginRecord, endRecord, SOME_TIME_MS, toOldEvent } from "#test/harness/request-records.ts";
import { appendUsage } from "./record-usage.ts";
import { insertUsageEvents, listRecordedRequests } from "./usage.sql.ts";
import { UsageDictionary } from "./usage-dictionary.ts";
import { doubts } from "./usage-record-rows.ts";
import { toUsageEvent } from "./usage-rows.ts";

const anyAmount = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000_000_000 }));

const heldCut = {
  reason: "limit_held",
  scopeType: "workspace",
  scopeId: "wksp_1",
  period: "monthly",
  heldNanoUsd: 9_007_199_254_740_993n,
  seenOutputTokens: 100,
  boundOutputTokens: 120.5,
} as const;
const balance = {
  limitNanoUsd: 9_007_199_254_740_993n,
  settledNanoUsd: 1n,
  leasedNanoUsd: 2n,
  unresolvedNanoUsd: 0n,
};

const anyRecord: fc.Arbitrary<EndRecord> = fc
  .record({
    durationMs: fc.integer({ min: -5, max: 3_000_000 }),
    apiKeyId: fc.constantFrom("apikey_1", "apikey_2"),
    memberId: fc.constantFrom(undefined, "user_1"),
    groups: fc.constantFrom({}, { groupIds: ["group_1"] }, { groupIds: ["group_1", "group_2"] }),
    tags: fc.constantFrom({}, { tagIds: ["tag_1"] }),
    claims: fc.constantFrom<Pick<EndRecord, "claimed">>(
      {},
      { claimed: { agentSessionId: "session_1" } },
      {
        claimed: {
          agentSessionId: "session_2",
          promptId: "prompt_1",
          agentId: "agent_2",
          parentAgentId: "agent_1",
          requestClass: "subagent",
        },
      },
    ),
    model: fc.constantFrom("claude-sonnet-5", 'quoted "\\{}', "m".repeat(300)),
    requestedModel: fc.constantFrom("claude-sonnet-5", "alias"),
    serviceTier: fc.constantFrom("standard", "batch"),
    contextWindow: fc.constantFrom<EndRecord["contextWindow"]>("0-200k", "200k-1M"),
    inferenceGeo: fc.constantFrom("global", "us"),
    speed: fc.constantFrom("standard", "fast"),
    outcome: fc.constantFrom<EndRecord["outcome"]>(
      "answered",
      "aborted",
      "refused",
      "unreached",
      "interrupted",
    ),
    httpStatus: fc.constantFrom(null, 200, 429, 529),
    isEstimated: fc.boolean(),
    doubt: fc.constantFrom<EndRecord["doubt"]>(undefined, ...doubts),
    cut: fc.constantFrom<EndRecord["cut"]>(undefined, heldCut, {
      ...heldCut,
      pausedMs: 1,
      balance,
    }),
    served: fc.constantFrom<Pick<EndRecord, "upstreamId" | "failover">>(
      {},
      { upstreamId: "ups_1" },
      { upstreamId: "ups_2", failover: "rate_limited" },
    ),
    isUnpriced: fc.boolean(),
    prices: fc.constantFrom("{}", '{"row": "claude-sonnet-5"}'),
    upstreamRequestId: fc.constantFrom(null, "req_upstream"),
    firstByteMs: fc.constantFrom(null, 0, 300),
    holdNanoUsd: fc.constantFrom(undefined, 0n, 7n),
    nanoUsd: anyAmount.map(BigInt),
    inputTokens: anyAmount,
    webSearches: anyAmount,
  })
  .map(({ durationMs, apiKeyId, memberId, groups, tags, claims, ...others }) => {
    const { holdNanoUsd, nanoUsd, doubt, cut, served, ...rest } = others;
    const begin = beginRecord({
      apiKeyId,
      ...groups,
      ...tags,
      ...claims,
      ...(memberId === undefined ? {} : { memberId }),
      ...(holdNanoUsd === undefined ? {} : { holdNanoUsd }),
    });
    const { inputTokens, webSearches, ...fields } = rest;
    const end = endRecord(begin, nanoUsd, {
      ...fields,
      ...(doubt === undefined ? {} : { doubt }),
      ...(cut === undefined ? {} : { cut }),
      ...served,
      endedAtMs: begin.startedAtMs + durationMs,
    });
    return { ...end, usage: { ...end.usage, inputTokens, webSearches } };
  });

const test = base.extend("requests", ({ db }) => ({
  record: (records: readonly EndRecord[]) =>
    db.database.transaction().execute((tx) => insertUsageEvents(tx, { nodeId: "node_1", records })),
  /** Inserts the row that a node of version 0.1 writes. */
  recordAsOldNode: (record: EndRecord) => {
    const event = toOldEvent(toUsageEvent(record, "node_1"));
    return db.database.insertInto("usage_event").values(event).execute();
  },
  count: async (table: "usage_record" | "usage_labels" | "usage_prices" | "usage_node") => {
    const { rows } = await sql<{ count: number }>`
      SELECT count(*)::integer AS count FROM ${sql.table(table)}`.execute(db.database);
    return rows[0]?.count;
  },
}));

const POSITION = { journalId: "journal_1", toSeq: 1 };
const makeParticipant = (nodeId: string) => appendUsage({ nodeId, encodeHoldCharges });

test.beforeEach(async ({ db }) => {
  await sql`TRUNCATE usage_record, usage_event, usage_labels, usage_prices, usage_node`.execute(
    db.database,
  );
});

test("a record reads as the event that it stores", async ({ db, requests }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), async (records) => {
      await requests.record(records);
      const ids = records.map(({ requestId }) => requestId);
      const rows = await db.database
        .selectFrom("recorded_request")
        .selectAll()
        .where("request_id", "in", ids)
        .execute();
      const shown = new Map(
        rows.map(({ request_hash: _, outcome_code: __, attribution_id: ___, ...row }) => [
          row.request_id,
          row,
        ]),
      );
      expect(shown.size).toBe(records.length);
      for (const record of records) {
        const event = toUsageEvent(record, "node_1");
        expect(shown.get(record.requestId)).toEqual({ ...event, prices: JSON.parse(event.prices) });
      }
    }),
    { numRuns: countPropertyRuns(20) },
  );
});

test("labels whose id belongs to other labels get an id of their own, the same on each node", async ({
  db,
  requests,
}) => {
  const record = endRecord(beginRecord(), 1n, { model: "claude-sonnet-5" });
  const { labels } = new UsageDictionary().findRefs(toUsageEvent(record, "node_1"));
  await db.database
    .insertInto("usage_labels")
    .values({ id: labels.id, ...labels.value, model: "another" })
    .execute();
  await requests.record([record]);
  await requests.record([endRecord(beginRecord(), 1n, { model: "claude-sonnet-5" })]);
  const models = db.database.selectFrom("recorded_request").select("model");
  expect(await models.execute()).toEqual([
    { model: "claude-sonnet-5" },
    { model: "claude-sonnet-5" },
  ]);
  expect(await requests.count("usage_labels")).toBe(2);
});

test("requests with the same texts share their rows", async ({ requests }) => {
  const first = [1, 2, 3].map(() => endRecord(beginRecord(), 1n));
  await requests.record(first);
  await requests.record([endRecord(beginRecord(), 1n, { model: "claude-opus-5" })]);
  expect(await requests.count("usage_record")).toBe(4);
  expect(await requests.count("usage_labels")).toBe(2);
  expect(await requests.count("usage_prices")).toBe(1);
  expect(await requests.count("usage_node")).toBe(1);
});

test("refuses a request that is already recorded", async ({ requests }) => {
  const record = endRecord(beginRecord(), 1n);
  await requests.record([record]);
  await expect(requests.record([record])).rejects.toMatchObject({ code: "23505" });
  expect(await requests.count("usage_record")).toBe(1);
});

test("lists recorded requests of both tables, so that a replay records none of them again", async ({
  db,
  requests,
}) => {
  const [old, recent, unknown] = [1, 2, 3].map(() => endRecord(beginRecord(), 1n));
  await requests.recordAsOldNode(old as EndRecord);
  await requests.record([recent as EndRecord]);
  const asked = [old, recent, unknown] as EndRecord[];
  expect(await listRecordedRequests(db.database, asked)).toEqual(
    new Set([old?.requestId, recent?.requestId]),
  );
});

test("a flush that is rolled back leaves texts that the next flush uses", async ({
  db,
  requests,
}) => {
  const participant = makeParticipant("node_1");
  const batch = [endRecord(beginRecord(), 1n)];
  const flush = (fails: boolean) =>
    db.database.transaction().execute(async (tx) => {
      await participant.flush(tx, batch, POSITION);
      if (fails) throw new Error("the connection broke");
    });
  await participant.prepare?.(db.database, batch);
  await expect(flush(true)).rejects.toThrow("the connection broke");
  expect(await requests.count("usage_labels")).toBe(1);
  await flush(false);
  participant.committed?.(batch, { flushedSeq: 1, isCounted: true });
  expect(await requests.count("usage_record")).toBe(1);
  expect(await requests.count("usage_labels")).toBe(1);
});

test("texts that the database lost before the first flush with them are stored again", async ({
  db,
  requests,
}) => {
  const participant = makeParticipant("node_1");
  const batch = [endRecord(beginRecord(), 1n)];
  await participant.prepare?.(db.database, batch);
  await sql`TRUNCATE usage_labels, usage_prices, usage_node`.execute(db.database);
  await db.database.transaction().execute((tx) => participant.flush(tx, batch, POSITION));
  const shown = await db.database.selectFrom("recorded_request").select("node_id").execute();
  expect(shown).toEqual([{ node_id: "node_1" }]);
  expect(await requests.count("usage_labels")).toBe(1);
});

test("a node with a new epoch stores its texts again", async ({ db, requests }) => {
  const participant = makeParticipant("node_1");
  const flush = async (batch: readonly EndRecord[]) => {
    await participant.prepare?.(db.database, batch);
    await db.database.transaction().execute((tx) => participant.flush(tx, batch, POSITION));
    participant.committed?.(batch, { flushedSeq: 1, isCounted: true });
  };
  await flush([endRecord(beginRecord(), 1n)]);
  await sql`TRUNCATE usage_record, usage_labels, usage_prices, usage_node`.execute(db.database);
  participant.started?.({ epoch: 2n, flushedSeq: 1, isJournalWhole: true });
  await flush([endRecord(beginRecord({ startedAtMs: SOME_TIME_MS + 1 }), 1n)]);
  expect(await requests.count("usage_labels")).toBe(1);
});

test("nodes that record new texts at the same time store each once", async ({ db, requests }) => {
  const flushes = Array.from({ length: 8 }, async (_, node) => {
    const participant = makeParticipant(`node_${node}`);
    const batch = Array.from({ length: 30 }, (_, key) =>
      endRecord(beginRecord({ apiKeyId: `apikey_${(key * 7 + node) % 30}` }), 1n),
    );
    await participant.prepare?.(db.database, batch);
    await db.database.transaction().execute((tx) => participant.flush(tx, batch, POSITION));
  });
  await Promise.all(flushes);
  expect(await requests.count("usage_record")).toBe(240);
  expect(await requests.count("usage_labels")).toBe(30);
  expect(await requests.count("usage_node")).toBe(8);
});
