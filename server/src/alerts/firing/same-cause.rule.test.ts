import { describe, expect, test } from "vitest";
import { causeKeyOf, dropSameCause } from "./same-cause.rule.ts";

const firing = {
  kind: "spend_limit",
  scopeType: "workspace",
  scopeId: "wksp_1",
  episode: "monthly 2026-11-01",
  threshold: "75%",
} as const;
const same = (a: object, b: object) =>
  causeKeyOf({ ...firing, ...a }) === causeKeyOf({ ...firing, ...b });

describe("the key of a cause", () => {
  test("is shared by percentages of one limit and period, also after a raise", () => {
    expect(same({}, { threshold: "90%" })).toBe(true);
    expect(same({}, { episode: "monthly 2026-11-01 +2" })).toBe(true);
  });

  test("differs between amounts, periods, scopes and kinds", () => {
    const pairs = [
      [{ threshold: "$1.00" }, { threshold: "$2.00" }],
      [{}, { threshold: "$75.00" }],
      [{}, { episode: "daily 2026-11-01" }],
      [{}, { scopeId: "wksp_2" }],
      [{}, { kind: "forecast" }],
    ] as const;
    for (const [a, b] of pairs) expect(same(a, b)).toBe(false);
  });

  test("ignores the episode of a window, which each alert begins by itself", () => {
    const refused = { kind: "refused_requests", threshold: "50 requests" };
    expect(same({ ...refused, episode: "a" }, { ...refused, episode: "b" })).toBe(true);
    expect(same(refused, { ...refused, threshold: "60 requests" })).toBe(false);
  });
});

test("the first firing of each cause is kept, in the order of the list", () => {
  const firings = [
    { ...firing, alert: "A", threshold: "100%" },
    { ...firing, alert: "B", threshold: "90%" },
    { ...firing, alert: "B", episode: "daily 2026-11-20" },
  ];
  const kept = dropSameCause(firings, (each) => each);
  expect(kept.map(({ alert, threshold }) => `${alert} ${threshold}`)).toEqual(["A 100%", "B 75%"]);
});
