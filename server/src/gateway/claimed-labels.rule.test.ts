import { expect, test } from "vitest";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { readClaimedLabels } from "./claimed-labels.rule.ts";

const SESSION = "6f9d8e0c-7a1b-4c3d-9e2f-0a1b2c3d4e5f";
const read = (...list: string[]) => readClaimedLabels(HeaderFields.fromList(list));
const readWithSession = (...list: string[]) => read("x-claude-code-session-id", SESSION, ...list);

test("all labels of a subagent are read", () => {
  expect(
    readWithSession(
      "x-claude-code-prompt-id",
      "prompt_1",
      "x-claude-code-agent-id",
      "agent_2",
      "x-claude-code-parent-agent-id",
      "agent_1",
      "x-claude-code-request-class",
      "subagent",
    ),
  ).toEqual({
    agentSessionId: SESSION,
    promptId: "prompt_1",
    agentId: "agent_2",
    parentAgentId: "agent_1",
    requestClass: "subagent",
  });
});

test("a request without an agent session has no labels", () => {
  expect(read("x-claude-code-prompt-id", "prompt_1")).toBeUndefined();
});

test.each(["", "a b", "a\tb", "\u00e4", "s".repeat(65), "one, two"])(
  "the label %j is left out",
  (value) => {
    expect(read("x-claude-code-session-id", value)).toBeUndefined();
    expect(readWithSession("x-claude-code-prompt-id", value)).toEqual({ agentSessionId: SESSION });
  },
);

test("a label that is sent twice is left out", () => {
  expect(
    readWithSession("x-claude-code-agent-id", "agent_1", "x-claude-code-agent-id", "agent_2"),
  ).toEqual({ agentSessionId: SESSION });
});

test.each([
  ["main", "main"],
  ["side_reply", "side_reply"],
  ["newer-class", "other"],
  ["MAIN", "other"],
])("the class %s is stored as %s", (sent, stored) => {
  expect(readWithSession("x-claude-code-request-class", sent)?.requestClass).toBe(stored);
});
