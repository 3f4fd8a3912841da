import type { AlertKind, FiringFacts, OverrunCause } from "@bursar/contract/admin/alerts.ts";
import { formatUsd, MoneyError, parseUsd } from "#src/domain/money.ts";
import { formatPlural } from "#src/lib/format-plural.ts";

// Texts about a firing, for messages, the console and the command line.

export interface DescribedFiring {
  kind: AlertKind;
  scopeType: "organization" | "workspace" | "api_key" | "member" | "group" | "tag" | "group_member";
  /** Name of the scope. */
  scopeName: string;
  /** Examples: `75%`, `$100.00`, `14 days`. */
  threshold: string;
  facts: FiringFacts;
}

export interface FiringWords {
  /** The event, in one sentence. */
  title: string;
  /** The effect or a recommended action. */
  next: string;
}

export function describeFiring(firing: DescribedFiring): FiringWords {
  const scope = formatScope(firing);
  const { facts, threshold } = firing;
  switch (firing.kind) {
    case "spend_limit":
      return describeSpend(scope, threshold, facts);
    case "limit_overrun":
      return describeOverrun(scope, facts);
    case "forecast":
      return describeForecast(scope, facts);
    case "unusual_spend":
      return {
        title: `${scope} spent ${formatAmount(facts.spent_usd)} in ${facts.minutes === MINUTES_PER_DAY ? "a day" : "an hour"}${facts.usual_usd ? `, compared with the usual ${formatAmount(facts.usual_usd)}` : ""}.`,
        next: "Usage shows the keys and models. Disable a key at once if you no longer trust it.",
      };
    case "key_expiring":
      return {
        title: `${scope} ${threshold === "0 days" ? "expired" : "expires"}${facts.expires_at ? ` on ${formatTime(facts.expires_at)}` : ""}.`,
        next:
          threshold === "0 days"
            ? "Requests with this key are refused. Create another key if you still need it."
            : "Requests with this key are refused from then on. If you still need the key, rotate it or set a later expiry before then.",
      };
    case "key_unused":
      return {
        title: facts.last_used_at
          ? `${scope} has not been used since ${formatTime(facts.last_used_at)}.`
          : `${scope} has not been used for ${threshold}.`,
        next: "The key still works. Disable or revoke it if you no longer need it.",
      };
    case "key_new_address":
      return {
        title: `${scope} was used from a new network${facts.address_range ? `: ${facts.address_range}` : ""}.`,
        next: "If you do not know this network, disable the key now and rotate it. You can restrict a key to address ranges.",
      };
    case "refused_requests":
      return {
        title: `${formatRequestCount(facts.requests)} of ${lowercaseArticle(scope)} ${facts.requests === 1 ? "was" : "were"} refused${formatWindow(facts.minutes)}.`,
        next: `${formatTopError(facts)}The request log lists refused requests with their causes, under Refused.`,
      };
    case "upstream_errors":
      return {
        title: `${formatFailureCount(facts)} of ${lowercaseArticle(scope)} failed upstream${formatWindow(facts.minutes)}.`,
        next: "Clients receive these errors. If they continue, check the upstream's status page and its credential.",
      };
    case "database_failover":
      return describeFailover(facts);
    case "bound_exceeded":
      return describeExceededBound(facts);
  }
}

function describeExceededBound({ exceeded_bound: bound }: FiringFacts): FiringWords {
  const next =
    "Strict limits hold its whole worst case from now on, so fewer requests fit. If the new figure is right, update Bursar, or delete the entry to hold it in steps again: `./bursar exceeded-bounds list`.";
  if (!bound) return { title: "A model or tool exceeded its bound.", next };
  const { kind, name } = bound;
  const [observed, allowed] = [bound.observed_tokens, bound.allowed_tokens].map((tokens) =>
    tokens.toLocaleString("en-US"),
  );
  const title =
    kind === "model"
      ? `The model ${name} sent ${observed} tokens per second, more than its highest speed of ${allowed}.`
      : `Calls with results of the tool ${name} read ${observed} tokens, and its bound had ${allowed} at that time.`;
  return { title, next };
}

function describeFailover(facts: FiringFacts): FiringWords {
  const lost = facts.lost_events ?? 0;
  if (lost === 0) {
    return {
      title: "The database failed over to its standby. No change is known to be lost.",
      next: "Nothing must be done. With asynchronous replication, check the changes of the last seconds before the failover.",
    };
  }
  const restored = facts.restored_restrictions ?? 0;
  const applied =
    restored === 0
      ? ""
      : ` Restrictions of ${formatPlural(restored, "key, member or other subject", "keys, members and other subjects")} were lost and are applied again.`;
  return {
    title: `The database failed over to a standby that lacks the last ${formatPlural(lost, "change", "changes")}.`,
    next: `The audit log lists the lost changes that the nodes remember. Make those again that you still want, such as new keys, invites and limits.${applied}`,
  };
}

/** Text of one message about several unused keys. */
export function describeUnusedKeys(count: number, threshold: string): FiringWords {
  return {
    title: `${formatPlural(count, "API key has", "API keys have")} not been used for ${threshold} or more.`,
    next:
      count === 1
        ? "The key still works. Disable or revoke it if you no longer need it."
        : "The keys still work. Disable or revoke the keys that you no longer need.",
  };
}

/** Sentence of a message about the simulated part of its spend, nano-USD. */
export function describeSimulated(nanoUsd: bigint): string {
  return `${formatAmount(formatUsd(nanoUsd))} of this is simulated and not billed.`;
}

function describeSpend(scope: string, threshold: string, facts: FiringFacts): FiringWords {
  const period = facts.period ?? "monthly";
  if (!threshold.endsWith("%") || !facts.limit_usd) {
    return {
      title: `${scope} has spent ${formatAmount(facts.spent_usd)} this ${periodUnits[period]}: more than ${threshold}.`,
      next: `No request is refused because of this. The ${periodUnits[period]} ends${facts.period_ends_at ? ` on ${formatTime(facts.period_ends_at)}` : ""}.`,
    };
  }
  const limit = `its ${period} limit of ${formatAmount(facts.limit_usd)}`;
  const percent = percentOf(facts.spent_usd, facts.limit_usd);
  const isBelow = percent !== null && percent < Number(threshold.slice(0, -1));
  return {
    title: isBelow
      ? `${scope} has reached ${limit}: ${formatAmount(facts.spent_usd)} is spent, and the rest is less than a request can cost.`
      : `${scope} has spent ${formatAmount(facts.spent_usd)}, ${percent ?? threshold.slice(0, -1)}% of ${limit}.`,
    next: describeLimitEffect(facts, isBelow || (percent !== null && percent >= 100)),
  };
}

function describeOverrun(scope: string, facts: FiringFacts): FiringWords {
  const period = facts.period ?? "monthly";
  return {
    title: `${scope} has spent ${formatAmount(facts.spent_usd)}, which is ${formatAmount(facts.overrun_usd)} beyond its ${period} limit of ${formatAmount(facts.limit_usd)}.`,
    next: `${describeLimitEffect(facts, true)} ${describeCauses(facts)}`,
  };
}

const causeSentences: Record<OverrunCause, string> = {
  node_paused: "A stream ran on while its node was paused.",
  billed_after_cut: "A stream that the limit cut can have cost more than was held for it.",
  beyond_bound:
    "A stream exceeded the bound of its model or of a tool, which is held whole from now on.",
  above_hold: "A request cost more than was held for it.",
  settled_late: "The cost of a request arrived after others had used its budget.",
  charged: "An administrator set the cost of a request.",
};

/** Causes of an overrun, the most important first. */
function describeCauses({ overrun_requests: requests }: FiringFacts): string {
  const causes = new Set(requests?.map(({ cause }) => cause));
  if (causes.size === 0) {
    return "The audit log shows forgotten nodes. The request log shows requests that cost more than their holds.";
  }
  return [...causes].map((cause) => causeSentences[cause]).join(" ");
}

/** Effect of the limit, now or after it is reached. */
function describeLimitEffect(facts: FiringFacts, isReached: boolean): string {
  const until = facts.period_ends_at
    ? `until ${formatTime(facts.period_ends_at)}`
    : "until the period ends";
  const others = formatOpenAmounts(facts);
  if (facts.enforcement === "alert_only") {
    return `This limit only alerts: no request is refused.${others}`;
  }
  if (isReached) return `Requests are refused ${until}, unless the limit is raised.${others}`;
  return facts.enforcement === "strict"
    ? `A request that may cost more than the rest is refused ${until}, unless the limit is raised.${others}`
    : `After the limit is reached, requests are refused ${until}, unless it is raised.${others}`;
}

function formatOpenAmounts({ held_usd: held, unresolved_usd: unresolved }: FiringFacts): string {
  const parts = [
    isPositive(held) ? `${formatAmount(held)} is held for requests` : null,
    isPositive(unresolved) ? `${formatAmount(unresolved)} is unresolved` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "" : ` In addition, ${parts.join(" and ")}.`;
}

function describeForecast(scope: string, facts: FiringFacts): FiringWords {
  const period = facts.period ?? "monthly";
  const limit = facts.limit_usd ? ` against a limit of ${formatAmount(facts.limit_usd)}` : "";
  const effect =
    facts.enforcement === "alert_only"
      ? "After that, no request is refused, because this limit only alerts."
      : "After that, requests are refused until the period ends.";
  const end = facts.period_ends_at ? ` on ${formatTime(facts.period_ends_at)}` : "";
  return {
    title: `${scope} will have spent ${formatAmount(facts.forecast_usd)} by the end of the ${periodUnits[period]} at the current pace${limit}.`,
    next: facts.reached_at
      ? `${formatAmount(facts.spent_usd)} is spent. The limit will be reached on ${formatTime(facts.reached_at)}. ${effect}`
      : `${formatAmount(facts.spent_usd)} is spent. The ${periodUnits[period]} ends${end}.`,
  };
}

const MINUTES_PER_DAY = 1_440;

const periodUnits = { daily: "day", weekly: "week", monthly: "month" } as const;

/** The scope as the subject of a sentence, with a capital letter. */
function formatScope({ scopeType, scopeName }: DescribedFiring): string {
  switch (scopeType) {
    case "organization":
      return `The organization ${scopeName}`;
    case "workspace":
      return `The workspace ${scopeName}`;
    case "api_key":
      return `The API key ${scopeName}`;
    case "member":
      return `The member ${scopeName}`;
    case "group":
      return `The group ${scopeName}`;
    case "tag":
      return `The tag ${scopeName}`;
    case "group_member":
      return `Each member of the group ${scopeName}`;
  }
}

function lowercaseArticle(scope: string): string {
  return scope.replace(/^The/, "the");
}

function formatRequestCount(requests: number | null | undefined): string {
  if (requests === null || requests === undefined) return "Requests";
  return formatPlural(requests, "request");
}

function formatTopError({ top_error_code: code, top_error_requests: count }: FiringFacts): string {
  return code
    ? `Most frequent cause: ${code}${count ? ` (${formatPlural(count, "request")})` : ""}. `
    : "";
}

function formatFailureCount({ failed_requests: failed, requests }: FiringFacts): string {
  if (!failed || !requests) return "Requests";
  return `${failed} of ${formatRequestCount(requests)} (${Math.round((failed / requests) * 100)}%)`;
}

function formatWindow(minutes: number | null | undefined): string {
  if (!minutes) return "";
  return ` within ${minutes === 1 ? "a minute" : formatPlural(minutes, "minute")}`;
}

/** Percent of the limit, rounded down. Null if an amount is unknown. */
function percentOf(
  spent: string | null | undefined,
  limit: string | null | undefined,
): number | null {
  const [part, whole] = [parseAmount(spent), parseAmount(limit)];
  return part === null || whole === null || whole === 0n ? null : Number((part * 100n) / whole);
}

function isPositive(amount: string | null | undefined): boolean {
  const nano = parseAmount(amount);
  return nano !== null && nano > 0n;
}

function parseAmount(amount: string | null | undefined): bigint | null {
  if (amount === null || amount === undefined) return null;
  try {
    return parseUsd(amount);
  } catch (error) {
    if (error instanceof MoneyError) return null;
    throw error;
  }
}

const NANO_PER_CENT = 10_000_000n;

/** Returns `$1,234.56`, or `<$0.01` for less than a cent. Half cents are rounded up, as in the console. */
function formatAmount(amount: string | null | undefined): string {
  const nano = parseAmount(amount);
  if (nano === null) return "an unknown amount";
  if (nano > 0n && nano < NANO_PER_CENT) return "<$0.01";
  const cents = ((nano + NANO_PER_CENT / 2n) / NANO_PER_CENT).toString().padStart(3, "0");
  const dollars = cents.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `$${dollars}.${cents.slice(-2)}`;
}

/** Formats an RFC 3339 time in UTC as `2026-12-01 at 00:00 UTC`. */
function formatTime(at: string): string {
  return `${at.slice(0, 10)} at ${at.slice(11, 16)} UTC`;
}
