import { describe, expect, test } from "vitest";
import { type ClaimMapping, chooseRole, findClaim, readMappedClaims } from "./claims.rule.ts";

const mapping: ClaimMapping = {
  role_claim: "realm_access.roles",
  role_mappings: [
    { value: "leads", role: "admin" },
    { value: "staff", role: "developer" },
    { value: "money", role: "billing" },
  ],
  group_claim: "groups",
  group_mappings: [
    { value: "research", group_id: "group_1" },
    { value: "research", group_id: "group_2" },
    { value: "sales", group_id: "group_3" },
  ],
};

describe("a claim", () => {
  test.each([
    [{ groups: ["a", "b"] }, "groups", ["a", "b"]],
    [{ groups: "a" }, "groups", ["a"]],
    [{ groups: ["a", 1, null] }, "groups", ["a"]],
    [{ groups: [] }, "groups", []],
    [{ groups: { a: true } }, "groups", null],
    [{}, "groups", null],
    [{ realm_access: { roles: ["a"] } }, "realm_access.roles", ["a"]],
    [{ "https://example.com/roles": ["a"] }, "https://example.com/roles", ["a"]],
    [{ "a.b": ["exact"], a: { b: ["path"] } }, "a.b", ["exact"]],
    [{}, "constructor.name", null],
  ])("of %j with the name %s has %j", (claims, name, values) => {
    expect(findClaim(claims, name)).toEqual(values);
  });
});

describe("mapped values", () => {
  test("come from the token, else from the user info document", () => {
    const token = { groups: ["research", "unknown"] };
    const userInfo = { groups: ["sales"], realm_access: { roles: ["staff"] } };
    expect(readMappedClaims(mapping, token, userInfo)).toEqual({
      roles: ["staff"],
      groups: ["research"],
    });
  });

  test("are empty without a claim, and null without a mapping", () => {
    expect(readMappedClaims(mapping, {}, {})).toEqual({ roles: [], groups: [] });
    const unmapped = { ...mapping, role_mappings: [], group_claim: null };
    expect(readMappedClaims(unmapped, { groups: ["sales"] }, {})).toEqual({
      roles: null,
      groups: null,
    });
  });

  test("are unknown if the provider left a claim out because it is too large", () => {
    const token = { _claim_names: { groups: "src1" } };
    expect(readMappedClaims(mapping, token, {})).toBeNull();
    expect(readMappedClaims({ ...mapping, group_mappings: [] }, token, {})).not.toBeNull();
  });
});

test("the first role in the order of the table applies, else the default", () => {
  expect(chooseRole(mapping, ["money", "staff"], "user")).toBe("developer");
  expect(chooseRole(mapping, ["staff", "leads"], "user")).toBe("admin");
  expect(chooseRole(mapping, [], "claude_code_user")).toBe("claude_code_user");
});
