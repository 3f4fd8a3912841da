import { amountOfHour, HOURS_PER_DAY, type HourlySpend } from "#src/domain/hourly-spend.ts";
import { type Unusual, type UnusualRule, unusualDay, unusualHour } from "./unusual-spend.rule.ts";

// Which of the scopes that lie within one another tells of an unusual hour or day: the narrowest that sees it. A wider one
// tells of it only where what the narrower ones tell of does not explain it. Pure.

/** What scopes spent above their usual in what they tell of, in nano-USD by whole hours since the epoch. */
export interface ToldExcess {
  /** Of unusual hours. */
  hours: ReadonlyMap<number, bigint>;
  /** Of unusual days: the part that lies in each of its hours which are not unusual by themselves. */
  days: ReadonlyMap<number, bigint>;
}

export interface FoundUnusual {
  unit: "hour" | "day";
  /** Whole hours, or days, since the epoch. */
  at: number;
  /** Of the whole scope, with what others tell of. */
  unusual: Unusual;
}

export const nothingTold: ToldExcess = { hours: new Map(), days: new Map() };

/**
 * What a scope has to tell at this hour: of it and the hour before, which may have been counted only now, and of the days
 * that they lie in. `below` is what the scopes within it tell of; `told` adds what this one does, for those around it.
 */
export function findUnusual(
  spend: HourlySpend,
  nowHour: number,
  { rule, below }: { rule: UnusualRule; below: ToldExcess },
): { found: FoundUnusual[]; told: ToldExcess } {
  const hours = new Map(below.hours);
  const days = new Map(below.days);
  const found: FoundUnusual[] = [];
  for (const day of new Set([dayOf(nowHour - 1), dayOf(nowHour)])) {
    const unusualHours = listUnusualHours(spend, { day, nowHour }, rule);
    for (const { hour, unusual } of unusualHours) {
      const rest = without(spend, [hour], below.hours);
      if (rest !== spend && unusualHour(rest, hour, rule) === null) continue;
      raise(hours, hour, unusual.spentNanoUsd - unusual.usualNanoUsd);
      // It contains them.
      days.delete(hour);
      if (hour >= nowHour - 1) found.push({ unit: "hour", at: hour, unusual });
    }
    const unusual = unexplainedDay(spend, { day, rule, below });
    if (unusual === null) continue;
    found.push({ unit: "day", at: day, unusual });
    const told = new Set(unusualHours.map(({ hour }) => hour));
    const others = hoursOf(day).filter((hour) => !told.has(hour));
    for (const [hour, part] of sharesOf(spend, others, unusual)) raise(days, hour, part);
  }
  return { found, told: { hours, days } };
}

/** What several scopes that do not overlap tell of, together. */
export function addTold(all: Iterable<ToldExcess>): ToldExcess {
  const hours = new Map<number, bigint>();
  const days = new Map<number, bigint>();
  for (const told of all) {
    for (const [hour, part] of told.hours) hours.set(hour, (hours.get(hour) ?? 0n) + part);
    for (const [hour, part] of told.days) days.set(hour, (days.get(hour) ?? 0n) + part);
  }
  return { hours, days };
}

function listUnusualHours(
  spend: HourlySpend,
  { day, nowHour }: { day: number; nowHour: number },
  rule: UnusualRule,
): { hour: number; unusual: Unusual }[] {
  return hoursOf(day).flatMap((hour) => {
    const unusual = hour > nowHour ? null : unusualHour(spend, hour, rule);
    return unusual === null ? [] : [{ hour, unusual }];
  });
}

function unexplainedDay(
  spend: HourlySpend,
  { day, rule, below }: { day: number; rule: UnusualRule; below: ToldExcess },
): Unusual | null {
  const unusual = unusualDay(spend, day, rule);
  if (unusual === null) return null;
  const rest = without(without(spend, hoursOf(day), below.hours), hoursOf(day), below.days);
  return rest === spend || unusualDay(rest, day, rule) !== null ? unusual : null;
}

/** The same spend where nothing of these hours is told of. */
function without(
  spend: HourlySpend,
  hours: readonly number[],
  told: ReadonlyMap<number, bigint>,
): HourlySpend {
  const these = hours.filter((hour) => told.has(hour) && amountOfHour(spend, hour) !== null);
  if (these.length === 0) return spend;
  const amounts = [...spend.amounts];
  for (const hour of these) {
    const rest = (amountOfHour(spend, hour) ?? 0n) - (told.get(hour) ?? 0n);
    amounts[hour - spend.firstHour] = rest > 0n ? rest : 0n;
  }
  return { ...spend, amounts };
}

/** The excess of a day, spread over these hours as what they cost is. */
function sharesOf(
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

function raise(told: Map<number, bigint>, hour: number, part: bigint): void {
  if (part > (told.get(hour) ?? 0n)) told.set(hour, part);
}

function hoursOf(day: number): number[] {
  return Array.from({ length: HOURS_PER_DAY }, (_, hour) => day * HOURS_PER_DAY + hour);
}

function dayOf(hour: number): number {
  return Math.floor(hour / HOURS_PER_DAY);
}
