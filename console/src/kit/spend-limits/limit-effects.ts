import {
  formatPlural,
  formatUsd,
  formatUtcDay,
  nanoToUsdText,
  toNanoUsd,
  toUsdText,
} from "../../ui/format.ts";
import { describeRecentRequests } from "../consequences/sentences.ts";
import { NEAR } from "./nearness.ts";
import type { PeriodSpend, SpendLimit } from "./queries.ts";
import {
  currentPeriodWords,
  type Enforcement,
  type HoldRule,
  type Period,
  type UnknownFeatures,
} from "./words.ts";

// Sentences about the effect of a new, changed or removed spend limit. The server decides, and this is a preview.

/** A limit, as far as its effects depend on it. */
export interface LimitTerms {
  nanoUsd: bigint;
  enforcement: Enforcement;
  hold: HoldRule;
  unknownFeatures: UnknownFeatures;
}

type Value = Pick<SpendLimit, "limit_usd" | "enforcement" | "hold" | "unknown_features">;

export function toTerms({ limit_usd, enforcement, hold, unknown_features }: Value): LimitTerms {
  const nanoUsd = toNanoUsd(toUsdText(limit_usd));
  return { nanoUsd, enforcement, hold, unknownFeatures: unknown_features };
}

/** Terms of typed text. Null: an unfinished amount. */
export function readTerms({
  amount,
  ...rules
}: Omit<LimitTerms, "nanoUsd"> & { amount: string }): LimitTerms | null {
  return /^\d+(\.\d{1,9})?$/.test(amount) ? { nanoUsd: toNanoUsd(amount), ...rules } : null;
}

/** Enforcements, the strictest first. */
const byStrictness: readonly Enforcement[] = ["strict", "soft", "alert_only"];

/** The limit in force with the values of several ranks. A value that only alerts loses against others. Null: no value. */
export function combineTerms(values: readonly LimitTerms[]): LimitTerms | null {
  const refusing = values.filter(isRefusing);
  const counted = refusing.length > 0 ? refusing : values;
  const [first] = counted;
  if (first === undefined) return null;
  const enforcement =
    byStrictness.find((each) => counted.some((value) => value.enforcement === each)) ??
    first.enforcement;
  let lowest = first.nanoUsd;
  for (const { nanoUsd } of counted) if (nanoUsd < lowest) lowest = nanoUsd;
  const deciding = counted.filter((value) => value.enforcement === enforcement);
  return {
    nanoUsd: lowest,
    enforcement,
    hold: deciding.some(({ hold }) => hold === "whole") ? "whole" : "steps",
    unknownFeatures: deciding.some(({ unknownFeatures }) => unknownFeatures === "refuse")
      ? "refuse"
      : "hold",
  };
}

interface ChangeFacts {
  period: Period;
  /** Undefined: unknown. */
  spend: Pick<PeriodSpend, "spent_usd" | "working_keys" | "period_ends_at"> | undefined;
  /** Requests of the last hour in the scope. Undefined: unknown. */
  requests: number | undefined;
  /** Laptops in the scope. Undefined: unknown. */
  laptops: number | undefined;
}

interface Terms {
  /** Null: no limit. */
  before: LimitTerms | null;
  after: LimitTerms | null;
}

interface LimitChange extends ChangeFacts, Terms {}

/** Effects of a change of the limit in force, the worst first. */
export function describeLimitChange(change: LimitChange): string[] {
  return [...describeRefusals(change), ...describeRaise(change), ...describeHolds(change)];
}

/** True if the limit refuses requests that were accepted before. */
export function startsRefusing({
  before,
  after,
  spend,
}: Terms & Pick<ChangeFacts, "spend">): boolean {
  if (!spend || after === null) return false;
  const spent = toNanoUsd(spend.spent_usd);
  return isUsedUp(after, spent) && (before === null || !isUsedUp(before, spent));
}

/** Requests that the limit refuses now, or soon. */
function describeRefusals(change: LimitChange): string[] {
  const { before, after, period, spend } = change;
  if (!spend || after === null || !isRefusing(after) || isSame(before, after)) return [];
  const spent = toNanoUsd(spend.spent_usd);
  const endsAt = formatUtcDay(spend.period_ends_at);
  const isSpent = `${formatUsd(spend.spent_usd)} is already spent ${currentPeriodWords[period]}.`;
  if (!isUsedUp(after, spent)) {
    const isStricter = before !== null && (!isRefusing(before) || after.nanoUsd < before.nanoUsd);
    const isNear = Number(spent) >= NEAR * Number(after.nanoUsd);
    if (!isStricter && !(before === null && isNear)) return [];
    const left = formatUsd(nanoToUsdText(after.nanoUsd - spent));
    return [`${left} can still be spent. Then requests are refused until ${endsAt}.`];
  }
  const { working_keys: keys } = spend;
  const blocks = keys > 0 ? `Blocks ${formatPlural(keys, "key")} now.` : "Blocks requests now.";
  if (!startsRefusing(change)) {
    return [blocks, `${isSpent} Requests stay refused until ${endsAt}.`];
  }
  const { requests, laptops = 0 } = change;
  return [
    blocks,
    `${isSpent} Requests resume on ${endsAt}, or when the limit is raised.`,
    ...(requests === undefined ? [] : [describeRecentRequests(requests)]),
    ...(laptops === 0
      ? []
      : [formatPlural(laptops, "laptop is refused too.", "laptops are refused too.")]),
    after.enforcement === "strict" && after.hold === "steps"
      ? "Running streams are cut at their next step. Other running requests finish."
      : "Running requests finish.",
  ];
}

/** Spend that the change allows. */
function describeRaise({ before, after, period, spend }: LimitChange): string[] {
  if (before === null || !isRefusing(before)) return [];
  const next = after !== null && isRefusing(after) ? after : null;
  if (next !== null && next.nanoUsd <= before.nanoUsd) return [];
  const spent = spend ? toNanoUsd(spend.spent_usd) : null;
  const isReopened =
    spent !== null && isUsedUp(before, spent) && (next === null || !isUsedUp(next, spent));
  return [
    next === null
      ? "This limit refuses no further requests. Other limits still apply."
      : `${formatUsd(nanoToUsdText(next.nanoUsd - before.nanoUsd))} more can be spent ${currentPeriodWords[period]}.`,
    ...(isReopened ? ["Requests that the limit refuses now are accepted within a second."] : []),
  ];
}

/** Other rules for holds and unknown features. */
function describeHolds({ before, after }: LimitChange): string[] {
  if (after === null) return [];
  const wasStrict = before?.enforcement === "strict";
  if (after.enforcement !== "strict") {
    return wasStrict && after.enforcement === "soft"
      ? ["Requests that run when the limit is reached can exceed it."]
      : [];
  }
  const refusedBefore = wasStrict && before.unknownFeatures === "refuse";
  return [
    ...(before?.enforcement === "soft"
      ? ["New requests start only if their hold fits in the remaining budget."]
      : []),
    ...(wasStrict && after.hold !== before.hold
      ? [
          after.hold === "steps"
            ? "New streams can be cut when the limit has nothing left."
            : "New streams start only if their maximum output fits. Running streams keep their steps.",
        ]
      : []),
    ...(after.unknownFeatures === "refuse" && !refusedBefore
      ? ["Requests with unknown features are refused."]
      : []),
  ];
}

interface CapChange extends Terms {
  period: Period;
  /** Spend of each member in the period, decimal text of US dollars. Undefined: unknown. */
  spends: readonly string[] | undefined;
  /** Members of the group. Undefined: unknown. */
  members: number | undefined;
}

/** Effects of a changed default cap on the members of a group. Own values and other groups can decide otherwise. */
export function describeCapChange(change: CapChange): string[] {
  const { before, after, period, spends, members } = change;
  if (isSame(before, after) || (before === null && after === null)) return [];
  const reached = (terms: LimitTerms | null) =>
    terms === null || !isRefusing(terms)
      ? 0
      : (spends ?? []).filter((spent) => isUsedUp(terms, toNanoUsd(spent))).length;
  const blocked = reached(after);
  return [
    ...(members === undefined ? [] : [`Changes the cap of ${formatPlural(members, "member")}.`]),
    ...(blocked === 0
      ? []
      : [
          `${formatPlural(blocked, "member has", "members have")} already spent this amount ${currentPeriodWords[period]}. Their requests are refused.`,
        ]),
    ...(reached(before) > blocked
      ? [
          `${formatPlural(reached(before) - blocked, "member is", "members are")} no longer refused by this cap.`,
        ]
      : []),
    "Values of a member and caps of other groups can decide instead.",
  ];
}

const isRefusing = ({ enforcement }: LimitTerms) => enforcement !== "alert_only";

function isUsedUp(terms: LimitTerms, spent: bigint): boolean {
  return isRefusing(terms) && spent >= terms.nanoUsd;
}

function isSame(one: LimitTerms | null, other: LimitTerms | null): boolean {
  return (
    one !== null &&
    other !== null &&
    one.nanoUsd === other.nanoUsd &&
    one.enforcement === other.enforcement &&
    one.hold === other.hold &&
    one.unknownFeatures === other.unknownFeatures
  );
}
