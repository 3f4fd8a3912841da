import { expect, test } from "vitest";
import { modelDisplayName } from "./model-display-name.rule.ts";

test.each([
  ["claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"],
  ["claude-3-5-sonnet-20241022", "Claude Sonnet 3.5"],
  ["claude-3-7-sonnet-latest", "Claude Sonnet 3.7"],
  ["claude-opus-5", "Claude Opus 5"],
  ["claude-instant", "Claude Instant"],
  ["gpt-4", "gpt-4"],
  ["claude-", "claude-"],
  ["other", "other"],
])("%s has the name %s", (model, name) => {
  expect(modelDisplayName(model)).toBe(name);
});
