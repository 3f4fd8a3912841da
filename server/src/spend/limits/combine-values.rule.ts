import { isSpendLimitWider } from "#src/domain/wider-access.ts";

/** Strictest first. */
const strictness = ["strict", "soft", "alert_only"] as const;

/** Part of a spend limit that a caller sets. */
export interface WantedLimit {
  amountNanoUsd: bigint;
  enforcement: (typeof strictness)[number];
  /** Highest hold of a strict limit for an open-ended request. Null: its whole worst case. */
  openEndedHoldNanoUsd: bigint | null;
  /** Rule of a strict limit for requests with unknown parts. */
  unknownFeatures: "hold" | "refuse";
  /** Rule of a strict limit for streams: held in steps of their output, or whole like other requests. */
  hold: "steps" | "whole";
}

/**
 * Limit in force of these values. Values that only alert count if no value refuses requests. The others give the lowest
 * amount, the strictest enforcement, and of that enforcement the largest hold and the strictest rules.
 */
export function combineSpendValues(values: readonly [WantedLimit, ...WantedLimit[]]): WantedLimit {
  const [first, ...others] = listCountedValues(values);
  return others.reduce(combineTwo, first ?? values[0]);
}

/** Values that decide the limit in force. */
export function listCountedValues<Value extends Pick<WantedLimit, "enforcement">>(
  values: readonly Value[],
): readonly Value[] {
  const refusing = values.filter(({ enforcement }) => enforcement !== "alert_only");
  return refusing.length > 0 ? refusing : values;
}

function combineTwo(one: WantedLimit, other: WantedLimit): WantedLimit {
  const isLower = one.amountNanoUsd < other.amountNanoUsd;
  const order = strictness.indexOf(one.enforcement) - strictness.indexOf(other.enforcement);
  const stricter = order <= 0 ? one : other;
  const { amountNanoUsd } = isLower ? one : other;
  if (order !== 0) return { ...stricter, amountNanoUsd };
  return {
    amountNanoUsd,
    enforcement: one.enforcement,
    openEndedHoldNanoUsd: findLargerHold(one.openEndedHoldNanoUsd, other.openEndedHoldNanoUsd),
    unknownFeatures: one.unknownFeatures === "refuse" ? "refuse" : other.unknownFeatures,
    hold: one.hold === "whole" ? "whole" : other.hold,
  };
}

/** Null is the largest hold: the whole worst case. */
function findLargerHold(one: bigint | null, other: bigint | null): bigint | null {
  if (one === null || other === null) return null;
  return one > other ? one : other;
}

/** True if requests are allowed that the limit before could refuse. Null: no limit. */
export function isRaise(before: WantedLimit | null, after: WantedLimit | null): boolean {
  if (before?.enforcement === "alert_only") return false;
  // Only a strict limit holds, and refuses unknown parts.
  const compared = before?.enforcement === "soft" ? after && withoutHold(after) : after;
  return isSpendLimitWider(before, compared);
}

function withoutHold(limit: WantedLimit): WantedLimit {
  return { ...limit, openEndedHoldNanoUsd: null, unknownFeatures: "refuse", hold: "whole" };
}
