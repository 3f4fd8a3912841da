import { expect, test } from "vitest";
import { HOURS_PER_DAY, type HourlySpend } from "#src/domain/hourly-spend.ts";
import {
  type HistoryShape,
  makeHistory,
  randomShape,
  HISTORY_START_HOUR as START,
} from "#test/harness/spend-history.ts";
import { findUnusual, noExcess, type ReportedExcess, sumExcess } from "./unusual-scopes.rule.ts";
import { findUnusualDay, findUnusualHour } from "./unusual-spend.rule.ts";

const NANO = 1_000_000_000n;
const rule = { factor: 4, minNanoUsd: 5n * NANO };
/** A Tuesday of the seventh week. The history ends with this day. */
const TUESDAY = 43;
const DAYS = TUESDAY + 1;
const at = (hour: number) => TUESDAY * HOURS_PER_DAY + hour;

/** Spend of keys by workspace. */
type Company = Record<string, Record<string, HourlySpend>>;

const office: HistoryShape = {
  ...{ hourUsd: 12, night: 0.05, weekend: 0.1, hourNoise: 0.2, dayNoise: 0.1 },
  ...{ growth: 0, monthStart: 1, outages: 0 },
};

function sum(parts: readonly HourlySpend[]): HourlySpend {
  const amounts = Array.from({ length: DAYS * HOURS_PER_DAY }, (_, hour) =>
    parts.reduce(
      (all, { firstHour, amounts: of }) => all + (of[hour + START - firstHour] ?? 0n),
      0n,
    ),
  );
  return { firstHour: START, amounts };
}

/** Evaluates each hour of the last day. Returns each report once: `a1 hour 9`, `company day`. */
function listReports(company: Company): string[] {
  const all = new Set<string>();
  for (let hour = at(0); hour < at(HOURS_PER_DAY); hour++) {
    const look = (name: string, spend: HourlySpend, below: ReportedExcess) => {
      const end = START + hour + 1 - spend.firstHour;
      const known = { ...spend, amounts: spend.amounts.slice(0, end) };
      const { found, reported } = findUnusual(known, START + hour, { rule, below });
      for (const { unit, at: when } of found) {
        all.add(`${name} ${unit}${unit === "hour" ? ` ${when - START - at(0)}` : ""}`);
      }
      return reported;
    };
    const workspaces = Object.entries(company).map(([name, keys]) => {
      const below = Object.entries(keys).map(([key, spend]) => look(key, spend, noExcess));
      return look(name, sum(Object.values(keys)), sumExcess(below));
    });
    look(
      "company",
      sum(Object.values(company).flatMap((keys) => Object.values(keys))),
      sumExcess(workspaces),
    );
  }
  return [...all];
}

type Extra = (hour: number) => number;

/** Two workspaces with three keys each. `extra`: additional spend by key, dollars. */
function companyOf(
  seed: number,
  shapeOf: (key: number) => HistoryShape,
  extra: Record<string, Extra> = {},
): Company {
  const keyOf = (name: string, key: number) => ({
    [name]: makeHistory(seed * 10 + key, DAYS, shapeOf(key), extra[name]),
  });
  return {
    a: { ...keyOf("a1", 1), ...keyOf("a2", 2), ...keyOf("a3", 3) },
    b: { ...keyOf("b1", 4), ...keyOf("b2", 5), ...keyOf("b3", 6) },
  };
}

const within = (from: number, to: number, usd: number): Extra => {
  return (hour) => (hour >= at(from) && hour < at(to) ? usd : 0);
};

test("ordinary companies have no reports", () => {
  for (let seed = 0; seed < 8; seed++) {
    const company = companyOf(seed, (key) => randomShape(seed * 7 + key));
    expect({ seed, reports: listReports(company) }).toEqual({ seed, reports: [] });
  }
});

test("a spike of one key is reported for the key only", () => {
  for (let seed = 0; seed < 4; seed++) {
    const company = companyOf(seed, () => office, { a2: within(10, 12, 2_000) });
    const everything = sum(Object.values(company).flatMap((keys) => Object.values(keys)));
    expect(findUnusualHour(everything, START + at(10), rule)).not.toBeNull();
    expect({ seed, reports: listReports(company) }).toEqual({
      seed,
      reports: ["a2 hour 10", "a2 hour 11"],
    });
  }
});

test("a slow leak of one key is reported for the key only, also after the key has stopped", () => {
  for (let seed = 0; seed < 8; seed++) {
    const small = { ...office, hourUsd: 0.05 };
    const company = companyOf(seed, () => small, { b1: within(0, 14, 3.5) });
    const everything = sum(Object.values(company).flatMap((keys) => Object.values(keys)));
    expect(findUnusualDay(everything, START / HOURS_PER_DAY + TUESDAY, rule)).not.toBeNull();
    expect({ seed, reports: listReports(company) }).toEqual({ seed, reports: ["b1 day"] });
  }
});

test("two causes are reported for their two keys", () => {
  const company = companyOf(3, () => office, { a1: within(9, 10, 900), b3: within(9, 10, 700) });
  expect(listReports(company)).toEqual(["a1 hour 9", "b3 hour 9"]);
});

test("unusual spend of many small keys is reported for the workspace only", () => {
  // Each key spends too little to be unusual.
  const keys = Array.from({ length: 30 }, (_, key): [string, HourlySpend] => {
    const shape = { ...office, hourUsd: 0.3 };
    return [`a${key}`, makeHistory(key, DAYS, shape, within(10, 11, 4))];
  });
  const company = {
    a: Object.fromEntries(keys),
    b: { b1: makeHistory(99, DAYS, { ...office, hourUsd: 3 }) },
  };
  expect(listReports(company)).toEqual(["a hour 10"]);
});

test("a key without history is reported for its workspace, a new workspace for the company", () => {
  const company = companyOf(5, () => office);
  const fresh = { firstHour: START + at(10), amounts: [900n * NANO, 900n * NANO] };
  expect(listReports({ ...company, a: { ...company["a"], fresh } })).toEqual([
    "a hour 10",
    "a hour 11",
  ]);
  expect(listReports({ ...company, c: { fresh } })).toEqual(["company hour 10", "company hour 11"]);
});

test("the company reports spend that no key or workspace explains", () => {
  // The key explains half of the spend. The other half comes from a workspace without history.
  const company = companyOf(6, () => office, { a2: within(10, 11, 2_000) });
  const fresh = { firstHour: START + at(10), amounts: [2_000n * NANO] };
  expect(listReports({ ...company, c: { fresh } })).toEqual(["a2 hour 10", "company hour 10"]);
});
