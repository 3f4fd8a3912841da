import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { findWeakness } from "./secret-strength.rule.ts";

test.each([
  ["a".repeat(31), "has 31 characters, but at least 32 are required"],
  ["a".repeat(32), "has only 1 different characters"],
  ["abababababababababababababababab1234", "has only 6 different characters"],
  ["correct-horse-1correct-horse-1correct-horse-1", "repeats one text"],
  ["0123456789012345678901234567890123456789", "repeats one text"],
  ["abcdefghijklmnopqrstuvwxyz0123456789", "in order"],
  ["qwertyuiopasdfghjklzxcvbnm1234567890", "in order"],
  ["change-me-to-a-long-random-secret!!!", "common words"],
  ["please-replace-this-secret-with-your-own-1", "common words"],
  ["bursar-production-secret-password-2026", "common words"],
  ["Change me: at least 32 random characters", "common words"],
])("%s is weak", (secret, reason) => {
  expect(findWeakness(secret)).toContain(reason);
});

test("a passphrase of unusual words is strong enough", () => {
  expect(findWeakness("walnut orbit glacier tempo violin harbor")).toBeNull();
});

test("random secrets in the usual encodings are strong enough", () => {
  for (let round = 0; round < 500; round++) {
    for (const encoding of ["base64", "base64url"] as const) {
      expect(findWeakness(randomBytes(24).toString(encoding))).toBeNull();
    }
    expect(findWeakness(randomBytes(32).toString("hex"))).toBeNull();
  }
});
