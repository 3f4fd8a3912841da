import { expect, test } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { decodeRecord, encodeRecord } from "./journal-codec.ts";
import { RecordLines } from "./journal-lines.ts";
import {
  findBeginChanges,
  type JournalRecord,
  type NewRecord,
  toStoredBegin,
} from "./journal-record.ts";
import { OpenRequests } from "./open-requests.ts";

const LARGE = 9_007_199_254_740_993n;

function reread(record: NewRecord): JournalRecord | null {
  const lines = new RecordLines();
  encodeRecord(record, lines);
  return decodeRecord(lines.take().subarray(0, -1));
}

function decode(json: object): JournalRecord | null {
  const lines = new RecordLines();
  lines.add(JSON.stringify(json));
  return decodeRecord(lines.take().subarray(0, -1));
}

/** Writes a begin and its end, and returns the end as a reader joins it. */
function rereadEnd(begin: EndRecord | ReturnType<typeof beginRecord>, end: EndRecord) {
  const open = new OpenRequests();
  const stored = toStoredBegin(begin);
  const changes = findBeginChanges(stored, end);
  const records: NewRecord[] = [
    { kind: "begin", seq: 1, record: stored },
    { kind: "end", seq: 2, beginSeq: 1, changes, end },
  ];
  const applied = records.map((record) => {
    const found = reread(record);
    return found && open.apply(found);
  });
  return applied[1]?.kind === "end" ? applied[1].record : null;
}

test.each([
  {},
  { holdNanoUsd: 0n },
  { holdNanoUsd: LARGE },
  {
    holdNanoUsd: 9n,
    smallerHolds: [{ scopeType: "workspace", period: "monthly", nanoUsd: LARGE }],
  },
  { memberId: "user_1" },
  { groupIds: ["group_1"], tagIds: ["tag_1", "tag_2"] },
  { isStream: true },
  { claimed: { agentSessionId: "session" } },
  {
    claimed: {
      agentSessionId: 'quoted "\\',
      promptId: "prompt",
      agentId: "agent",
      parentAgentId: "parent",
      requestClass: "subagent",
    },
  },
] as const)("a begin with %o is read again exactly", (overrides) => {
  const record = beginRecord(overrides);
  expect(reread({ kind: "begin", seq: 1, record })).toStrictEqual({
    kind: "begin",
    seq: 1,
    record,
  });
  expect(rereadEnd(record, endRecord(record, 5n))).toStrictEqual(endRecord(record, 5n));
});

test("an end with unusual values in every field is read again exactly", () => {
  const begin = beginRecord();
  const end = endRecord(begin, LARGE, {
    startedAtMs: begin.startedAtMs + 1,
    organizationId: "org",
    workspaceId: "wksp",
    apiKeyId: "key",
    memberId: "user",
    groupIds: ["group"],
    tagIds: ["tag"],
    requestedModel: "requested",
    isStream: true,
    client: "node",
    claimed: { agentSessionId: "session", promptId: "prompt" },
    holdNanoUsd: LARGE,
    smallerHolds: [{ scopeType: "api_key", period: "daily", nanoUsd: 1n }],
    outcome: "interrupted",
    httpStatus: null,
    isEstimated: true,
    doubt: "missing_usage",
    cut: {
      reason: "limit_held",
      scopeType: "group_member",
      scopeId: "group",
      period: "weekly",
      heldNanoUsd: LARGE,
      seenOutputTokens: 7,
      boundOutputTokens: 8.5,
      pausedMs: 40_000,
      balance: {
        limitNanoUsd: LARGE,
        settledNanoUsd: 1n,
        leasedNanoUsd: 2n,
        unresolvedNanoUsd: 3n,
      },
    },
    isUnpriced: true,
    serviceTier: "batch",
    contextWindow: "200k-1M",
    inferenceGeo: "us",
    speed: "fast",
    usage: {
      inputTokens: 1,
      cacheWrite5mTokens: 2,
      cacheWrite1hTokens: 3,
      cacheReadTokens: 4,
      outputTokens: 5.5,
      webSearches: 6,
    },
    cost: {
      input: 1n,
      cacheWrite5m: 2n,
      cacheWrite1h: 3n,
      cacheRead: 4n,
      output: LARGE,
      webSearch: 6n,
      total: -LARGE,
    },
    prices: '{"list":"2026-10-24"}',
    upstreamRequestId: null,
    firstByteMs: null,
    upstreamId: "ups_1",
    failover: "overloaded",
  });
  expect(rereadEnd(begin, end)).toStrictEqual(end);
});

test("an end without usage and cost is read again exactly", () => {
  const begin = beginRecord();
  const end = endRecord(begin, 0n, { usage: noTokens, cost: noCost });
  expect(rereadEnd(begin, end)).toStrictEqual(end);
});

test("a cut without the amounts of its limit is read again exactly", () => {
  const begin = beginRecord();
  const end = endRecord(begin, 5n, {
    cut: {
      reason: "database_unavailable",
      scopeType: "organization",
      scopeId: "org",
      period: "monthly",
      heldNanoUsd: 0n,
      seenOutputTokens: 0,
      boundOutputTokens: 0,
    },
  });
  expect(rereadEnd(begin, end)).toStrictEqual(end);
});

test("an end of version 1 has 0 for each measure that came later", () => {
  const record = endRecord(beginRecord({ holdNanoUsd: 7n }), 5n);
  const { webSearches: _, ...usage } = record.usage;
  const cost = { input: "1", output: "4", total: "5" };
  expect(decode({ v: 1, k: "end", s: 2, r: { ...record, holdNanoUsd: "7", usage, cost } })).toEqual(
    {
      kind: "endOfV1",
      seq: 2,
      record,
    },
  );
});

test("a request of version 1 is amended, ended and removed by its id", () => {
  const [first, second] = [beginRecord(), beginRecord()];
  const wireEnd = { ...endRecord(first, 5n), cost: { input: "1", output: "4", total: "5" } };
  const open = new OpenRequests();
  const apply = (json: object) => {
    const record = decode(json);
    return record && open.apply(record);
  };
  apply({ v: 1, k: "begin", s: 1, r: first });
  apply({ v: 1, k: "begin", s: 2, r: second });
  apply({ v: 1, k: "begin", s: 3, r: { ...first, holdNanoUsd: "7" } });
  const amended = { seq: 1, amendedSeqs: [3], record: { ...first, holdNanoUsd: 7n } };
  expect(open.list()).toEqual([amended, { seq: 2, amendedSeqs: [], record: second }]);
  expect(apply({ v: 1, k: "end", s: 4, r: wireEnd })).toEqual({
    kind: "end",
    seq: 4,
    request: amended,
    record: endRecord(first, 5n),
  });
  expect(apply({ v: 1, k: "void", s: 5, r: second.requestId })).toMatchObject({ kind: "void" });
  expect(open.list()).toEqual([]);
});

test.each([
  { v: 3, k: "b" },
  { v: 2, k: "unknown" },
  { v: 1, k: "unknown" },
])("an unknown version or kind is refused: %o", (json) => {
  expect(() => decode(json)).toThrow("start the release that wrote them, or a newer one");
});

test.each([
  "plain_Text-1.0",
  'quote " and \\ backslash',
  "control \u0000 \u001f \u007f",
  "ümläut, 日本, 😀",
  "alone \ud800",
  "x".repeat(256),
])("a text is written as JSON.stringify writes it: %j", (text) => {
  const lines = new RecordLines();
  const record = beginRecord({ requestId: text, client: text, requestedModel: text });
  encodeRecord({ kind: "begin", seq: 1, record }, lines);
  const json = lines.take().toString("utf8");
  for (const key of ["id", "c", "m"]) expect(json).toContain(`"${key}":${JSON.stringify(text)}`);
});

test("records have the bytes that earlier releases wrote", () => {
  const begin = {
    requestId: "req_1",
    startedAtMs: 1_795_777_159_917,
    organizationId: "org",
    workspaceId: "wksp_1",
    apiKeyId: "apikey_1",
    memberId: "user_1",
    requestedModel: "claude-opus-4-5",
    isStream: true,
    client: "claude_code",
    holdNanoUsd: LARGE,
    smallerHolds: [{ scopeType: "workspace", period: "monthly", nanoUsd: 7n }],
  } as const;
  const end = endRecord(begin, 5n, {
    endedAtMs: 1_795_777_161_918,
    httpStatus: 529,
    model: "claude-opus-4-5-20251101",
    usage: { ...noTokens, inputTokens: 912, outputTokens: 4 },
    cost: { ...noCost, input: 4_560_000n, output: LARGE, total: -1n },
    upstreamRequestId: "req_up",
    firstByteMs: 312,
  });
  const lines = new RecordLines();
  encodeRecord({ kind: "begin", seq: 1, record: begin }, lines);
  encodeRecord({ kind: "end", seq: 2, beginSeq: 1, changes: { isStream: false }, end }, lines, 3);
  expect(lines.take().toString("utf8").split("\n")).toEqual([
    '749a9463 {"v":2,"k":"b","s":1,"r":{"id":"req_1","t":1795777159917,"o":"org","w":"wksp_1","a":"apikey_1","u":"user_1","m":"claude-opus-4-5","st":1,"c":"claude_code","h":"9007199254740993","sh":[["workspace","monthly",7]]}}',
    '9e8ccce6 {"v":2,"k":"e","s":2,"b":1,"r":{"t":1795777161918,"hs":529,"md":"claude-opus-4-5-20251101","us":{"i":912,"o":4},"co":{"i":4560000,"o":"9007199254740993","t":-1},"p":3,"up":"req_up","fb":312},"c":{"st":0}}',
    "",
  ]);
});
