import type { RateKind } from "#src/rates/buckets/bucket.ts";
import type { RateScope } from "#src/rates/buckets/node-rates.ts";
import type { RateAnswer, RateLimiter, RateTicket } from "#src/rates/buckets/rate-limiter.ts";
import { toRateError } from "#src/rates/buckets/refuse-rate.ts";

// Takes requests and tokens from every rate limit of the chain, before the hold. Without a limit this costs one lookup in a
// map. Usually nothing waits.

export interface RateDeps {
  rates: Pick<RateLimiter, "take" | "charge" | "headersOf">;
  metrics: { observeRateRefusal(refused: { kind: RateKind; scope: string }): void };
}

/** Acquires room in all rate limits. Null: no limit applies. Throws a 429 that names the limit and the time of a retry. */
export function acquireRate(
  deps: RateDeps,
  scope: RateScope,
): RateTicket | null | Promise<RateTicket> {
  const answer = deps.rates.take(scope);
  if (answer === null) return null;
  return answer instanceof Promise
    ? answer.then((later) => toTicket(deps, later))
    : toTicket(deps, answer);
}

function toTicket(deps: RateDeps, answer: RateAnswer): RateTicket {
  if (answer.kind === "taken") return answer;
  const { limit, rateKind } = answer;
  deps.metrics.observeRateRefusal({ kind: rateKind, scope: limit.scopeType });
  throw toRateError(answer, deps.rates.headersOf(answer));
}
