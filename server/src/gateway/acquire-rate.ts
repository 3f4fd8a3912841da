import type { RateKind } from "#src/rates/buckets/bucket.ts";
import type { RateScope } from "#src/rates/buckets/node-rates.ts";
import type { RateAnswer, RateLimiter, RateTicket } from "#src/rates/buckets/rate-limiter.ts";
import { toRateError } from "#src/rates/buckets/refuse-rate.ts";

// Room in every rate limit of the request's chain, before anything is held or sent. Where nothing limits it this is one
// look into a map; as a rule nothing here waits.

export interface RateDeps {
  rates: Pick<RateLimiter, "take" | "charge" | "headersOf">;
  metrics: { observeRateRefusal(refused: { kind: RateKind; scope: string }): void };
}

/** Null where no limit applies. Throws a 429 that names the limit and when to come again. */
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
