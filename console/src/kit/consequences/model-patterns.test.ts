import { expect, test } from "vitest";
import { allowsModel, describeRefusedModels } from "./model-patterns.ts";

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

test("names the models that a list refuses, with the requests of all of them", () => {
  const rows = [
    { model: "claude-opus-5", requests: 1_200 },
    { model: "claude-sonnet-5", requests: 3 },
    { model: "claude-haiku-4-5", requests: 40 },
    { model: null, requests: 7 },
  ];
  expect(describeRefusedModels(rows, ["claude-haiku-*"])).toEqual([
    "1,203 requests of the last 7 days used models that this list refuses: claude-opus-5, claude-sonnet-5.",
  ]);
  expect(describeRefusedModels(rows, ["claude-*"])).toEqual([
    "No request of the last 7 days used a model that this list refuses.",
  ]);
  expect(describeRefusedModels(rows, [])).toEqual([]);
  expect(describeRefusedModels(undefined, ["claude-haiku-*"])).toEqual([]);
});
