import { ApiError } from "#src/domain/api-error.ts";
import { isBlocking, LEAST_REST_NANO_USD } from "#src/domain/blocking-limit.ts";
import { NO_RETRY, toLimitFacts } from "#src/domain/limit-facts.ts";
import { type AskableLimit, formatLimitMessage, nameLimit } from "#src/domain/limit-message.ts";
import { formatDollars, formatUsd } from "#src/domain/money.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import type { FullQueue, HoldRefusal, LimitInForce, StrictLimit } from "./hold-refusal.ts";
import type { AwaitedNode, Figures } from "./lease-rules.ts";

/** Seconds in which some running requests probably settle. */
const RETRY_AFTER_S = "2";

/** Amounts of a limit by its last known numbers, nano-USD. 0: unknown. */
export function readAmounts(figures: Figures | null) {
  return {
    settled: figures?.settledNanoUsd ?? 0n,
    held: figures?.leasedNanoUsd ?? 0n,
    unresolved: figures?.unresolvedNanoUsd ?? 0n,
  };
}

/** Facts of a limit for an error. `amountNanoUsd`: what the limit would have to hold. Null: unknown. */
export function describeLimit({
  limit,
  figures,
  amountNanoUsd: neededNanoUsd,
  regainAtMs,
}: Pick<HoldRefusal, "figures" | "regainAtMs"> & {
  limit: StrictLimit;
  amountNanoUsd: bigint | null;
}): ReturnType<typeof toLimitFacts> {
  const { settled: spentNanoUsd, held, unresolved } = readAmounts(figures);
  return toLimitFacts({
    limit,
    spentNanoUsd,
    heldNanoUsd: held,
    unresolvedNanoUsd: unresolved,
    neededNanoUsd,
    regainAtMs: regainAtMs ?? 0,
  });
}

interface HoldErrorWords {
  explain: () => string;
  explainIncrease: (limit: AskableLimit) => string;
  leastNanoUsd?: bigint;
}

/**
 * Converts a refused hold to the error for the client. `spent` and `too_large` are a 400, because a retry does not help.
 * `held` is a 429, and a full or slow queue is a 529: a retry helps. A database that failed over is a 503. `explain` describes the cost of the request.
 * `explainIncrease` ends each message of a refusal that a higher limit prevents. `leastNanoUsd` is the hold of the
 * smallest request to the model: a limit with less left counts as reached.
 */
export function toHoldError(
  refusal: HoldRefusal,
  { explain, explainIncrease, leastNanoUsd = 0n }: HoldErrorWords,
): ApiError {
  const { reason, limit, figures, regainAtMs, queue, awaited } = refusal;
  if (queue !== undefined) return toQueueError(queue);
  if (awaited !== undefined) return toFailoverError(awaited);
  if (reason === "unavailable" || limit === null || regainAtMs === null) {
    return new ApiError(
      "database_unavailable",
      "The gateway's database does not respond, so the gateway cannot hold budget for this request. Send it again shortly.",
      { "retry-after": RETRY_AFTER_S },
    );
  }
  const { settled, held, unresolved } = readAmounts(figures);
  const facts = { limit: describeLimit({ ...refusal, limit }) };
  const others = `eld: ${formatDollars(held)}; unresolved: ${formatDollars(unresolved)}.`;
  if (isLimitReached(refusal, leastNanoUsd)) {
    const { amountNanoUsd: limitNanoUsd } = limit;
    const rest = describeRest(refusal, leastNanoUsd);
    const words = formatLimitMessage({ ...limit, limitNanoUsd, spentNanoUsd: settled, regainAtMs });
    const message = `${words} H${others}${rest} ${explainIncrease(limit)}`;
    return new ApiError("spend_limit_reached", message, NO_RETRY, facts);
  }
  const amounts = `${nameOf(limit)} Spent: ${formatDollars(settled)}; h${others}`;
  if (reason === "held") {
    const message = `Other requests hold what remains of a spend limit. ${amounts} Send the request again shortly.`;
    return new ApiError("budget_held", message, { "retry-after": RETRY_AFTER_S }, facts);
  }
  if (reason === "queue_slow") {
    const message = `This request did not get its budget in time, although the spend limit has room: many requests wait, or the database is slow. ${amounts} Send the request again shortly.`;
    return new ApiError("budget_delayed", message, { "retry-after": RETRY_AFTER_S }, facts);
  }
  if (reason === "uncounted") {
    const message = `This request did not get its budget in time, because the gateway does not know the spend under a spend limit yet. The limit is new or was changed, or the database has failed over. ${nameOf(limit)} Send the request again shortly.`;
    return new ApiError("budget_delayed", message, { "retry-after": RETRY_AFTER_S }, facts);
  }
  const rest = limit.amountNanoUsd - settled - unresolved;
  const remains = `${formatDollars(rest > 0n ? rest : 0n)} remains of a spend limit, less than this request can cost.`;
  const { amountNanoUsd: holdNanoUsd, maxCostNanoUsd } = refusal;
  const isStepped = holdNanoUsd < maxCostNanoUsd;
  const first = isStepped ? ` Its first hold is ${formatDollars(holdNanoUsd)}.` : "";
  const message = `${remains}${first} ${explain()} ${amounts} ${explainIncrease(limit)}`;
  const maxCost = { max_cost_usd: formatUsd(maxCostNanoUsd) };
  return new ApiError("request_too_large_for_limit", message, NO_RETRY, { ...facts, ...maxCost });
}

function toQueueError({ scope, waiting }: FullQueue): ApiError {
  const name = scope === null ? "this server" : nameScope(scope);
  return new ApiError(
    "budget_queue_full",
    `The queue of requests that wait for budget is full for ${name}: ${waiting} of its requests wait. Send the request again shortly.`,
    { "retry-after": RETRY_AFTER_S },
    { queue: { scope: scope === null ? null : toWireScope(scope), waiting } },
  );
}

function toFailoverError({ nodeId: id, untilMs }: AwaitedNode): ApiError {
  const until = new Date(untilMs).toISOString();
  return new ApiError(
    "database_failed_over",
    `The database has failed over, and the gateway waits for node ${id} to report the budget that it holds, until ${until} at the latest. Send the request again shortly.`,
    { "retry-after": RETRY_AFTER_S },
    { awaited_node: { id, until } },
  );
}

/**
 * True if the limit blocks, as screens show it, or if its rest is less than the cost of the smallest request to the model.
 * Only for a request that the limit cannot hold.
 */
export function isLimitReached(
  { reason, limit, figures }: HoldRefusal,
  leastNanoUsd: bigint,
): boolean {
  if (reason === "spent") return true;
  if (reason !== "too_large" || limit === null) return false;
  const { settled } = readAmounts(figures);
  if (isBlocking({ ...limit, enforcement: "strict" }, figures)) return true;
  return limit.amountNanoUsd - settled < leastNanoUsd;
}

/** Sentence about the rest of a limit that is reached, after a space. Empty: there is no rest. */
function describeRest(
  { reason, limit, figures }: Pick<HoldRefusal, "reason" | "limit" | "figures">,
  leastNanoUsd: bigint,
): string {
  if (reason === "spent" || limit === null) return "";
  const { settled, unresolved } = readAmounts(figures);
  const restNanoUsd = limit.amountNanoUsd - settled - unresolved;
  if (restNanoUsd <= 0n) return "";
  return restNanoUsd < leastNanoUsd
    ? " The rest is less than any request to this model can cost."
    : ` The rest is less than ${formatDollars(LEAST_REST_NANO_USD)}.`;
}

/** Error for a request that is billed by the hour, so that no limit can hold its worst case. `explain` names the cause. */
export function toUnboundedError(limit: StrictLimit | null, explain: string): ApiError {
  const name = limit === null ? "" : ` ${nameOf(limit)}`;
  const message = `A strict spend limit cannot hold this request. ${explain}${name}`;
  return new ApiError("request_cost_unbounded", message, NO_RETRY);
}

/** Error for unknown parts under a limit that refuses them. `parts` has their kinds and names. */
export function toUnknownError(
  { limit, seen, endMs }: LimitInForce,
  parts: readonly string[],
): ApiError {
  const message = `A strict spend limit refuses features that this server does not know: ${parts.join(", ")}. ${nameOf(limit)} Send the request without them. An Owner or an Admin can add neutral features, or set unknown_features of the limit to hold.`;
  const known = { limit, figures: seen, amountNanoUsd: null, regainAtMs: endMs };
  const facts = { limit: describeLimit(known), unknown_features: [...parts] };
  return new ApiError("unknown_features_refused", message, NO_RETRY, facts);
}

function nameOf(limit: StrictLimit): string {
  return `${nameLimit(limit)} is ${formatDollars(limit.amountNanoUsd)}.`;
}

function nameScope({ scopeType, scopeId }: Pick<StrictLimit, "scopeType" | "scopeId">): string {
  return `${scopeType === "api_key" ? "API key" : scopeType} ${scopeId}`;
}
