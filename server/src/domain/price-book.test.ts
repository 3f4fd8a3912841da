import { describe, expect, test } from "vitest";
import { parseUsd } from "./money.ts";
import { MAX_PRICE_NANO_USD, makePriceBook, type PriceOverride } from "./price-book.ts";
import { priceList, type TokenPrices } from "./price-list.ts";
import { msFromIsoDate } from "./spend-period.ts";

const atMs = msFromIsoDate("2026-11-24");
const book = makePriceBook([]);

function flat(usd: string): TokenPrices {
  const price = parseUsd(usd);
  return {
    input: price,
    cacheWrite5m: price,
    cacheWrite1h: price,
    cacheRead: price,
    output: price,
  };
}

function override(model: string, usd: string, from = "2026-01-01"): PriceOverride {
  return { model, effectiveFromMs: msFromIsoDate(from), prices: flat(usd) };
}

function inputOf(overrides: PriceOverride[], model: string, at = atMs): bigint | undefined {
  return makePriceBook(overrides).find(model, at)?.standard.input;
}

describe("the shipped list", () => {
  test("has unique names, and periods in order from the beginning", () => {
    const names = priceList.flatMap((model) => [model.id, ...model.aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const { periods } of priceList) {
      for (const [index, period] of periods.entries()) {
        const before = periods[index - 1];
        if (!before) expect(period.fromMs).toBeNull();
        else expect((period.fromMs ?? 0) > (before.fromMs ?? 0)).toBe(true);
      }
    }
  });

  test("has no price below its own lower band", () => {
    for (const { periods } of priceList) {
      for (const { standard, longPrompt, fast } of periods) {
        for (const kind of Object.keys(standard) as (keyof TokenPrices)[]) {
          expect(standard[kind] > 0n).toBe(true);
          expect((longPrompt?.prices ?? standard)[kind] >= standard[kind]).toBe(true);
          expect((fast ?? standard)[kind] >= standard[kind]).toBe(true);
        }
      }
    }
  });
});

describe("finding a price", () => {
  test("an id and its aliases share one row", () => {
    for (const model of priceList.filter((listed) => listed.periods.length > 0)) {
      for (const name of [model.id, ...model.aliases]) {
        expect(book.find(name, atMs)?.row).toBe(model.id);
      }
    }
  });

  test.each([
    ["claude-opus-5-5-20261101", "claude-opus-5-5"],
    ["claude-opus-5-latest", "claude-opus-5"],
    ["claude-opus-4-20270101", "claude-opus-4"],
    ["claude-opus-4-1-20270101", "claude-opus-4-1"],
  ])("treats %s as a snapshot of %s", (name, row) => {
    expect(book.find(name, atMs)?.row).toBe(row);
  });

  test.each([
    "claude-opus-5-2026110",
    "claude-opus-5-20261101-v2",
    "claude-opus-5-19991231",
    "claude-opus-6-20261101",
    "Claude-Opus-5",
    "claude-opus-5 ",
    "claude-fable-5-2",
    "claude-fable-5-2-20261101",
    "claude-mythos-preview",
    "constructor",
    "",
  ])("%s has no price", (name) => {
    expect(book.find(name, atMs)).toBeNull();
  });

  test("a price changes at midnight UTC of its date", () => {
    const change = msFromIsoDate("2026-10-07");
    expect(book.find("claude-sonnet-5-5", change - 1)?.standard.cacheRead).toBe(parseUsd("0.2"));
    expect(book.find("claude-sonnet-5-5", change)?.standard.cacheRead).toBe(parseUsd("0.1"));
    expect(book.find("claude-sonnet-5-5", 0)?.standard.cacheRead).toBe(parseUsd("0.2"));
  });
});

describe("an override", () => {
  test("applies from its date to the next one", () => {
    const overrides = [
      override("claude-opus-5", "2", "2026-12-01"),
      override("claude-opus-5", "1", "2026-06-01"),
    ];
    expect(inputOf(overrides, "claude-opus-5", msFromIsoDate("2026-06-01") - 1)).toBe(
      parseUsd("5"),
    );
    expect(inputOf(overrides, "claude-opus-5", msFromIsoDate("2026-06-01"))).toBe(parseUsd("1"));
    expect(inputOf(overrides, "claude-opus-5", msFromIsoDate("2026-12-01") - 1)).toBe(
      parseUsd("1"),
    );
    expect(inputOf(overrides, "claude-opus-5", msFromIsoDate("2026-12-01"))).toBe(parseUsd("2"));
  });

  test("of a model applies to its aliases and snapshots, of an alias only to that alias", () => {
    const ofModel = [override("claude-opus-4-5", "1")];
    expect(inputOf(ofModel, "claude-opus-4-5-20251101")).toBe(parseUsd("1"));
    expect(inputOf(ofModel, "claude-opus-4-5-latest")).toBe(parseUsd("1"));
    const ofAlias = [override("claude-opus-4-5-20251101", "2")];
    expect(inputOf(ofAlias, "claude-opus-4-5-20251101")).toBe(parseUsd("2"));
    expect(inputOf(ofAlias, "claude-opus-4-5")).toBe(parseUsd("5"));
    expect(inputOf([...ofModel, ...ofAlias], "claude-opus-4-5-20251101")).toBe(parseUsd("2"));
  });

  test("sets the price of an unpriced model from its date on", () => {
    const overrides = [override("claude-fable-5-2", "7"), override("our-model", "8", "2026-11-24")];
    expect(inputOf(overrides, "claude-fable-5-2")).toBe(parseUsd("7"));
    expect(inputOf(overrides, "our-model")).toBe(parseUsd("8"));
    expect(inputOf(overrides, "our-model-20261101")).toBe(parseUsd("8"));
    expect(inputOf(overrides, "our-model", atMs - 1)).toBeUndefined();
  });

  test("of a snapshot does not apply before its date", () => {
    const later = [override("claude-opus-5-20261101", "1", "2027-01-01")];
    expect(inputOf(later, "claude-opus-5-20261101")).toBe(parseUsd("5"));
  });

  test("keeps the higher bands, and never makes them lower than itself", () => {
    const cheap = makePriceBook([override("claude-haiku-5-5", "0.001")]);
    expect(cheap.find("claude-haiku-5-5", atMs)?.longPrompt?.prices.input).toBe(parseUsd("0.5"));
    const dear = makePriceBook([
      override("claude-haiku-5-5", "9"),
      override("claude-opus-5", "90"),
    ]);
    expect(dear.find("claude-haiku-5-5", atMs)?.longPrompt?.prices).toEqual(flat("9"));
    expect(dear.find("claude-opus-5", atMs)?.fast).toEqual(flat("90"));
  });

  test("is bounded, so that every cost fits an int8", () => {
    const absurd = makePriceBook([override("claude-opus-5", "9000000000")]);
    expect(absurd.find("claude-opus-5", atMs)?.standard.input).toBe(MAX_PRICE_NANO_USD);
  });
});

describe("the highest price", () => {
  test("is the highest of the table per kind of token", () => {
    expect(book.findHighest(atMs).standard).toEqual({
      input: parseUsd("15"),
      cacheWrite5m: parseUsd("18.75"),
      cacheWrite1h: parseUsd("30"),
      cacheRead: parseUsd("1.5"),
      output: parseUsd("75"),
    });
  });

  test("includes only overrides in force", () => {
    const overridden = makePriceBook([
      { ...override("our-model", "1"), prices: { ...flat("1"), output: parseUsd("200") } },
      override("our-model", "500", "2027-01-01"),
    ]);
    expect(overridden.findHighest(atMs).standard.output).toBe(parseUsd("200"));
    expect(overridden.findHighest(atMs).standard.input).toBe(parseUsd("15"));
    expect(overridden.findHighest(msFromIsoDate("2027-01-01")).standard.input).toBe(
      parseUsd("500"),
    );
  });
});

describe("the list of prices", () => {
  test("contains every listed model, unpriced ones without a price", () => {
    const listing = book.listPrices(atMs);
    expect(listing.map((line) => line.model)).toEqual(priceList.map((model) => model.id));
    const unpriced = listing.filter((line) => line.prices === null).map((line) => line.model);
    expect(unpriced).toEqual(["claude-fable-5-2", "claude-mythos-5-2", "claude-mythos-preview"]);
  });

  test("contains overrides instead of list prices, and those of other names at the end", () => {
    const listing = makePriceBook([
      override("claude-opus-5", "1"),
      override("claude-opus-4-5-20251101", "2"),
      override("our-model", "3", "2027-01-01"),
    ]).listPrices(atMs);
    const opus = listing.find((line) => line.model === "claude-opus-5");
    expect(opus?.prices).toMatchObject({ source: "override", fromMs: msFromIsoDate("2026-01-01") });
    expect(listing.slice(-2).map((line) => [line.model, line.prices?.source])).toEqual([
      ["claude-opus-4-5-20251101", "override"],
      ["our-model", undefined],
    ]);
  });
});

describe("the possible rows of a request", () => {
  const inputs = (overrides: PriceOverride[], model: string) =>
    makePriceBook(overrides)
      .findReachable(model, atMs)
      .map((row) => row.standard.input);

  test("are one row without overrides, by any name", () => {
    for (const { id, aliases } of priceList) {
      for (const name of [id, ...aliases, `${id}-20260101`]) {
        expect(book.findReachable(name, atMs)).toEqual([
          book.find(name, atMs) ?? book.findHighest(atMs),
        ]);
      }
    }
  });

  test("include overrides of all names of the model, and of no other model", () => {
    const overrides = [
      override("claude-opus-4-5-20251101", "7"),
      override("claude-opus-4-5-20260101", "8"),
      override("claude-opus-4-8", "9"),
    ];
    const reachable = [parseUsd("5"), parseUsd("7"), parseUsd("8")];
    expect(new Set(inputs(overrides, "claude-opus-4-5"))).toEqual(new Set(reachable));
  });

  test("include the highest row if the model is unpriced under one of its names", () => {
    const overrides = [override("claude-fable-5-2-20261116", "1")];
    const reachable = inputs(overrides, "claude-fable-5-2-20261116");
    expect(new Set(reachable)).toEqual(
      new Set([parseUsd("1"), book.findHighest(atMs).standard.input]),
    );
  });
});

test("the highest row includes each price from its start, in any order of queries", () => {
  const dated = makePriceBook([
    override("m", "90", "2026-11-01"),
    override("m", "80", "2026-12-01"),
  ]);
  const inputAt = (date: string) => dated.findHighest(msFromIsoDate(date)).standard.input;
  expect(inputAt("2026-11-15")).toBe(parseUsd("90"));
  expect(inputAt("2026-10-31")).toBe(parseUsd("15"));
  expect(inputAt("2026-12-01")).toBe(parseUsd("80"));
  expect(inputAt("2026-11-15")).toBe(parseUsd("90"));
});
