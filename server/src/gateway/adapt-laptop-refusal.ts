import { badRequest } from "@bursar/contract/error-cause.ts";
import type { ErrorFacts } from "@bursar/contract/error-facts.ts";
import { claudeCodeForm, type ErrorCode } from "@bursar/contract/errors.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import { NO_RETRY } from "#src/domain/limit-facts.ts";
import { increaseRequestPath } from "#src/domain/limit-message.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import { formatRegainAccess } from "#src/domain/spend-period.ts";
import { scopeIdOf } from "#src/domain/wire-scope.ts";
import { adaptSpendRefusal, toRejectedForm } from "./adapt-spend-refusal.ts";
import type { Exchange } from "./exchange.ts";
import type { RefusalForm } from "./refuse.ts";

// Refusals of requests of laptops. Claude Code prints the message alone, so it is one sentence with the cause, the end of the
// period, and the next step. Amounts of a limit that people share stay out of it.

type Limit = ErrorFacts["limit"];

interface RefusalDeps {
  /** Milliseconds since the epoch on the database's clock. */
  databaseNowMs: () => number;
  /** Address of the console. Null: unknown. */
  publicUrl: () => string | null;
}

interface RefusalFacts {
  nowMs: number;
  publicUrl: string | null;
}

/** Returns the refusal in the form that the client expects. */
export function adaptRefusal(
  { databaseNowMs, publicUrl }: RefusalDeps,
  { call, laptop }: Pick<Exchange, "call" | "laptop">,
  error: ApiError,
): RefusalForm {
  const nowMs = databaseNowMs();
  return laptop === null
    ? adaptSpendRefusal(error, call.fields, nowMs)
    : adaptLaptopRefusal(error, { nowMs, publicUrl: publicUrl() });
}

function adaptLaptopRefusal(error: ApiError, { nowMs, publicUrl }: RefusalFacts): RefusalForm {
  // Claude Code shows a 403 as a fault of the sign-in.
  if (error.code === "model_not_allowed") return { ...badRequest, ...pickWords(error) };
  // The key is known, so the database is needed for budget only.
  if (error.code === "database_unavailable") {
    return { ...claudeCodeForm, message: error.message, headers: { ...NO_RETRY, ...FETCH_ERROR } };
  }
  const { limit } = error.details;
  const cut = describeRetriedCut(error);
  if (cut !== null) {
    const { status, type, headers } = error;
    return { status, type, headers, message: cut };
  }
  const form = toRejectedForm(error, nowMs);
  if (form === null) return error;
  if (limit === undefined || !capCodes.has(error.code)) return form;
  const isShared = isSharedScope(limit);
  const cap = describeCap(limit, error.details.max_cost_usd, publicUrl);
  return {
    ...form,
    message: error.code === "stream_cut_limit_spent" ? `${STOPPED} ${lowerFirst(cap)}` : cap,
    headers: { ...form.headers, ...(isShared && SHARED) },
  };
}

/** Begins the reason of a cut stream. */
const STOPPED = "This response was stopped, because";

/** Message of a cut stream whose request can be sent again. Null: another refusal. */
function describeRetriedCut({ code, details: { limit } }: ApiError): string | null {
  if (limit === undefined) return null;
  switch (code) {
    case "stream_cut_budget_held":
      return `${STOPPED} other requests hold what remains of ${lowerFirst(nameLimit(limit))}: send the request again shortly.`;
    case "stream_cut_database_unavailable":
      return `${STOPPED} the gateway got no more budget for it in time: send the request again shortly.`;
    default:
      return null;
  }
}

const capCodes: ReadonlySet<ErrorCode> = new Set([
  "spend_limit_reached",
  "request_too_large_for_limit",
  "stream_cut_limit_spent",
]);

const FETCH_ERROR = {
  "anthropic-ratelimit-unified-overage-disabled-reason": "fetch_error",
} as const;

/** The person's own cap did not refuse the request, and the spend of others is not shown. */
const SHARED = {
  "anthropic-ratelimit-unified-overage-scope": "group_pool",
  "anthropic-ratelimit-unified-overage-utilization": "1.00",
} as const;

function pickWords({ message, headers }: ApiError): Pick<RefusalForm, "message" | "headers"> {
  return { message, headers };
}

function isSharedScope({ scope }: Limit): boolean {
  return scope.type !== "member" && scope.type !== "api_key";
}

/** `maxCostUsd`: highest cost of a request that the rest of the limit cannot pay. Undefined: nothing remains. */
function describeCap(
  limit: Limit,
  maxCostUsd: string | undefined,
  publicUrl: string | null,
): string {
  const until = formatRegainAccess(Date.parse(limit.period_ends_at));
  const next = describeNext(limit, publicUrl);
  if (maxCostUsd === undefined) return `${nameLimit(limit)} is used up until ${until}: ${next}`;
  const cost = formatCent(parseUsd(maxCostUsd) + NANO_PER_CENT - 1n);
  return `${describeRest(limit)} until ${until}, and this request can cost ${cost}: choose another model with /model, use /compact, or ${next}`;
}

function describeRest(limit: Limit): string {
  const name = lowerFirst(nameLimit(limit));
  if (isSharedScope(limit)) return `The rest of ${name} is too small`;
  const { limit_usd, spent_usd, unresolved_usd } = limit;
  const rest = parseUsd(limit_usd) - parseUsd(spent_usd) - parseUsd(unresolved_usd ?? "0");
  return `${formatCent(rest > 0n ? rest : 0n)} of ${name} remains`;
}

const NANO_PER_CENT = 10_000_000n;

/** Whole cents, rounded down. */
function formatCent(nanoUsd: bigint): string {
  return `$${formatUsd(nanoUsd - (nanoUsd % NANO_PER_CENT))}`;
}

function nameLimit({ scope, scope_name: name, period, limit_usd: usd }: Limit): string {
  switch (scope.type) {
    case "member":
      return `Your ${period} spend limit of $${usd.toFixed(2)}`;
    case "api_key":
      return `The ${period} spend limit of $${usd.toFixed(2)} of your Claude Code key`;
    case "group":
      return `The ${period} spend limit that the group ${name ?? scope.group_id} shares`;
    case "tag":
      return `The ${period} spend limit of ${name ?? scope.tag_id}, which people share,`;
    case "workspace":
      return `The ${period} spend limit that the workspace shares`;
    default:
      return `The ${period} spend limit that the organization shares`;
  }
}

function describeNext({ scope, period }: Limit, publicUrl: string | null): string {
  if (publicUrl === null) return "ask an administrator for a higher limit.";
  // No full stop follows an address, because terminals would make it a part of the link.
  return `ask for a higher limit at ${publicUrl}${increaseRequestPath({ scopeType: scope.type, scopeId: scopeIdOf(scope), period })}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
