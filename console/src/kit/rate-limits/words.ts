import { formatCount } from "../../ui/format.ts";
import { describeSetters } from "../limits/ranks.ts";
import type { RateLimit } from "./queries.ts";

export const meters = ["requests", "input_tokens", "output_tokens"] as const;
export type Meter = (typeof meters)[number];

export const meterWords: Record<Meter, { label: string; hint?: string }> = {
  requests: { label: "Requests" },
  input_tokens: { label: "Input tokens", hint: "Cache writes count, cache reads do not." },
  output_tokens: { label: "Output tokens" },
};

/** Effect of a rate limit on requests. */
export const effectWords =
  "Requests over a limit get a 429 with the time to wait. Official clients retry automatically.";

type Rates = Pick<RateLimit, `${Meter}_per_minute`>;

export function perMinuteOf(rates: Rates, meter: Meter): number | null {
  return rates[`${meter}_per_minute`];
}

const list = new Intl.ListFormat("en-GB");

/** `60 requests and 1,000,000 input tokens per minute` */
export function rateWords(rates: Rates): string {
  const parts = meters.flatMap((meter) => {
    const perMinute = perMinuteOf(rates, meter);
    if (perMinute === null) return [];
    return [`${formatCount(perMinute)} ${meterWords[meter].label.toLowerCase()}`];
  });
  return `${list.format(parts)} per minute`;
}

/** Origin of a limit: the ranks that set it, and the groups whose default rates it has. */
export function describeOrigin({ values, inherited }: RateLimit): string {
  const groups = [...new Set(inherited.map(({ group_name }) => group_name))];
  return [
    ...(values.length > 0 ? [describeSetters(values, rateWords)] : []),
    ...(groups.length > 0 ? [`Default of ${list.format(groups)}`] : []),
  ].join("; ");
}

const factors: Record<string, number> = { "": 1, k: 1e3, m: 1e6 };
const MAX_PER_MINUTE = 1e9;

/** Parses `60`, `400,000` or `1.5M`. Null: empty text. Undefined: not a positive integer. */
export function readPerMinute(text: string): number | null | undefined {
  const plain = text.replaceAll(/[,\s]/g, "").toLowerCase();
  if (plain === "") return null;
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([km]?)$/.exec(plain) ?? [];
  if (digits === undefined) return undefined;
  const perMinute = Math.round(Number(digits) * 1e6 * (factors[unit] ?? 1)) / 1e6;
  return Number.isInteger(perMinute) && perMinute >= 1 && perMinute <= MAX_PER_MINUTE
    ? perMinute
    : undefined;
}
