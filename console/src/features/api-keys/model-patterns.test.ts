import { expect, test } from "vitest";
import { allowsModel } from "./model-patterns.ts";

test("allows all models without a list", () => {
  expect(allowsModel([], "claude-opus-5")).toBe(true);
});

test("allows named models with their dated forms, and models of a prefix", () => {
  expect(allowsModel(["claude-haiku-4-5"], "claude-haiku-4-5-20251001")).toBe(true);
  expect(allowsModel(["claude-haiku-4-5-20251001"], "claude-haiku-4-5")).toBe(true);
  expect(allowsModel(["claude-haiku-*"], "claude-haiku-4-5")).toBe(true);
});

test("allows no other model", () => {
  expect(allowsModel(["claude-haiku-*", "claude-opus-5"], "claude-sonnet-5")).toBe(false);
  expect(allowsModel(["claude-haiku-4"], "claude-haiku-4-5")).toBe(false);
});
