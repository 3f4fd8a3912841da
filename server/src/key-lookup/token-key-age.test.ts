import { expect, test } from "vitest";
import { REFRESH_TOKEN_MS } from "./access-tokens.ts";
import { type AgedKey, decideTokenKeys, LEAD_MS } from "./token-key-age.rule.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);

test("over three years, a key signs for 30 days and outlives each of its tokens", () => {
  let keys: AgedKey[] = [{ id: "key 0", usedFromMs: START }];
  const firstUses: number[] = [];
  const lastUseMs = new Map<string, number>();
  for (let nowMs = START; nowMs < START + 1_095 * DAY_MS; nowMs += DAY_MS) {
    const { isNewKeyDue, oldIds } = decideTokenKeys(keys, nowMs);
    for (const id of oldIds) {
      expect(nowMs).toBeGreaterThan((lastUseMs.get(id) ?? nowMs) + REFRESH_TOKEN_MS);
    }
    keys = keys.filter(({ id }) => !oldIds.includes(id));
    if (isNewKeyDue) {
      keys.push({ id: `key ${firstUses.length + 1}`, usedFromMs: nowMs + LEAD_MS });
      firstUses.push(nowMs + LEAD_MS);
    }
    const signing = keys.findLast(({ usedFromMs }) => usedFromMs <= nowMs);
    lastUseMs.set(signing?.id ?? "", nowMs);
    expect(keys.length).toBeLessThanOrEqual(6);
  }
  const gaps = firstUses.slice(1).map((ms, index) => (ms - (firstUses[index] ?? 0)) / DAY_MS);
  expect(new Set(gaps)).toEqual(new Set([30]));
});
