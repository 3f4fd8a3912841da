import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { decodeRecord, encodeRecord } from "./journal-record.ts";

test("what single limits hold less comes back exactly", () => {
  const smallerHolds = [{ scopeType: "workspace", period: "monthly", nanoUsd: 7n }] as const;
  const begin = beginRecord({ holdNanoUsd: 9_007_199_254_740_993n, smallerHolds });
  const record = { kind: "begin", seq: 1, record: begin } as const;
  expect(decodeRecord(encodeRecord(record).subarray(0, -1))).toStrictEqual(record);
});

test.each([undefined, 0n, 9_007_199_254_740_993n])(
  "a hold of %s comes back from the journal exactly; a record without one has none",
  (holdNanoUsd) => {
    const begin = beginRecord(holdNanoUsd === undefined ? {} : { holdNanoUsd });
    const end = endRecord(begin, 5n);
    for (const record of [
      { kind: "begin", seq: 1, record: begin },
      { kind: "end", seq: 2, record: end },
    ] as const) {
      expect(decodeRecord(encodeRecord(record).subarray(0, -1))).toStrictEqual(record);
    }
  },
);

test("whose key it was comes back from the journal; a workspace's own key has nobody", () => {
  for (const memberId of [undefined, "user_1"]) {
    const begin = beginRecord(memberId === undefined ? {} : { memberId });
    const end = { kind: "end", seq: 2, record: endRecord(begin, 5n) } as const;
    expect(decodeRecord(encodeRecord(end).subarray(0, -1))).toStrictEqual(end);
  }
});

test("reads 0 for each measure that an end of an earlier release lacks", () => {
  const whole = endRecord(beginRecord(), 5n);
  const { webSearches, ...usage } = whole.usage;
  const { webSearch, ...cost } = whole.cost;
  expect([webSearches, webSearch]).toEqual([0, 0n]);
  const line = encodeRecord({ kind: "end", seq: 2, record: whole }).toString("utf8");
  const json = JSON.parse(line.slice(9));
  const old = JSON.stringify({ ...json, r: { ...json.r, usage, cost: toTexts(cost) } });
  const sum = crc32(old).toString(16).padStart(8, "0");
  expect(decodeRecord(Buffer.from(`${sum} ${old}`))).toEqual({
    kind: "end",
    seq: 2,
    record: whole,
  });
});

const toTexts = (cost: Record<string, bigint>) =>
  Object.fromEntries(Object.entries(cost).map(([part, amount]) => [part, amount.toString()]));
