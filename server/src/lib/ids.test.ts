import { describe, expect, test } from "vitest";
import { hashId, newId, randomBase62 } from "./ids.ts";

describe("an id", () => {
  test("consists of its prefix and 24 base62 characters, and sorts by its millisecond", () => {
    const ids = [0, 1, 61, 62, 1_764_000_000_123.9, 1_764_000_000_124].map((ms) => newId("x_", ms));
    for (const id of ids) expect(id).toMatch(/^x_[0-9A-Za-z]{24}$/);
    expect([...ids].sort()).toEqual(ids);
  });

  test("has a unique random part, for any number of ids in one millisecond", () => {
    const ids = Array.from({ length: 20_000 }, () => newId("req_", 1_764_000_000_123));
    const randomParts = new Set(ids.map((id) => id.slice(-16)));
    expect(randomParts.size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.slice(0, -16))).size).toBe(1);
  });

  test("takes its whole random part from the given source", () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, index) => index);
    expect(newId("x_", 0, () => bytes)).toBe("x_000000000123456789ABCDEF");
  });
});

test("an id of parts depends on the parts and their borders only", () => {
  expect(hashId("x_", ["a", "b"])).toMatch(/^x_[0-9A-Za-z]{24}$/);
  expect(hashId("x_", ["a", "b"])).toBe(hashId("x_", ["a", "b"]));
  expect(hashId("x_", ["ab"])).not.toBe(hashId("x_", ["a", "b"]));
});

test("random characters are uniform, because biased bytes are discarded", () => {
  const rounds = [Uint8Array.of(255, 248, 61), Uint8Array.of(62, 247, 0)];
  expect(randomBase62(3, () => rounds.shift() ?? Uint8Array.of())).toBe("z0z");
});
