import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readEmailAddress } from "./email-address.rule.ts";

describe("normalizing an address", () => {
  test.each([
    ["ann@example.com", "ann@example.com"],
    ["  Ann.Smith@Example.COM ", "ann.smith@example.com"],
    ["ann+claude@mail.example.co.uk", "ann+claude@mail.example.co.uk"],
    ["o'neil@example.com", "o'neil@example.com"],
    ["ann@MÜNCHEN.de", "ann@xn--mnchen-3ya.de"],
    ["ann@xn--mnchen-3ya.de", "ann@xn--mnchen-3ya.de"],
    ["ann%b_c@example.com", "ann%b_c@example.com"],
  ])("%j", (written, email) => {
    expect(readEmailAddress(written)).toEqual({ kind: "address", email });
  });

  test("does not change a normalized address", () => {
    fc.assert(
      fc.property(fc.emailAddress(), (written) => {
        const first = readEmailAddress(written);
        if (first.kind === "invalid") return;
        expect(readEmailAddress(first.email)).toEqual(first);
        expect(first.email).toMatch(/^[!-~]+$/);
      }),
    );
  });
});

describe("rejecting an invalid address", () => {
  test.each([
    "",
    "ann",
    "@example.com",
    "ann@",
    "ann@localhost",
    "ann@127.0.0.1",
    "ann@[127.0.0.1]",
    "ann@1",
    "ann@example.com.",
    "ann@example..com",
    "ann@-example.com",
    "ann@exa_mple.com",
    "ann@example.com/path",
    "ann@example.com:25",
    "ann@b@example.com",
    ".ann@example.com",
    "ann.@example.com",
    "a..b@example.com",
    "ann smith@example.com",
    '"ann smith"@example.com',
    "Ann <ann@example.com>",
    "ann@example.com, bob@example.com",
    "ann@example.com\nbcc: bob@example.com",
    "ann\r\nbcc:bob@example.com",
    "ann@exam%70le.com",
    "ann@example.com\u0000",
  ])("%j", (written) => {
    expect(readEmailAddress(written)).toEqual({
      kind: "invalid",
      reason: "expected an address such as ann@example.com",
    });
  });

  test("reports non-ASCII letters before the @ as the reason", () => {
    for (const written of ["änn@example.com", "аnn@example.com", "ann\u200b@example.com"]) {
      expect(readEmailAddress(written)).toEqual({
        kind: "invalid",
        reason: "only ASCII characters are allowed before the @",
      });
    }
  });

  test("rejects an address over the maximum length", () => {
    const long = `${"a".repeat(65)}@example.com`;
    expect(readEmailAddress(long)).toEqual({
      kind: "invalid",
      reason: "the address is too long",
    });
  });
});
