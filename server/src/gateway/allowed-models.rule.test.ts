import { expect, test } from "vitest";
import { isModelAllowed } from "./allowed-models.rule.ts";

const SNAPSHOT = "claude-sonnet-4-5-20250929";

test.each<[string, string]>([
  ["claude-sonnet-4-5", "claude-sonnet-4-5"],
  ["claude-sonnet-4-5", SNAPSHOT],
  [SNAPSHOT, "claude-sonnet-4-5"],
  ["claude-sonnet-4-5", "claude-sonnet-4-5-20991231"],
  ["claude-haiku-*", "claude-haiku-4-5-20251001"],
  ["claude-haiku-*", "claude-haiku-99"],
  ["claude-sonnet-4-5-*", "claude-sonnet-4-5"],
  ["a-model-of-tomorrow", "a-model-of-tomorrow"],
  ["a-model-of-tomorrow", "a-model-of-tomorrow-20990101"],
])("%s allows %s", (entry, model) => {
  expect(isModelAllowed(["something-else", entry], model)).toBe(true);
});

test.each<[string, string]>([
  ["claude-sonnet-4-5", "claude-opus-4-5"],
  ["claude-sonnet-4-5", "claude-sonnet-4-5-1"],
  ["claude-sonnet-4-5", "Claude-Sonnet-4-5"],
  ["claude-sonnet-4-5", " claude-sonnet-4-5"],
  ["claude-sonnet-4-5", ""],
  // An entry with a date allows only that snapshot.
  [SNAPSHOT, "claude-sonnet-4-5-20991231"],
  ["claude-haiku-*", "claude-haiku"],
  ["claude-haiku-*", "x-claude-haiku-4-5"],
  ["claude-haiku-*", "claude-sonnet-4-5"],
])("%s does not allow %s", (entry, model) => {
  expect(isModelAllowed([entry], model)).toBe(false);
});
