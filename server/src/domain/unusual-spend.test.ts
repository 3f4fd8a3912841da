import { expect, test } from "vitest";
import {
  HISTORY_START_HOUR as START,
  makeHistory,
  randomShape,
} from "#test/harness/spend-history.ts";
import { HOURS_PER_DAY, type HourlySpend } from "./hourly-spend.ts";
import { unusualDay, unusualHour } from "./unusual-spend.ts";

const NANO = 1_000_000_000n;
const rule = { factor: 4, minNanoUsd: 5n * NANO };
const DAYS = 90;
const START_DAY = START / HOURS_PER_DAY;

/** What the rules find in each hour as it ends, and in each day, by hours and days of the history. */
function findAll(spend: HourlySpend, with_ = rule) {
  const hours = spend.amounts.flatMap((_, hour) =>
    unusualHour(spend, START + hour, with_) === null ? [] : [hour],
  );
  const days = Array.from({ length: spend.amounts.length / HOURS_PER_DAY }, (_, day) => day).filter(
    (day) => unusualDay(spend, START_DAY + day, with_) !== null,
  );
  return { hours, days };
}

test("200 ordinary companies have no unusual hour and no unusual day in 90 days", () => {
  const wrong = Array.from({ length: 200 }, (_, seed) => {
    const shape = randomShape(seed);
    return { seed, shape, ...findAll(makeHistory(seed, DAYS, shape)) };
  }).filter(({ hours, days }) => hours.length + days.length > 0);
  expect(wrong).toEqual([]);
});
