import { expect, test } from "vitest";
import { makePriceBook } from "#src/domain/price-book.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { noTokens } from "#src/domain/usage.ts";
import { computeWorstCost, type WorstCase } from "#src/domain/worst-case.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { beginRecord } from "#test/harness/request-records.ts";
import { type ParsedMessage, parseMessage } from "./parse-message.ts";
import { type Ending, type Metered, type SettleDeps, settle } from "./settle.ts";

test("the end of a request has all fields of its begin", () => {
  const begin: Required<BeginRecord> = {
    ...beginRecord(),
    memberId: "user_1",
    groupIds: ["group_1", "group_2"],
    tagIds: ["tag_1"],
    claimed: { agentSessionId: "session_1" },
    holdNanoUsd: 10_000_000_000n,
    smallerHolds: [{ scopeType: "workspace", period: "daily", nanoUsd: 1_000_000_000n }],
    hasUnbilledParts: true,
  };
  expect(settleAnswer(begin)).toMatchObject(begin);
});

test("the end of a request has no optional field that its begin lacks", () => {
  const end = settleAnswer(beginRecord());
  const optional: (keyof EndRecord)[] = ["memberId", "groupIds", "tagIds", "claimed"];
  for (const name of [...optional, "holdNanoUsd", "smallerHolds", "hasUnbilledParts", "doubt"]) {
    expect(end).not.toHaveProperty(name);
  }
});

test("a request that the simulator answered has a service tier of its own", () => {
  expect(settleAnswer(beginRecord(), null, true)?.serviceTier).toBe("simulated");
  expect(settleAnswer(beginRecord(), null, false)?.serviceTier).toBe("standard");
});

test("the worst case at the start of a request bounds its usage", () => {
  const begin = { ...beginRecord(), holdNanoUsd: 1n };
  const end = settleAnswer(begin, { worstCase: makeSmallWorstCase(begin), book });
  expect(end?.doubt).toBe("impossible_usage");
});

test("a worst case at earlier prices does not bound the usage", () => {
  const begin = { ...beginRecord(), holdNanoUsd: 10_000_000_000n };
  const earlier = makePriceBook([]);
  const end = settleAnswer(begin, { worstCase: makeSmallWorstCase(begin), book: earlier });
  expect(end?.doubt).toBeUndefined();
});

const book = makePriceBook([]);

/** A worst case without the prompt that the response reports. */
function makeSmallWorstCase(begin: BeginRecord): WorstCase {
  const worstCase = computeWorstCost(messageOf(begin), book, begin.startedAtMs);
  return { ...worstCase, nanoUsd: 1n };
}

function messageOf({ requestedModel: model }: BeginRecord): ParsedMessage {
  return parseMessage(Buffer.from(JSON.stringify({ model, max_tokens: 100, messages: [] })));
}

function settleAnswer(
  begin: BeginRecord,
  bound: Metered["bound"] = null,
  isSimulated = false,
): EndRecord | undefined {
  const ends: EndRecord[] = [];
  const deps: SettleDeps = {
    meter: { end: (record) => ends.push(record) },
    prices: { get: () => book },
    labels: { labelOf: (model) => model },
    metrics: { observeOverrun: ignore, observeDoubt: ignore, observeCut: ignore },
    logger: makeLogger("silent"),
  };
  settle(
    deps,
    {
      begin,
      message: messageOf(begin),
      bound,
      upstream: null,
      failover: null,
      isSimulated,
      stream: null,
    },
    endingOf(begin),
  );
  expect(ends.length).toBe(1);
  return ends[0];
}

function endingOf({ requestedModel, startedAtMs }: BeginRecord): Ending {
  return {
    outcome: "answered",
    httpStatus: 200,
    usage: {
      model: requestedModel,
      total: { ...noTokens, inputTokens: 10, outputTokens: 1 },
      iterations: null,
      serviceTier: "standard",
      inferenceGeo: null,
      speed: null,
    },
    isFinal: true,
    isRefusal: false,
    isUsageMissing: false,
    endedAtMs: startedAtMs + 1_000,
    upstreamRequestId: "req_upstream",
    stepped: null,
    firstByteAtMs: startedAtMs + 12,
  };
}

function ignore(): void {}
