import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compileRanges,
  includesRanges,
  intersectRanges,
  isInRanges,
  networkOf,
  normalizeRange,
} from "./address-ranges.ts";

describe("a range is stored in one form", () => {
  test.each([
    ["203.0.113.9", "203.0.113.9/32"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8:0::/32", "2001:db8::/32"],
    ["::1", "::1/128"],
    ["::/0", "::/0"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::FFFF:0a00:0001", "10.0.0.1/32"],
  ])("%s is %s", (text, kept) => {
    expect(normalizeRange(text)).toBe(kept);
    expect(normalizeRange(kept)).toBe(kept);
  });
});

test.each([
  "",
  "/8",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "10.0.0.0/8/8",
  "10.0.0.0/8 ",
  "10.0.0.1/8",
  "10.1",
  "010.0.0.1",
  "0x0a.0.0.1",
  "167772161",
  "10.0.0.256",
  "2001:db8::1/32",
  "::/129",
  "::ffff:10.0.0.0/95",
  "fe80::1%eth0",
  "example.com",
  "*",
  "10.0.0.0-10.0.0.9",
])("rejects the range %j", (text) => {
  expect(normalizeRange(text)).toBeNull();
});

describe("an address is in a range", () => {
  const isIn = (ranges: string[], address: string | null) =>
    isInRanges(compileRanges(ranges), address);

  test("in any written form", () => {
    expect(isIn(["10.0.0.0/8"], "10.255.0.1")).toBe(true);
    expect(isIn(["10.0.0.0/8"], "::ffff:10.255.0.1")).toBe(true);
    expect(isIn(["10.0.0.0/8"], "::ffff:aff:1")).toBe(true);
    expect(isIn(["10.0.0.0/8"], "11.0.0.1")).toBe(false);
    expect(isIn(["2001:db8::/32"], "2001:0DB8:0:0::9")).toBe(true);
    expect(isIn(["2001:db8::/32"], "2001:db9::9")).toBe(false);
    expect(isIn(["10.0.0.0/8", "::1/128"], "::1")).toBe(true);
  });

  test("only of its own family", () => {
    expect(isIn(["0.0.0.0/0"], "::1")).toBe(false);
    expect(isIn(["::/0"], "10.0.0.1")).toBe(false);
    expect(isIn(["::/0"], "::ffff:10.0.0.1")).toBe(false);
  });

  test("never for an unknown or invalid address, or without a valid range", () => {
    for (const address of [null, "", "unix", "10.0.0.1/8"]) {
      expect(isIn(["0.0.0.0/0", "::/0"], address)).toBe(false);
    }
    expect(isIn([], "10.0.0.1")).toBe(false);
    expect(isIn(["nonsense"], "10.0.0.1")).toBe(false);
  });

  test("exactly if its first bits equal those of the range", () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const text = (value: number) =>
      [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 32 }), (network, address, bits) => {
        const mask = bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
        const range = normalizeRange(`${text((network & mask) >>> 0)}/${bits}`);
        const isExpected = (network & mask) >>> 0 === (address & mask) >>> 0;
        return isIn([range ?? ""], text(address)) === isExpected;
      }),
    );
  });
});

describe("the network of an address", () => {
  test("is its /24 or /48 for any written form", () => {
    const cases = [
      ["203.0.113.9", "203.0.113.0/24"],
      ["::ffff:203.0.113.9", "203.0.113.0/24"],
      ["2001:DB8:1:2::3", "2001:db8:1::/48"],
      ["fe80::1%eth0", "fe80::/48"],
      ["::1", "::/48"],
    ] as const;
    for (const [address, network] of cases) expect(networkOf(address)).toBe(network);
  });

  test("is null for an invalid address", () => {
    for (const text of ["", "unix", "10.1", "203.0.113.9/32"]) expect(networkOf(text)).toBeNull();
  });
});

describe("two lists of ranges", () => {
  test.each<[string[], string[], string[]]>([
    [["10.0.0.0/8"], ["10.1.0.0/16"], ["10.1.0.0/16"]],
    [["10.0.0.0/8", "2001:db8::/32"], ["::/0"], ["2001:db8::/32"]],
    [["10.0.0.0/8"], ["11.0.0.0/8"], []],
    [["0.0.0.0/0"], ["::/0"], []],
    [["10.0.0.0/8", "10.1.0.0/16"], ["0.0.0.0/0"], ["10.0.0.0/8"]],
    [[], ["0.0.0.0/0"], []],
  ])("%j and %j have %j in common", (a, b, both) => {
    expect(intersectRanges(a, b)).toEqual(both);
    expect(intersectRanges(b, a)).toEqual(both);
  });

  const range = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 8 }))
    .map(
      ([last, cut]) => normalizeRange(`10.0.0.${(last << 6) & (0xff << cut)}/${32 - cut}`) ?? "",
    );
  const list = fc.array(range, { maxLength: 3 });

  test("have exactly the addresses in common that are in both", () => {
    fc.assert(
      fc.property(list, list, fc.nat({ max: 255 }), (a, b, last) => {
        const isIn = (ranges: string[]) => isInRanges(compileRanges(ranges), `10.0.0.${last}`);
        const both = intersectRanges(a, b);
        expect(isIn(both)).toBe(isIn(a) && isIn(b));
        expect(includesRanges(a, both)).toBe(true);
      }),
    );
  });
});
