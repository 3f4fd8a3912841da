import { expect, test } from "vitest";
import { describeSetters, listRemovableValues, listSettableRanks } from "./ranks.ts";

const value = (rank: "owner" | "admin" | "workspace" | "holder") => ({
  rank,
  set_by: null,
  set_at: "2026-11-28T00:00:00.000Z",
});

test("offers the own rank first, and the lower ranks that can set the limit", () => {
  expect(listSettableRanks("owner", "workspace", [])).toEqual(["owner", "admin", "workspace"]);
  expect(listSettableRanks("admin", "organization", [])).toEqual(["admin"]);
  expect(listSettableRanks("workspace", "api_key", [])).toEqual(["workspace"]);
});

test("offers a lower rank that has a value, whatever the scope", () => {
  const kept = ["workspace", "holder"] as const;
  expect(listSettableRanks("admin", "organization", kept)).toEqual(["admin", ...kept]);
});

test("a member removes values of the own rank and of lower ranks only", () => {
  const limit = {
    id: "limit",
    scope: { type: "organization" as const },
    version: 1,
    values: [value("owner"), value("admin"), value("workspace")],
  };
  const removable = listRemovableValues(limit, "admin").map(({ rank }) => rank);
  expect(removable).toEqual(["admin", "workspace"]);
});

test("describes the value of each rank where several ranks have one", () => {
  const describe = () => "$5.00";
  expect(describeSetters([value("admin")], describe)).toBe("Set by an Admin");
  expect(describeSetters([value("owner"), value("workspace")], describe)).toBe(
    "Set by an Owner: $5.00; a Workspace Admin: $5.00",
  );
});
