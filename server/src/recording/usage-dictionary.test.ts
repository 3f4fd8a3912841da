import { expect, test } from "vitest";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { listMissing, UsageDictionary } from "./usage-dictionary.ts";
import { toUsageEvent } from "./usage-rows.ts";

const eventOf = (fields: { apiKeyId?: string; model?: string; prices?: string } = {}) => {
  const { apiKeyId = "apikey_1", ...end } = fields;
  return toUsageEvent(endRecord(beginRecord({ apiKeyId }), 1n, end), "node_1");
};

test("ids depend on the text alone, so that nodes agree on them", () => {
  const [one, other] = [new UsageDictionary(), new UsageDictionary()];
  other.findRefs(eventOf({ model: "another" }));
  const [a, b] = [one, other].map((dictionary) => dictionary.findRefs(eventOf()));
  expect([a?.labels.id, a?.prices.id, a?.node.id]).toEqual([
    b?.labels.id,
    b?.prices.id,
    b?.node.id,
  ]);
});

test("different labels have different ids", () => {
  const dictionary = new UsageDictionary();
  const ids = [{}, { apiKeyId: "apikey_2" }, { model: "another" }].map(
    (fields) => dictionary.findRefs(eventOf(fields)).labels.id,
  );
  expect(new Set(ids).size).toBe(3);
});

test("an entry is missing until it is stored, and listed once", () => {
  const dictionary = new UsageDictionary();
  const refs = [eventOf(), eventOf(), eventOf({ model: "another" })].map((event) =>
    dictionary.findRefs(event),
  );
  const missing = listMissing(refs);
  expect([missing.labels.length, missing.prices.length, missing.nodes.length]).toEqual([2, 1, 1]);
  for (const { labels, prices, node } of refs) {
    for (const entry of [labels, prices, node]) entry.isStored = true;
  }
  expect(listMissing([dictionary.findRefs(eventOf())])).toEqual({
    labels: [],
    prices: [],
    nodes: [],
  });
});

test("removes the oldest keys and prices beyond the limit", () => {
  const dictionary = new UsageDictionary({ maxLabels: 3, maxTexts: 2 });
  const refs = (key: number) =>
    dictionary.findRefs(eventOf({ apiKeyId: `apikey_${key}`, prices: `{"row": ${key}}` }));
  const first = refs(1);
  expect(refs(1).labels).toBe(first.labels);
  for (const key of [2, 3, 4]) refs(key);
  expect(refs(1).labels).not.toBe(first.labels);
  expect(refs(1).labels.id).toBe(first.labels.id);
  expect(refs(1).prices).not.toBe(first.prices);
});
