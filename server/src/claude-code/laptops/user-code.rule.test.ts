import fc from "fast-check";
import { expect, test } from "vitest";
import { makeUserCode, readUserCode } from "./user-code.rule.ts";

test("a code has eight consonants of equal probability", () => {
  const counts = new Map<string, number>();
  for (let byte = 0; byte < 256; byte++) {
    const code = makeUserCode(Uint8Array.from({ length: 8 }, () => byte));
    if (code === null) continue;
    expect(code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  expect([counts.size, new Set(counts.values())]).toEqual([20, new Set([12])]);
});

test("a typed code is read in any case, with or without its hyphen", () => {
  for (const text of ["WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "WDJBMJHT"]) {
    expect(readUserCode(text)).toBe("WDJB-MJHT");
  }
  for (const text of ["", "WDJB-MJH", "WDJB-MJHTT", "ADJB-MJHT", "1DJB-MJHT", "ẞDJB-MJHT"]) {
    expect(readUserCode(text)).toBeNull();
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const code = makeUserCode(bytes);
      return code === null || readUserCode(code) === code;
    }),
  );
});
