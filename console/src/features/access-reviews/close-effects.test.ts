import { expect, test } from "vitest";
import { describeCancellation, describeClose } from "./close-effects.ts";

const progress = { items: 44, to_remove: 3, undecided: 2, not_sure: 1, keep: 38, remove: 3 };
const remove = "remove" as const;

test("a close names the kinds of decided removals and the accesses without a decision", () => {
  const items = [
    { path: "workspace_key" as const, decision: remove },
    { path: "workspace_key" as const, decision: remove },
    { path: "organization_role" as const, decision: remove },
    { path: "group_role" as const, decision: remove },
    { path: "admin_key" as const, decision: "keep" as const },
  ];
  expect(describeClose({ progress, if_no_answer: "keep", items })).toEqual([
    "3 accesses end and 41 stay. Decisions can no longer be changed.",
    "Removed by decision: 1 company role and 2 workspace keys.",
    "1 role through a group can only be removed at the group.",
    "2 accesses have no decision, and 1 are marked “Not sure”.",
    "Access without a decision is kept.",
    "Members are deactivated and workspace roles are removed. Both can be restored.",
    "Keys are revoked permanently: programs that use them get a 401 within a second.",
  ]);
});

test("a close that removes nothing says so alone", () => {
  const decided = { ...progress, to_remove: 0, undecided: 0, not_sure: 0 };
  expect(describeClose({ progress: decided, if_no_answer: "remove", items: undefined })).toEqual([
    "0 accesses end and 44 stay. Decisions can no longer be changed.",
  ]);
});

test("a cancellation leaves access that was marked for removal", () => {
  expect(describeCancellation(progress, true)).toEqual([
    "41 decisions have no effect, and stay as evidence.",
    "3 accesses marked for removal stay.",
    "The series ends: no later review starts.",
  ]);
  expect(describeCancellation({ ...progress, keep: 0, remove: 0 }, false)).toEqual([]);
});
