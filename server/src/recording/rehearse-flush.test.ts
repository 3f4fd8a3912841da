import { expect, test } from "vitest";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { rehearseFlush } from "./rehearse-flush.ts";

test("builds the rows of all records, and of none", async () => {
  const records = Array.from({ length: 10 }, () => endRecord(beginRecord(), 1n));
  expect(await rehearseFlush(records)).toBe(10);
  expect(await rehearseFlush([])).toBe(0);
});
