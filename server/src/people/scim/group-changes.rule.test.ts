import { expect, test } from "vitest";
import { applyGroupChanges, readGroupChanges, readWholeGroup } from "./group-changes.rule.ts";
import { hasAttribute, readSelection, selectAttributes } from "./selected-attributes.rule.ts";

const before = { displayName: "A", externalId: "1", memberIds: new Set(["a", "b"]) };

test("operations change a group in their order, in any case of names", () => {
  const read = readGroupChanges([
    { op: "add", path: "MEMBERS", value: { Value: "c" } },
    { op: "remove", path: 'members[value eq "a" or value eq "b"]' },
    { op: "replace", value: { displayname: "B", externalid: null } },
    { op: "add", path: "members", value: ["a"] },
  ]);
  expect("changes" in read && applyGroupChanges(before, read.changes)).toEqual({
    ...{ displayName: "B", externalId: null, memberIds: new Set(["c", "a"]) },
  });
});

test("a whole group without members keeps its members, and an empty list removes them", () => {
  const apply = (body: Record<string, unknown>) => {
    const read = readWholeGroup(body);
    return "changes" in read ? applyGroupChanges(before, read.changes) : read.mistake.scimType;
  };
  const replaced = { displayName: "B", externalId: null };
  expect(apply({ displayName: "B" })).toEqual({ ...replaced, memberIds: before.memberIds });
  expect(apply({ displayName: "B", Members: [] })).toEqual({ ...replaced, memberIds: new Set() });
  expect(apply({ members: [] })).toBe("invalidValue");
});

test("a response has the selected attributes, and always id and schemas", () => {
  const user = {
    schemas: ["s"],
    id: "1",
    name: { givenName: "Ada", familyName: "L" },
    active: true,
  };
  const select = (only?: string, except?: string) => {
    const selection = readSelection(only, except);
    return selection && selectAttributes(selection, user);
  };
  expect(select()).toEqual(user);
  expect(select("NAME.givenname")).toEqual({ schemas: ["s"], id: "1", name: { givenName: "Ada" } });
  expect(select("urn:ietf:params:scim:schemas:core:2.0:User:active")).toEqual({
    ...{ schemas: ["s"], id: "1", active: true },
  });
  expect(select(undefined, "id, schemas, active, name.familyName")).toEqual({
    ...{ schemas: ["s"], id: "1", name: { givenName: "Ada" } },
  });
  expect(select("a,".repeat(51))).toBeNull();
  const named = readSelection("members.value", undefined);
  expect(named && [hasAttribute(named, "members"), hasAttribute(named, "meta")]).toEqual([
    ...[true, false],
  ]);
});
