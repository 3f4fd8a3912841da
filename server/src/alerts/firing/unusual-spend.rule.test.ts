import { expect, test } from "vitest";
import { HOURS_PER_DAY, type HourlySpend } from "#src/domain/hourly-spend.ts";
import {
  type HistoryShape,
  makeHistory,
  randomShape,
  HISTORY_START_HOUR as START,
} from "#test/harness/spend-history.ts";
import { findUnusualDay, findUnusualHour, UNUSUAL_PAST_DAYS } from "./unusual-spend.rule.ts";

const NANO = 1_000_000_000n;
const rule = { factor: 4, minNanoUsd: 5n * NANO };
const DAYS = 90;
const START_DAY = START / HOURS_PER_DAY;

/** The history at the end of an hour, as the evaluation reads it: from the first hour with spend. */
function knownAt(spend: HourlySpend, hour: number): HourlySpend {
  const today = hour - (hour % HOURS_PER_DAY);
  let first = Math.max(0, today - UNUSUAL_PAST_DAYS * HOURS_PER_DAY);
  while (first < hour && spend.amounts[first] === 0n) first++;
  return { firstHour: spend.firstHour + first, amounts: spend.amounts.slice(first, hour + 1) };
}

/** Evaluates each hour and each day at its end. Returns the unusual ones, counted from the start of the history. */
function findAll(spend: HourlySpend) {
  const hours: number[] = [];
  const days: number[] = [];
  for (const hour of spend.amounts.keys()) {
    const known = knownAt(spend, hour);
    if (findUnusualHour(known, START + hour, rule) !== null) hours.push(hour);
    if (hour % HOURS_PER_DAY < HOURS_PER_DAY - 1) continue;
    const day = Math.floor(hour / HOURS_PER_DAY);
    if (findUnusualDay(known, START_DAY + day, rule) !== null) days.push(day);
  }
  return { hours, days };
}

test("200 ordinary companies have no unusual hour and no unusual day in 90 days", () => {
  const wrong = Array.from({ length: 200 }, (_, seed) => {
    const shape = randomShape(seed);
    return { seed, shape, ...findAll(makeHistory(seed, DAYS, shape)) };
  }).filter(({ hours, days }) => hours.length + days.length > 0);
  expect(wrong).toEqual([]);
});

const office: HistoryShape = {
  hourUsd: 12,
  night: 0.02,
  weekend: 0.1,
  hourNoise: 0.2,
  dayNoise: 0.1,
  growth: 0,
  monthStart: 1,
  outages: 0,
};
/** A Tuesday of the seventh week. */
const TUESDAY = 43;
const at = (day: number, hour: number) => day * HOURS_PER_DAY + hour;

test("one spike is found in its hour, in all kinds of companies", () => {
  for (let seed = 0; seed < 40; seed++) {
    const shape = randomShape(seed);
    const spike = at(TUESDAY, seed % HOURS_PER_DAY);
    // Ten times the cost of a working hour on that day.
    const extraUsd = 10 * shape.hourUsd * (1 + shape.growth) ** TUESDAY;
    const spend = makeHistory(seed, DAYS, shape, (hour) => (hour === spike ? extraUsd : 0));
    expect({ seed, ...findAll(spend) }).toEqual({ seed, hours: [spike], days: [] });
  }
});

test("spend at night is found even at the cost of a working hour", () => {
  const spend = makeHistory(7, DAYS, office, (hour) => (hour === at(TUESDAY, 3) ? 20 : 0));
  expect(findAll(spend)).toEqual({ hours: [at(TUESDAY, 3)], days: [] });
  const found = findUnusualHour(spend, START + at(TUESDAY, 3), rule);
  expect(found?.spentNanoUsd).toBeGreaterThan(20n * NANO);
  expect(found?.usualNanoUsd).toBeLessThan(NANO);
});

test("a slow leak is found on its first day, and is usual after a week", () => {
  for (let seed = 0; seed < 20; seed++) {
    const shape = { ...office, hourUsd: 0.5 };
    // $3 an hour, day and night. A single hour is below the minimum.
    const leak = (hour: number) => (hour >= at(TUESDAY, 0) ? 3 : 0);
    const spend = makeHistory(seed, DAYS, shape, leak);
    const { hours, days } = findAll(spend);
    expect({ seed, hours, first: days[0] }).toEqual({ seed, hours: [], first: TUESDAY });
    expect(days.at(-1)).toBeLessThan(TUESDAY + 7);
    // The leak is found when the day costs four times the usual, at the latest.
    const running = { ...spend, amounts: spend.amounts.slice(0, at(TUESDAY, 12)) };
    expect(findUnusualDay(running, START_DAY + TUESDAY, rule)).not.toBeNull();
  }
});

test("unusual hours are not reported again as an unusual day", () => {
  const spikes = [9, 14].map((hour) => at(TUESDAY, hour));
  const spend = makeHistory(3, DAYS, office, (hour) => (spikes.includes(hour) ? 600 : 0));
  expect(findAll(spend)).toEqual({ hours: spikes, days: [] });
});

test("a monthly job is found the first time, and is usual after that", () => {
  // 1 July and 1 August are days 30 and 61.
  const runs = (hour: number) => [at(30, 2), at(61, 2)].includes(hour);
  const spend = makeHistory(5, DAYS, office, (hour) => (runs(hour) ? 400 : 0));
  expect(findAll(spend)).toEqual({ hours: [at(30, 2)], days: [] });
});

test("work on a quiet Saturday at the cost of a weekday is not unusual", () => {
  const saturday = (hour: number) => hour >= at(47, 9) && hour < at(47, 18);
  const spend = makeHistory(11, DAYS, office, (hour) => (saturday(hour) ? 12 : 0));
  expect(findAll(spend)).toEqual({ hours: [], days: [] });
});

test("three days of history find nothing, and later days find spikes", () => {
  const spikeOn = (day: number) => {
    const spend = makeHistory(2, 10, office, (hour) => (hour === at(day, 10) ? 300 : 0));
    return findAll(spend).hours;
  };
  expect([spikeOn(0), spikeOn(2)]).toEqual([[], []]);
  expect([spikeOn(4), spikeOn(8)]).toEqual([[at(4, 10)], [at(8, 10)]]);
});

test("a cost below the minimum is never unusual, and a lower factor finds more", () => {
  const calm = { ...office, hourNoise: 0.1, dayNoise: 0.05 };
  const spend = makeHistory(7, DAYS, calm, (hour) => (hour === at(TUESDAY, 10) ? 25 : 0));
  const spent = findUnusualHour(spend, START + at(TUESDAY, 10), {
    ...rule,
    factor: 2,
  })?.spentNanoUsd;
  expect(spent).toBeGreaterThan(30n * NANO);
  expect(findAll(spend).hours).toEqual([]);
  const strictRule = { factor: 2, minNanoUsd: (spent ?? 0n) + 1n };
  expect(findUnusualHour(spend, START + at(TUESDAY, 10), strictRule)).toBeNull();
});
