import { expect, test } from "vitest";
import { makePriceBook } from "#src/domain/price-book.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { noTokens } from "#src/domain/usage.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { beginRecord } from "#test/harness/request-records.ts";
import { parseMessage } from "./parse-message.ts";
import { type Ending, type SettleDeps, settle } from "./settle.ts";

test("the end of a request has all fields of its begin", () => {
  const begin: Required<BeginRecord> = {
    ...beginRecord(),
    memberId: "user_1",
    holdNanoUsd: 10_000_000_000n,
    smallerHolds: [{ scopeType: "workspace", period: "daily", nanoUsd: 1_000_000_000n }],
  };
  expect(settleAnswer(begin)).toMatchObject(begin);
});

test("the end of a request has no optional field that its begin lacks", () => {
  const end = settleAnswer(beginRecord());
  for (const name of ["memberId", "holdNanoUsd", "smallerHolds", "doubt"]) {
    expect(end).not.toHaveProperty(name);
  }
});

function settleAnswer(begin: BeginRecord): EndRecord | undefined {
  const ends: EndRecord[] = [];
  const unexpected = () => expect.unreachable("nothing is reported");
  const book = makePriceBook([]);
  const deps: SettleDeps = {
    meter: { end: (record) => ends.push(record) },
    prices: { get: () => book },
    labels: { labelOf: (model) => model },
    metrics: { observeOverrun: unexpected, observeDoubt: unexpected },
    logger: makeLogger("silent"),
  };
  const body = { model: begin.requestedModel, max_tokens: 100, messages: [] };
  const message = parseMessage(Buffer.from(JSON.stringify(body)));
  settle(deps, { begin, message, isSimulated: false }, endingOf(begin));
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
    firstByteAtMs: startedAtMs + 12,
  };
}
