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
