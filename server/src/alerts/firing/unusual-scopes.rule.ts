import { amountOfHour, HOURS_PER_DAY, type HourlySpend } from "#src/domain/hourly-spend.ts";
import {
  findUnusualDay,
  findUnusualHour,
  type Unusual,
  type UnusualRule,
} from "./unusual-spend.rule.ts";

// An unusual hour or day is reported for the narrowest scope that has it. A wider scope reports it only if the reports of
// narrower scopes do not explain it.

/** Reported spend above the usual, nano-USD by hour since the epoch. */
export interface ReportedExcess {
  /** Excess of unusual hours. */
  hours: ReadonlyMap<number, bigint>;
  /** Excess of unusual days, spread over their hours that are not unusual by themselves. */
  days: ReadonlyMap<number, bigint>;
}

export interface UnusualPeriod {
  unit: "hour" | "day";
  /** Hours or days since the epoch. */
  at: number;
  /** Spend of the whole scope, with the parts that narrower scopes report. */
  unusual: Unusual;
}

export const noExcess: ReportedExcess = { hours: new Map(), days: new Map() };

/**
 * Finds unusual hours and days of a scope: this hour, the hour before, which may have been counted late, and their days.
 * `below`: excess that narrower scopes reported. Returns it in `reported` with the excess of this scope, for wider scopes.
 */
export function findUnusual(
  spend: HourlySpend,
  nowHour: number,
  { rule, below }: { rule: UnusualRule; below: ReportedExcess },
): { found: UnusualPeriod[]; reported: ReportedExcess } {
  const hours = new Map(below.hours);
  const days = new Map(below.days);
  const found: UnusualPeriod[] = [];
  for (const day of new Set([dayOf(nowHour - 1), dayOf(nowHour)])) {
    const unusualHours = listUnusualHours(spend, { day, nowHour }, rule);
    for (const { hour, unusual } of unusualHours) {
      const rest = subtractReported(spend, [hour], below.hours);
      if (rest !== spend && findUnusualHour(rest, hour, rule) === null) continue;
      raiseExcess(hours, hour, unusual.spentNanoUsd - unusual.usualNanoUsd);
      // The excess of the hour contains this part of the day.
      days.delete(hour);
      if (hour >= nowHour - 1) found.push({ unit: "hour", at: hour, unusual });
    }
    const unusual = findUnexplainedDay(spend, { day, rule, below });
    if (unusual === null) continue;
    found.push({ unit: "day", at: day, unusual });
    const reported = new Set(unusualHours.map(({ hour }) => hour));
    const others = hoursOf(day).filter((hour) => !reported.has(hour));
    for (const [hour, part] of spreadExcess(spend, others, unusual)) raiseExcess(days, hour, part);
  }
  return { found, reported: { hours, days } };
}

/** Sums the reports of scopes that do not overlap. */
export function sumExcess(all: Iterable<ReportedExcess>): ReportedExcess {
  const hours = new Map<number, bigint>();
  const days = new Map<number, bigint>();
  for (const reported of all) {
    for (const [hour, part] of reported.hours) hours.set(hour, (hours.get(hour) ?? 0n) + part);
    for (const [hour, part] of reported.days) days.set(hour, (days.get(hour) ?? 0n) + part);
  }
  return { hours, days };
}

function listUnusualHours(
  spend: HourlySpend,
  { day, nowHour }: { day: number; nowHour: number },
  rule: UnusualRule,
): { hour: number; unusual: Unusual }[] {
  return hoursOf(day).flatMap((hour) => {
    const unusual = hour > nowHour ? null : findUnusualHour(spend, hour, rule);
    return unusual === null ? [] : [{ hour, unusual }];
  });
}

function findUnexplainedDay(
  spend: HourlySpend,
  { day, rule, below }: { day: number; rule: UnusualRule; below: ReportedExcess },
): Unusual | null {
  const unusual = findUnusualDay(spend, day, rule);
  if (unusual === null) return null;
  const rest = subtractReported(
    subtractReported(spend, hoursOf(day), below.hours),
    hoursOf(day),
    below.days,
  );
  return rest === spend || findUnusualDay(rest, day, rule) !== null ? unusual : null;
}

/** The spend without the reported excess of these hours. */
function subtractReported(
  spend: HourlySpend,
  hours: readonly number[],
  reported: ReadonlyMap<number, bigint>,
): HourlySpend {
  const these = hours.filter((hour) => reported.has(hour) && amountOfHour(spend, hour) !== null);
  if (these.length === 0) return spend;
  const amounts = [...spend.amounts];
  for (const hour of these) {
    const rest = (amountOfHour(spend, hour) ?? 0n) - (reported.get(hour) ?? 0n);
    amounts[hour - spend.firstHour] = rest > 0n ? rest : 0n;
  }
  return { ...spend, amounts };
}

/** Spreads the excess of a day over these hours in proportion to their cost. */
function spreadExcess(
  spend: HourlySpend,
  hours: readonly number[],
  { spentNanoUsd, usualNanoUsd }: Unusual,
): [number, bigint][] {
  const excess = spentNanoUsd - usualNanoUsd;
  return hours.flatMap((hour): [number, bigint][] => {
    const amount = amountOfHour(spend, hour) ?? 0n;
    return amount === 0n ? [] : [[hour, (amount * excess) / spentNanoUsd]];
  });
}

function raiseExcess(reported: Map<number, bigint>, hour: number, part: bigint): void {
  if (part > (reported.get(hour) ?? 0n)) reported.set(hour, part);
}

function hoursOf(day: number): number[] {
  return Array.from({ length: HOURS_PER_DAY }, (_, hour) => day * HOURS_PER_DAY + hour);
}

function dayOf(hour: number): number {
  return Math.floor(hour / HOURS_PER_DAY);
}
