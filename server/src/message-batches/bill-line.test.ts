import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { shippedFeatures } from "#src/domain/feature-book.ts";
import { makeModelLabels } from "#src/domain/model-labels.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { promptTokens, readMessageUsage } from "#src/domain/usage-fields.ts";
import { WORST_CASES } from "#src/spend/ledger/open-ended-holds.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import type { BatchLabels, MarkedLine } from "./batches.sql.ts";
import { billLine } from "./bill-line.ts";
import { readLine } from "./read-line.ts";
import { readResults } from "./read-result.ts";
import { encodeWorstCase } from "./stored-worst-case.ts";

const book = makePriceBook([]);
const labels = makeModelLabels(10);

const batch: BatchLabels = {
  id: "req_000000000000000000000001",
  organizationId: "00000000-0000-4000-8000-000000000001",
  workspaceId: "wksp_1",
  apiKeyId: "apikey_1",
  memberId: "user_1",
  groupIds: ["group_1"],
  tagIds: [],
  client: "sdk-python",
  upstreamId: "environment",
  isSimulated: false,
  failover: null,
  startedAt: new Date(SOME_TIME_MS),
};

function makeLine(params: object): MarkedLine {
  const bytes = Buffer.from(JSON.stringify({ custom_id: "a", params }));
  const deps = { features: shippedFeatures, book, atMs: SOME_TIME_MS, check: () => undefined };
  const { customId, index, model, worstCase, hasUnbilledParts } = readLine(deps, bytes, 7);
  const stored: unknown = JSON.parse(encodeWorstCase(worstCase));
  const holdNanoUsd = worstCase.nanoUsd;
  const isOpenEnded = worstCase.kind !== "closed";
  const bounds = { holdNanoUsd, isOpenEnded, worstCase: stored };
  return { customId, line: index, model, ...bounds, hasUnbilledParts };
}

const params = {
  model: "claude-sonnet-5",
  max_tokens: 1_000,
  messages: [{ role: "user", content: "x".repeat(40_000) }],
};

test("a result gives its container and the files of code, and nothing that a model wrote", async () => {
  const message = {
    type: "message",
    id: "msg_1",
    container: { id: "container_1", expires_at: "2026-12-01T00:00:00Z" },
    content: [
      {
        type: "code_execution_tool_result",
        content: { content: [{ type: "code_execution_output", file_id: "file_1" }] },
      },
      { type: "tool_use", input: { file_id: "file_2" } },
    ],
  };
  const line = { custom_id: "a", result: { type: "succeeded", message } };
  const { value: read } = await readResults(chunksOf(`${JSON.stringify(line)}\n`)).next();
  expect(read?.given).toEqual([
    { kind: "container", id: "container_1", expiresAtMs: Date.UTC(2026, 11, 1) },
    { kind: "file", id: "file_1", expiresAtMs: null },
  ]);
});

async function bill(line: MarkedLine, result: unknown, of: Partial<BatchLabels> = {}) {
  const text = `${JSON.stringify({ custom_id: "a", result })}\n`;
  const { value: read } = await readResults(chunksOf(text)).next();
  if (read === undefined) throw new Error("the text has one result");
  return billLine(
    { book, labels },
    {
      batch: { ...batch, ...of },
      upstreamBatchId: "msgbatch_1",
      line,
      result: read.result,
      openEnded: WORST_CASES,
      endedAtMs: SOME_TIME_MS + 60_000,
    },
  );
}

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += 11) yield Buffer.from(text.slice(at, at + 11));
}

function succeeded(usage: object, model = "claude-sonnet-5") {
  return { type: "succeeded", message: { type: "message", model, stop_reason: "end_turn", usage } };
}

interface GoldenRow {
  name: string;
  at: string;
  model: string;
  usage: {
    service_tier: string | null;
    speed: string | null;
    inference_geo?: string | null;
    iterations?: unknown;
  };
  expected: { context_window: string; web_search: string; total: string };
}
const golden: GoldenRow[] = JSON.parse(
  readFileSync(new URL("../domain/cost.golden.json", import.meta.url), "utf8"),
);
/** A response without a prompt cannot be true, so its line costs the hold. */
const hasPrompt = ({ usage }: GoldenRow) => {
  const read = readMessageUsage({ usage });
  return read !== null && promptTokens(read.total) > 0;
};
const standard = golden.filter(
  (row) => row.usage.service_tier !== "batch" && row.usage.speed !== "fast" && hasPrompt(row),
);

describe("a line costs half of its tokens and all of its searches", () => {
  test.each(standard)("$name", async ({ at, model, usage, expected }) => {
    const startedAt = new Date(`${at}T12:00:00Z`);
    // The usage of the simulator is not bounded by the request.
    const record = await bill(makeLine({ ...params, model }), succeeded(usage, model), {
      startedAt,
      isSimulated: true,
    });
    const searches = BigInt(expected.web_search);
    const tokens = (record?.cost.total ?? 0n) - searches;
    const doubled = 2n * tokens - (BigInt(expected.total) - searches);
    expect(doubled >= -1n && doubled <= 1n).toBe(true);
  });

  test("of each kind of price: caches, searches, regions, long prompts and iterations", () => {
    const kinds = standard.flatMap(({ usage, expected }) => {
      const total = readMessageUsage({ usage })?.total;
      const isLong = total !== undefined && promptTokens(total) > 200_000;
      return [
        ...(Object.entries(total ?? {}) as [string, number][])
          .filter(([, count]) => count > 0)
          .map(([name]) => name),
        ...(usage.inference_geo === "us" ? ["us"] : []),
        ...(isLong && expected.context_window === "200k-1M" ? ["long"] : []),
        ...(usage.iterations ? ["iterations"] : []),
      ];
    });
    expect([...new Set(kinds)].sort()).toEqual([
      "cacheReadTokens",
      "cacheWrite1hTokens",
      "cacheWrite5mTokens",
      "inputTokens",
      "iterations",
      "long",
      "outputTokens",
      "us",
      "webSearches",
    ]);
  });

  test("the golden file has most rows without the batch tier", () => {
    expect(standard.length).toBeGreaterThan(40);
  });
});

test("a record has the labels of its batch, the batch tier and a lasting id", async () => {
  const usage = { input_tokens: 10_000, output_tokens: 500, service_tier: "batch" };
  expect(await bill(makeLine(params), succeeded(usage))).toMatchObject({
    requestId: "req_000000000000000000000001_7",
    upstreamRequestId: "msgbatch_1",
    memberId: "user_1",
    groupIds: ["group_1"],
    client: "sdk-python",
    serviceTier: "batch",
    outcome: "answered",
    startedAtMs: SOME_TIME_MS,
    isEstimated: false,
  });
});

test("a record names the stored upstream, and why the first one did not get the batch", async () => {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const moved = { ...batch, upstreamId: "ups_2", failover: "overloaded" } as const;
  const line = makeLine(params);
  expect(await bill(line, succeeded(usage), moved)).toMatchObject({
    upstreamId: "ups_2",
    failover: "overloaded",
  });
  const unstored = await bill(line, succeeded(usage));
  expect([unstored?.upstreamId, unstored?.failover]).toEqual([undefined, undefined]);
});

test("a response without a tier costs half too", async () => {
  const line = makeLine(params);
  const counts = { input_tokens: 10_000, output_tokens: 500 };
  const half = await bill(line, succeeded({ ...counts, service_tier: "batch" }));
  const none = await bill(line, succeeded(counts));
  expect(none?.cost).toEqual(half?.cost);
  expect(none?.cost.total).toBeGreaterThan(0n);
});

test("the hold of a line is at least its highest possible cost", async () => {
  const line = makeLine(params);
  const record = await bill(line, succeeded({ input_tokens: 40_000, output_tokens: 1_000 }));
  expect(record?.cost.total).toBeLessThanOrEqual(line.holdNanoUsd);
});

test("usage above the request costs the hold, and is marked", async () => {
  const line = makeLine(params);
  expect(await bill(line, succeeded({ input_tokens: 10_000, output_tokens: 1_001 }))).toMatchObject(
    {
      doubt: "impossible_usage",
      isEstimated: true,
      cost: { total: line.holdNanoUsd },
    },
  );
});

test("a success without usage costs its input, and the rest of its hold is unresolved", async () => {
  const line = makeLine(params);
  const record = await bill(line, { type: "succeeded", message: { type: "message" } });
  expect(record).toMatchObject({ doubt: "missing_usage", holdNanoUsd: line.holdNanoUsd });
  expect(record?.cost.total).toBeGreaterThan(0n);
  expect(record?.cost.total).toBeLessThan(line.holdNanoUsd);
});

test("an errored line costs nothing and has the status of its error", async () => {
  const error = { type: "error", error: { type: "overloaded_error", message: "x" } };
  expect(await bill(makeLine(params), { type: "errored", error })).toMatchObject({
    outcome: "refused",
    httpStatus: 529,
    cost: { total: 0n },
  });
});

test.each(["canceled", "expired"])("a line that is %s has no record", async (type) => {
  expect(await bill(makeLine(params), { type })).toBeNull();
});
