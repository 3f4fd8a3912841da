import { expect, test } from "vitest";
import { describeRuleChange, type PersonalKeyRuleValues } from "./personal-key-effects.ts";

const rules: PersonalKeyRuleValues = {
  mode: "members",
  lifetimeDays: null,
  keysPerMember: null,
  models: null,
};
const keys = [
  { ownerId: "ada", expiresAt: null },
  { ownerId: "ada", expiresAt: "2026-12-24T00:00:01Z" },
  { ownerId: "grace", expiresAt: "2026-12-24T00:00:00Z" },
];
const describe = (after: Partial<PersonalKeyRuleValues>, over = {}) =>
  describeRuleChange({
    before: rules,
    after: { ...rules, ...after },
    keys,
    members: 12,
    nowMs: Date.parse("2026-11-24T00:00:00Z"),
    ...over,
  });

test("unchanged rules have no effect", () => {
  expect(describe({})).toEqual([]);
});

test.each([
  [
    { mode: "off" },
    [
      "Members without a role that creates keys can create no further ones.",
      "3 personal keys keep working.",
    ],
  ],
  [{ mode: "everyone" }, ["12 members of the company can create keys here."]],
  [
    { lifetimeDays: 30 },
    ["2 personal keys last longer. Existing keys keep their expiry until they are rotated."],
  ],
  [
    { keysPerMember: 2 },
    ["1 member has this many keys or more. All keys keep working, and further ones are refused."],
  ],
  [{ models: ["claude-haiku-*"] }, ["3 personal keys keep their models."]],
] as const)("%j states its effect", (after, sentences) => {
  expect(describe(after)).toEqual(sentences);
});

test("unknown counts are left out", () => {
  expect(
    describe({ mode: "everyone", lifetimeDays: 1 }, { keys: undefined, members: undefined }),
  ).toEqual([]);
});
