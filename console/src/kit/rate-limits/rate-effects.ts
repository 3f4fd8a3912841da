import { formatCount, formatPlural } from "../../ui/format.ts";
import { type Meter, meters, meterWords } from "./words.ts";

// Sentences about the effect of a new, changed or removed rate limit. The server decides, and this is a preview.

/** Highest number per minute of each meter. Null: not limited. */
export type Rates = Record<Meter, number | null>;
/** Use of one minute. */
export type MinuteUse = Record<Meter, number>;

/** The limit in force with the values of several ranks: the lowest of each meter. */
export function combineRates(values: readonly Rates[]): Rates {
  const lowest = (meter: Meter) => {
    const set = values.flatMap((value) => value[meter] ?? []);
    return set.length === 0 ? null : Math.min(...set);
  };
  return {
    requests: lowest("requests"),
    input_tokens: lowest("input_tokens"),
    output_tokens: lowest("output_tokens"),
  };
}

interface RateChange {
  before: Rates;
  after: Rates;
  /** Minutes of the last hour with requests. Undefined: unknown. */
  minutes: readonly MinuteUse[] | undefined;
  /** Members of the group, for a default rate. Undefined: another scope, or unknown. */
  members: number | undefined;
}

/** Effects of a change of the limit in force. */
export function describeRateChange({ before, after, minutes, members }: RateChange): string[] {
  const lowered = listLowered(before, after);
  const widened = listLowered(after, before);
  if (lowered.length + widened.length === 0) return [];
  return [
    ...(members === undefined
      ? []
      : [
          `Changes the rate of ${formatPlural(members, "member")}. Their own values and other groups can decide instead.`,
        ]),
    ...(lowered.length === 0 || minutes === undefined
      ? []
      : [describeExcess(minutes, after, lowered)]),
    ...widened.map((meter) => describeWidened(meter, before[meter], after[meter])),
  ];
}

/** True if fewer requests are accepted than before. */
export function isLowered(before: Rates, after: Rates): boolean {
  return listLowered(before, after).length > 0;
}

function listLowered(before: Rates, after: Rates): Meter[] {
  return meters.filter((meter) => (after[meter] ?? Infinity) < (before[meter] ?? Infinity));
}

function describeExcess(
  minutes: readonly MinuteUse[],
  after: Rates,
  lowered: readonly Meter[],
): string {
  const above = minutes.filter((minute) =>
    lowered.some((meter) => minute[meter] > (after[meter] ?? Infinity)),
  ).length;
  if (above === 0) return "No minute of the last hour was above this limit.";
  return `${formatPlural(above, "minute", "minutes")} of the last hour ${above === 1 ? "was" : "were"} above this limit. Such requests get a 429 with the time to wait.`;
}

function describeWidened(meter: Meter, before: number | null, after: number | null): string {
  const { label } = meterWords[meter];
  return after === null
    ? `${label} are no longer limited here. Other limits still apply.`
    : `${formatCount(after)} ${label.toLowerCase()} per minute are accepted instead of ${formatCount(before ?? 0)}.`;
}
