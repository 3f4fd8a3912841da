export type RateKind = "requests" | "input_tokens" | "output_tokens";

/** Part of a rate limit that a caller sets. */
export interface WantedRates {
  /** Number per minute of each kind. Null: not limited. */
  perMinute: Readonly<Record<RateKind, number | null>>;
}

/** Limit in force of these values: the lowest number of each kind. */
export function combineRateValues(values: readonly [WantedRates, ...WantedRates[]]): WantedRates {
  const findLowest = (kind: RateKind): number | null => {
    const numbers = values.flatMap(({ perMinute }) => perMinute[kind] ?? []);
    return numbers.length === 0 ? null : Math.min(...numbers);
  };
  return {
    perMinute: {
      requests: findLowest("requests"),
      input_tokens: findLowest("input_tokens"),
      output_tokens: findLowest("output_tokens"),
    },
  };
}
