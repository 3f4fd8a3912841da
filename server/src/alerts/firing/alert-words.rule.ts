import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { MoneyError, parseUsd } from "#src/domain/money.ts";
import { formatPlural } from "#src/lib/format-plural.ts";

// What people read about a firing: in messages, in the console and in the command line. Pure.

export interface DescribedFiring {
  kind: AlertKind;
  scopeType: "organization" | "workspace" | "api_key";
  /** Name of the organization, workspace or key. */
  scopeName: string;
  /** `75%`, `$100.00`, `14 days`. */
  threshold: string;
  facts: FiringFacts;
}

export interface FiringWords {
  /** What happened, in one sentence. */
  title: string;
  /** What happens next, or what can be done about it. */
  next: string;
}

export function describeFiring(firing: DescribedFiring): FiringWords {
  const scope = scopeOf(firing);
  const { facts, threshold } = firing;
  switch (firing.kind) {
    case "spend_limit":
      return spendWords(scope, threshold, facts);
    case "limit_overrun":
      return overrunWords(scope, facts);
    case "forecast":
      return forecastWords(scope, facts);
    case "unusual_spend":
      return {
        title: `${scope} spent ${usd(facts.spent_usd)} in ${facts.minutes === MINUTES_PER_DAY ? "a day" : "an hour"}${facts.usual_usd ? `, where ${usd(facts.usual_usd)} is usual` : ""}.`,
        next: "See which key and model it was under Usage. A key that is not yours to trust any more can be disabled at once.",
      };
    case "key_expiring":
      return {
        title: `${scope} ${threshold === "0 days" ? "expired" : "expires"}${facts.expires_at ? ` on ${time(facts.expires_at)}` : ""}.`,
        next:
          threshold === "0 days"
            ? "Requests with it are refused. Make another key if it is still needed."
            : "Requests with it are refused from then on. Rotate it before, or give it a later expiry, if it is still needed.",
      };
    case "key_unused":
      return {
        title: facts.last_used_at
          ? `${scope} has not been used since ${time(facts.last_used_at)}.`
          : `${scope} has not been used for ${threshold}.`,
        next: "It goes on working. Disable or revoke it if nobody needs it.",
      };
    case "key_new_address":
      return {
        title: `${scope} was used from a network it was not used from before${facts.address_range ? `: ${facts.address_range}` : ""}.`,
        next: "If nobody of yours works from there, disable the key now and rotate it. A key can be bound to address ranges.",
      };
    case "refused_requests":
      return {
        title: `${countOf(facts.requests)} of ${scopeWithin(scope)} ${facts.requests === 1 ? "was" : "were"} refused${within(facts.minutes)}.`,
        next: "Refused requests never reach the upstream, so the request log does not list them. Check the limits and permissions of the keys in use, and the errors that clients report.",
      };
    case "upstream_errors":
      return {
        title: `${failedOf(facts)} of ${scopeWithin(scope)} failed upstream${within(facts.minutes)}.`,
        next: "Clients see these errors as they come. If they go on, look at the upstream's status page and its credential.",
      };
  }
}

/** Of several unused keys that one message tells of. */
export function describeUnusedKeys(count: number, threshold: string): FiringWords {
  return {
    title: `${formatPlural(count, "API key has", "API keys have")} not been used for ${threshold} or more.`,
    next:
      count === 1
        ? "It goes on working. Disable or revoke it if nobody needs it."
        : "They go on working. Disable or revoke those that nobody needs.",
  };
}

function spendWords(scope: string, threshold: string, facts: FiringFacts): FiringWords {
  const period = facts.period ?? "monthly";
  if (!threshold.endsWith("%") || !facts.limit_usd) {
    return {
      title: `${scope} has spent ${usd(facts.spent_usd)} this ${unitOf[period]}: more than ${threshold}.`,
      next: `Nothing is refused because of this. The ${unitOf[period]} ends${facts.period_ends_at ? ` on ${time(facts.period_ends_at)}` : ""}.`,
    };
  }
  const limit = `its ${period} limit of ${usd(facts.limit_usd)}`;
  const percent = percentOf(facts.spent_usd, facts.limit_usd);
  const isBelow = percent !== null && percent < Number(threshold.slice(0, -1));
  return {
    title: isBelow
      ? `${scope} has reached ${limit}: ${usd(facts.spent_usd)} is spent, and what is left is less than a request can cost.`
      : `${scope} has spent ${usd(facts.spent_usd)}, ${percent ?? threshold.slice(0, -1)}% of ${limit}.`,
    next: spendNext(facts, isBelow || (percent !== null && percent >= 100)),
  };
}

function overrunWords(scope: string, facts: FiringFacts): FiringWords {
  const period = facts.period ?? "monthly";
  return {
    title: `${scope} has spent ${usd(facts.spent_usd)}: ${usd(facts.overrun_usd)} settled beyond its ${period} limit of ${usd(facts.limit_usd)}.`,
    next: `${spendNext(facts, true)} The audit log has the nodes that were forgotten. The request log has the requests that cost more than their holds.`,
  };
}

/** What the limit does now, or once it is reached. */
function spendNext(facts: FiringFacts, isReached: boolean): string {
  const until = facts.period_ends_at
    ? `until ${time(facts.period_ends_at)}`
    : "until the period ends";
  const others = amountsBeside(facts);
  if (facts.enforcement === "alert_only") {
    return `This limit only alerts: no request is refused.${others}`;
  }
  if (isReached) return `Requests are refused ${until}, unless the limit is raised.${others}`;
  return facts.enforcement === "strict"
    ? `A request that may cost more than what is left is refused ${until}, unless the limit is raised.${others}`
    : `Once the limit is reached requests are refused ${until}, unless it is raised.${others}`;
}

function amountsBeside({ held_usd: held, unresolved_usd: unresolved }: FiringFacts): string {
  const parts = [
    isSome(held) ? `${usd(held)} is held by running requests` : null,
    isSome(unresolved) ? `${usd(unresolved)} is unresolved` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "" : ` Besides, ${parts.join(" and ")}.`;
}

function forecastWords(scope: string, facts: FiringFacts): FiringWords {
  const period = facts.period ?? "monthly";
  const limit = facts.limit_usd ? ` against a limit of ${usd(facts.limit_usd)}` : "";
  const effect =
    facts.enforcement === "alert_only"
      ? "this limit only alerts"
      : "requests are refused until the period ends";
  const end = facts.period_ends_at ? ` on ${time(facts.period_ends_at)}` : "";
  return {
    title: `${scope} will have spent ${usd(facts.forecast_usd)} by the end of the ${unitOf[period]} at the present pace${limit}.`,
    next: facts.reached_at
      ? `${usd(facts.spent_usd)} is spent. The limit will be reached on ${time(facts.reached_at)}; from then on ${effect}.`
      : `${usd(facts.spent_usd)} is spent. The ${unitOf[period]} ends${end}.`,
  };
}

const MINUTES_PER_DAY = 1_440;

const unitOf = { daily: "day", weekly: "week", monthly: "month" } as const;

/** At the beginning of a sentence. */
function scopeOf({ scopeType, scopeName }: DescribedFiring): string {
  switch (scopeType) {
    case "organization":
      return `The organization ${scopeName}`;
    case "workspace":
      return `The workspace ${scopeName}`;
    case "api_key":
      return `The API key ${scopeName}`;
  }
}

function scopeWithin(scope: string): string {
  return scope.replace(/^The/, "the");
}

function countOf(requests: number | null | undefined): string {
  if (requests === null || requests === undefined) return "Requests";
  return formatPlural(requests, "request");
}

function failedOf({ failed_requests: failed, requests }: FiringFacts): string {
  if (!failed || !requests) return "Requests";
  return `${failed} of ${countOf(requests)} (${Math.round((failed / requests) * 100)}%)`;
}

function within(minutes: number | null | undefined): string {
  if (!minutes) return "";
  return ` within ${minutes === 1 ? "a minute" : formatPlural(minutes, "minute")}`;
}

/** Whole percent that are surely reached; null where an amount is not known. */
function percentOf(
  spent: string | null | undefined,
  limit: string | null | undefined,
): number | null {
  const [part, whole] = [nanoOf(spent), nanoOf(limit)];
  return part === null || whole === null || whole === 0n ? null : Number((part * 100n) / whole);
}

function isSome(amount: string | null | undefined): boolean {
  const nano = nanoOf(amount);
  return nano !== null && nano > 0n;
}

function nanoOf(amount: string | null | undefined): bigint | null {
  if (amount === null || amount === undefined) return null;
  try {
    return parseUsd(amount);
  } catch (error) {
    if (error instanceof MoneyError) return null;
    throw error;
  }
}

const NANO_PER_CENT = 10_000_000n;

/** `$1,234.56`; less than a cent is said to be that. Half cents go up, as everywhere that people read amounts. */
function usd(amount: string | null | undefined): string {
  const nano = nanoOf(amount);
  if (nano === null) return "an unknown amount";
  if (nano > 0n && nano < NANO_PER_CENT) return "<$0.01";
  const cents = ((nano + NANO_PER_CENT / 2n) / NANO_PER_CENT).toString().padStart(3, "0");
  const dollars = cents.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `$${dollars}.${cents.slice(-2)}`;
}

/** `2026-12-01 at 00:00 UTC`, of an RFC 3339 time in UTC. */
function time(at: string): string {
  return `${at.slice(0, 10)} at ${at.slice(11, 16)} UTC`;
}
