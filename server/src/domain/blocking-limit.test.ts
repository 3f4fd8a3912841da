import { expect, test } from "vitest";
import { isBlocking, LEAST_REST_NANO_USD } from "./blocking-limit.ts";
import { makePriceBook } from "./price-book.ts";

const LIMIT = 2_000_000_000n;

const blocks = (
  enforcement: "strict" | "soft" | "alert_only",
  settledNanoUsd: bigint,
  unresolvedNanoUsd = 0n,
) => isBlocking({ amountNanoUsd: LIMIT, enforcement }, { settledNanoUsd, unresolvedNanoUsd });

test("a strict limit blocks while less than the least rest remains", () => {
  expect(blocks("strict", LIMIT - 40_000n)).toBe(true);
  expect(blocks("strict", LIMIT - 99_999n)).toBe(true);
  expect(blocks("strict", LIMIT - 100_000n)).toBe(false);
  expect(blocks("strict", LIMIT + 5n)).toBe(true);
});

test("unresolved amounts of a strict limit count like spend", () => {
  expect(blocks("strict", LIMIT / 2n, LIMIT / 2n - 99_999n)).toBe(true);
  expect(blocks("strict", LIMIT / 2n, LIMIT / 2n - 100_000n)).toBe(false);
});

test("a soft limit blocks at its amount, by settled spend alone", () => {
  expect(blocks("soft", LIMIT - 1n, LIMIT)).toBe(false);
  expect(blocks("soft", LIMIT)).toBe(true);
});

test("an alert-only limit never blocks", () => {
  expect(blocks("alert_only", 2n * LIMIT, LIMIT)).toBe(false);
});

test("a limit without spend blocks only if it is 0 or almost 0", () => {
  const strict = { enforcement: "strict" } as const;
  expect(isBlocking({ ...strict, amountNanoUsd: LIMIT }, null)).toBe(false);
  expect(isBlocking({ ...strict, amountNanoUsd: 0n }, null)).toBe(true);
});

test("the least rest pays for 200 output tokens of the cheapest listed model", () => {
  const listings = makePriceBook([]).listPrices(Date.UTC(2026, 10, 30));
  const prices = listings.flatMap(({ prices: found }) => found?.standard.output ?? []);
  const [lowest = 0n] = prices.toSorted((a, b) => (a < b ? -1 : 1));
  expect((LEAST_REST_NANO_USD * 1_000_000n) / lowest).toBe(200n);
});
