import { describe, expect, test } from "vitest";
import {
  findLine,
  makeDraft,
  moveDraft,
  parseSettings,
  placeNote,
  toPolicies,
} from "./settings-draft.ts";

const settings = {
  model: "opus",
  permissions: { allow: ["Read"], deny: ["Read(./.env)", "Bash(a, {b})", 7] },
  hooks: { Stop: [{ hooks: [{ type: "command", command: "x" }] }] },
  env: { A: "1", model: "2" },
};
const draft = makeDraft("Everyone", [], settings);
const lineOf = (text: string) =>
  draft.text.split("\n").findIndex((line) => line.includes(text)) + 1;

describe("the line of a path", () => {
  test.each([
    [["model"], '"model": "opus"'],
    [["permissions", "deny"], '"deny"'],
    [["permissions", "deny", "0"], "Read(./.env)"],
    [["permissions", "deny", "1"], "Bash(a"],
    [["permissions", "deny", "2"], "7"],
    [["hooks", "Stop", "0", "hooks", "0", "command"], '"command": "x"'],
    [["env", "model"], '"model": "2"'],
  ])("%j", (names, text) => {
    expect(findLine(draft.text, names)).toBe(lineOf(text));
  });

  test("is that of the parent without the value", () => {
    expect(findLine(draft.text, ["env", "B"])).toBe(lineOf('"env"'));
    expect(findLine("{}", ["env"])).toBe(1);
  });
});

test("a note of the server has its policy, its field and its line", () => {
  const note = { path: "policies.1.settings.env.A", message: "Expected text." };
  expect(placeNote([draft, draft], note)).toEqual({
    ...{ index: 1, field: "settings", line: lineOf('"A"') },
    message: "env.A: Expected text.",
  });
  expect(placeNote([draft], { path: "policies.0.name", message: "No." })).toEqual({
    ...{ index: 0, field: "name", line: null, message: "No." },
  });
  expect(placeNote([draft], { path: "policies", message: "No." }).index).toBeNull();
});

test("invalid text has the line of its fault", () => {
  expect(parseSettings('{\n  "a": 1,\n  oops\n}')).toMatchObject({ fault: { line: 3 } });
  expect(parseSettings("[]")).toMatchObject({ fault: { line: 1 } });
  expect(toPolicies([draft, { ...draft, text: "{" }])).toBeNull();
  expect(toPolicies([draft])).toEqual([{ name: "Everyone", group_ids: [], settings }]);
});

test("a policy moves by one place, and not beyond the ends", () => {
  const drafts = ["A", "B", "C"].map((name) => makeDraft(name, [], {}));
  const namesOf = (list: readonly { name: string }[]) => list.map(({ name }) => name).join("");
  expect(namesOf(moveDraft(drafts, 0, 1))).toBe("BAC");
  expect(namesOf(moveDraft(drafts, 2, 1))).toBe("ACB");
  expect(namesOf(moveDraft(drafts, 0, -1))).toBe("ABC");
});
