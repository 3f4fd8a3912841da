import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { passwordFault } from "./password-rules.rule.ts";

const ada = { email: "ada.lovelace@example.com", name: "Ada Lovelace" };

describe("a new password", () => {
  test.each([
    "correct horse battery staple",
    "zqv81-kk2mm0x",
    "парольдлинный",
    "密码密语很长一二三四五六",
    "my passwords are long and odd",
    "Ada likes engines",
    "🐴🔋📎✅🦊🌲🌲🌲🌲🌲🌲🌲",
  ])("%s is accepted", (password) => {
    expect(passwordFault(password, ada)).toBeNull();
  });

  test.each([
    ["", "at least 12"],
    ["elevenchars", "at least 12"],
    ["x".repeat(201), "at most 200"],
    ["abababababab", "5 different"],
    ["password1234", "too close"],
    ["PASSWORD-1234-!", "too close"],
    ["Lovelace.Ada.1815", "too close"],
    ["ada.lovelace@example.com", "too close"],
    ["1234567890123456", "too close"],
    ["qwertyuiop123", "too close"],
    ["bursar-anthropic-claude", "too close"],
    ["ｐａｓｓｗｏｒｄ１２３４", "too close"],
  ])("%s is refused", (password, why) => {
    expect(passwordFault(password, ada)).toContain(why);
  });

  test("is checked for any characters and any name of the person", () => {
    const text = fc.string({ unit: "binary", maxLength: 250 });
    fc.assert(
      fc.property(text, text, text, (password, email, name) => {
        const fault = passwordFault(password, { email, name });
        if ([...password].length < 12) expect(fault).toContain("at least 12");
        else expect(fault === null || fault.length > 0).toBe(true);
      }),
    );
  });
});
