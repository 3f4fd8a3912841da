import { expect, test } from "vitest";
import { HOURS_PER_DAY, type HourlySpend } from "#src/domain/hourly-spend.ts";
import {
  type HistoryShape,
  makeHistory,
  randomShape,
  HISTORY_START_HOUR as START,
} from "#test/harness/spend-history.ts";
import { addTold, findUnusual, nothingTold, type ToldExcess } from "./unusual-scopes.rule.ts";
import { unusualDay, unusualHour } from "./unusual-spend.rule.ts";

const NANO = 1_000_000_000n;
const rule = { factor: 4, minNanoUsd: 5n * NANO };
/** A Tuesday of the seventh week, and what is known at its end. */
const TUESDAY = 43;
const DAYS = TUESDAY + 1;
const at = (hour: number) => TUESDAY * HOURS_PER_DAY + hour;

/** Keys by workspace; each with what it costs besides. */
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

/** What is told of the last day, hour by hour, each once: `a1 hour 9`, `company day`. */
function tell(company: Company): string[] {
  const all = new Set<string>();
  for (let hour = at(0); hour < at(HOURS_PER_DAY); hour++) {
    const look = (name: string, spend: HourlySpend, below: ToldExcess) => {
      const end = START + hour + 1 - spend.firstHour;
      const known = { ...spend, amounts: spend.amounts.slice(0, end) };
      const { found, told } = findUnusual(known, START + hour, { rule, below });
      for (const { unit, at: when } of found) {
        all.add(`${name} ${unit}${unit === "hour" ? ` ${when - START - at(0)}` : ""}`);
      }
      return told;
    };
    const workspaces = Object.entries(company).map(([name, keys]) => {
      const below = Object.entries(keys).map(([key, spend]) => look(key, spend, nothingTold));
      return look(name, sum(Object.values(keys)), addTold(below));
    });
    look(
      "company",
      sum(Object.values(company).flatMap((keys) => Object.values(keys))),
      addTold(workspaces),
    );
  }
  return [...all];
}

type Extra = (hour: number) => number;

/** Two workspaces with three keys each, of these shapes; `extra` in dollars by key. */
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

test("a quiet company tells of nothing, whatever its keys do usually", () => {
  for (let seed = 0; seed < 8; seed++) {
    const company = companyOf(seed, (key) => randomShape(seed * 7 + key));
    expect({ seed, told: tell(company) }).toEqual({ seed, told: [] });
  }
});

test("a spike of one key is told of by the key alone, though its workspace and the company see it too", () => {
  for (let seed = 0; seed < 4; seed++) {
    const company = companyOf(seed, () => office, { a2: within(10, 12, 2_000) });
    const everything = sum(Object.values(company).flatMap((keys) => Object.values(keys)));
    expect(unusualHour(everything, START + at(10), rule)).not.toBeNull();
    expect({ seed, told: tell(company) }).toEqual({ seed, told: ["a2 hour 10", "a2 hour 11"] });
  }
});

test("a slow leak of one key is told of by the key alone, also once the key has stopped", () => {
  for (let seed = 0; seed < 8; seed++) {
    const small = { ...office, hourUsd: 0.05 };
    const company = companyOf(seed, () => small, { b1: within(0, 14, 3.5) });
    const everything = sum(Object.values(company).flatMap((keys) => Object.values(keys)));
    expect(unusualDay(everything, START / HOURS_PER_DAY + TUESDAY, rule)).not.toBeNull();
    expect({ seed, told: tell(company) }).toEqual({ seed, told: ["b1 day"] });
  }
});

test("two causes are two firings, each at its key", () => {
  const company = companyOf(3, () => office, { a1: within(9, 10, 900), b3: within(9, 10, 700) });
  expect(tell(company)).toEqual(["a1 hour 9", "b3 hour 9"]);
});

test("what no key sees is told of by the workspace, and not by the company as well", () => {
  // Many small keys, each of which spends too little to be unusual.
  const keys = Array.from({ length: 30 }, (_, key): [string, HourlySpend] => {
    const shape = { ...office, hourUsd: 0.3 };
    return [`a${key}`, makeHistory(key, DAYS, shape, within(10, 11, 4))];
  });
  const company = {
    a: Object.fromEntries(keys),
    b: { b1: makeHistory(99, DAYS, { ...office, hourUsd: 3 }) },
  };
  expect(tell(company)).toEqual(["a hour 10"]);
});

test("a key without a past is seen by its workspace; a workspace without one by the company", () => {
  const company = companyOf(5, () => office);
  const fresh = { firstHour: START + at(10), amounts: [900n * NANO, 900n * NANO] };
  expect(tell({ ...company, a: { ...company["a"], fresh } })).toEqual(["a hour 10", "a hour 11"]);
  expect(tell({ ...company, c: { fresh } })).toEqual(["company hour 10", "company hour 11"]);
});

test("the company tells of what is left that no key or workspace explains", () => {
  // The key explains its own; as much again comes from a workspace that nothing is known of.
  const company = companyOf(6, () => office, { a2: within(10, 11, 2_000) });
  const fresh = { firstHour: START + at(10), amounts: [2_000n * NANO] };
  expect(tell({ ...company, c: { fresh } })).toEqual(["a2 hour 10", "company hour 10"]);
});
