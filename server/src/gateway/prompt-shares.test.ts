import { expect, test } from "vitest";
import { PromptShares } from "./prompt-shares.ts";

test("estimates a prompt by the share of the last one of its key and model", () => {
  const shares = new PromptShares();
  expect(shares.estimate("apikey_1", "m", 40_000)).toBe(0);
  shares.add("apikey_1", "m", { tokens: 10_000, boundTokens: 20_000 });
  shares.add("apikey_1", "m", { tokens: 10_000, boundTokens: 40_000 });
  expect(shares.estimate("apikey_1", "m", 40_000)).toBe(10_000);
  expect(shares.estimate("apikey_2", "m", 40_000)).toBe(0);
  expect(shares.estimate("apikey_1", "n", 40_000)).toBe(0);
});

test("forgets the oldest key beyond its bound", () => {
  const shares = new PromptShares();
  for (let key = 0; key <= 4_096; key++) {
    shares.add(`apikey_${key}`, "m", { tokens: 1, boundTokens: 2 });
  }
  expect(shares.estimate("apikey_0", "m", 100)).toBe(0);
  expect(shares.estimate("apikey_1", "m", 100)).toBe(50);
});
