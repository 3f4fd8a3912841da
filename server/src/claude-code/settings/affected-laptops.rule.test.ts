import { expect, test } from "vitest";
import { countAffectedLaptops } from "./affected-laptops.rule.ts";

const base = { name: "Everyone", group_ids: [], settings: { model: "sonnet" } };
const data = { name: "Data", group_ids: ["grp_data"], settings: { model: "opus" } };
const laptops = [
  { groupIds: [], laptops: 5 },
  { groupIds: ["grp_data", "grp_other"], laptops: 3 },
];

test("a policy of one group affects its laptops alone", () => {
  expect(countAffectedLaptops(laptops, [base], [data, base])).toEqual({
    active: 8,
    changed: 3,
    withoutSettings: 0,
  });
});

test("a removed base leaves laptops without settings", () => {
  expect(countAffectedLaptops(laptops, [data, base], [data])).toEqual({
    active: 8,
    changed: 5,
    withoutSettings: 5,
  });
});

test("another order of names changes no laptop", () => {
  const settings = { env: { A: "1", B: "2" }, model: "sonnet" };
  const sorted = { model: "sonnet", env: { B: "2", A: "1" } };
  const [one, other] = [settings, sorted].map((each) => [{ ...base, settings: each }]);
  expect(countAffectedLaptops(laptops, one ?? [], other ?? []).changed).toBe(0);
});
