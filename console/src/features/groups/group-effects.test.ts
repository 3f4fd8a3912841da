import { expect, test } from "vitest";
import {
  describeGroupDeletion,
  describeMemberAddition,
  describeRoleRemoval,
} from "./group-effects.ts";

const none = { workspaces: 0, hasModelList: false, limits: 0 };
const gifts = { workspaces: 2, hasModelList: true, limits: 3 };

test("a group that gives nothing has no effect", () => {
  expect(describeGroupDeletion(4, none)).toEqual([]);
  expect(describeMemberAddition(none)).toEqual([]);
});

test("a deletion counts members, workspaces and limits", () => {
  expect(describeGroupDeletion(4, gifts)).toEqual([
    "4 members lose the role of the group in 2 workspaces. Personal keys there stop, unless another role remains.",
    "3 limits of the group end.",
    "The list of models ends. Members without another list can use all models.",
  ]);
});

test("an addition counts what the member gets", () => {
  expect(describeMemberAddition({ ...gifts, limits: 1 })).toEqual([
    "The member gets a role in 2 workspaces.",
    "1 limit of the group applies to the member.",
    "The list of models applies to the member’s personal keys.",
  ]);
});

test("a removed role counts members without another role, and their keys", () => {
  expect(describeRoleRemoval({ members: 2, keys: 1 })).toEqual([
    "2 members lose the workspace.",
    "1 personal key stops working.",
  ]);
  expect(describeRoleRemoval({ members: 0, keys: 0 })).toEqual([
    "No member loses the workspace, and no personal key stops.",
  ]);
  expect(describeRoleRemoval({ members: undefined, keys: 3 })).toEqual([]);
});
