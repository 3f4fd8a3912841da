import { expect, test } from "vitest";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { describeSettingRanks } from "../../kit/rank-words.ts";
import { describeRestrictions, listDisablingRanks, listSettingRanks } from "./key-ranks.ts";

const restrictions: ApiKey["restrictions"] = [
  {
    ...{ rank: "admin", is_disabled: true, allowed_models: ["claude-haiku-*"] },
    ...{ allowed_addresses: null, expires_at: "2027-03-01T00:00:00.000Z" },
    ...{ set_by: { type: "user", id: "user_1" }, set_at: "2026-11-28T00:00:00.000Z" },
  },
  {
    ...{ rank: "holder", is_disabled: false, allowed_models: null },
    ...{ allowed_addresses: ["10.0.0.0/8", "::1/128"], expires_at: null },
    ...{ set_by: { type: "user", id: "user_2" }, set_at: "2026-11-28T00:00:00.000Z" },
  },
];

test("describes what each rank has set", () => {
  const formatDay = (time: string) => time.slice(0, 10);
  expect(restrictions.map((each) => describeRestrictions(each, formatDay))).toEqual([
    ["disabled", "models claude-haiku-*", "expires 2027-03-01"],
    ["addresses 10.0.0.0/8, ::1/128"],
  ]);
});

test("lists the ranks that disabled a key", () => {
  expect(listDisablingRanks({ restrictions } as ApiKey)).toEqual(["admin"]);
});

test("names the ranks whose value is in force", () => {
  const key = { restrictions, expires_at: "2027-03-01T00:00:00.000Z" };
  const describe = (field: Parameters<typeof listSettingRanks>[1], of = key) =>
    describeSettingRanks(listSettingRanks(of, field));
  expect(describe("allowed_models")).toBe("Set by an Admin");
  expect(describe("allowed_addresses")).toBe("Set by the holder");
  expect(describe("expires_at")).toBe("Set by an Admin");
  // The organization's maximum lifetime ends the key earlier, and belongs to no rank.
  expect(describe("expires_at", { ...key, expires_at: "2027-01-01T00:00:00.000Z" })).toBeNull();
  expect(describeSettingRanks(["admin", "holder"])).toBe("Set by an Admin and the holder");
});
