import { expect, test } from "vitest";
import { describeKeysPerMember, listOwners } from "./keys-per-member.ts";

test("only living personal keys for calls count", () => {
  const owner = { type: "member", id: "ada", name: "Ada", email: "ada@example.com" } as const;
  const key = { owner, purpose: "calls", status: "active" } as const;
  const keys = [
    key,
    { ...key, status: "inactive" },
    { ...key, status: "expired" },
    { ...key, status: "archived" },
    { ...key, purpose: "claude_code" },
    { ...key, owner: { type: "workspace" } },
  ] as const;
  expect(listOwners(keys)).toEqual(["ada", "ada"]);
});

test("a lower number of keys counts the members who cannot create further ones", () => {
  const owners = ["ada", "ada", "ada", "grace", "grace", "alan"];
  expect(describeKeysPerMember(owners, { before: null, after: 2 })).toEqual([
    "2 members have this many keys or more. All keys keep working, and further ones are refused.",
  ]);
  expect(describeKeysPerMember(owners, { before: null, after: 4 })).toEqual([
    "No member has this many keys.",
  ]);
  expect(describeKeysPerMember(owners, { before: 2, after: 5 })).toEqual([]);
  expect(describeKeysPerMember(undefined, { before: null, after: 2 })).toEqual([]);
  expect(describeKeysPerMember(owners, { before: 2, after: null })).toEqual([]);
});
