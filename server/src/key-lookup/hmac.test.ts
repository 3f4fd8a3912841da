import { createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeHmac } from "./hmac.ts";

test("is HMAC-SHA-256 for any key of a block and any ASCII text", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.string({ unit: "binary-ascii" }),
      (key, text) => {
        const sign = makeHmac(key);
        const expected = createHmac("sha256", key).update(text).digest("base64url");
        return sign(text) === expected && sign(text) === expected;
      },
    ),
  );
  expect(() => makeHmac(randomBytes(65))).toThrow("longer than a block");
});
