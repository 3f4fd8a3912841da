import { TOKEN_COUNT } from "#src/domain/model-groups.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { RateKind } from "#src/rates/buckets/bucket.ts";
import type { RateScope } from "#src/rates/buckets/node-rates.ts";
import type { RateAnswer, RateLimiter, RateTicket } from "#src/rates/buckets/rate-limiter.ts";
import { toRateError } from "#src/rates/buckets/refuse-rate.ts";

// Takes a request from every rate limit of the chain. Without a limit this costs one lookup in a map. Usually nothing waits.
// The limits of all models, or of token counting, come before the body is read, so that a client beyond them costs no
// memory. The limits of the model's group come when the model is known. If one of them refuses, the first ones get the
// request back. A request that fails for another reason was served so far, and stays charged.

export interface RateDeps {
  rates: Pick<RateLimiter, "take" | "charge" | "headersOf">;
  metrics: { observeRateRefusal(refused: { kind: RateKind; scope: string }): void };
}

/** Scopes whose rate limits apply to a request of the key. */
export function rateScopeOf(key: FoundKey, modelGroup: string): RateScope {
  const { organizationId, workspaceId, id: apiKeyId, ownerMemberId: memberId, groupIds } = key;
  return { organizationId, workspaceId, apiKeyId, memberId, groupIds, modelGroup };
}

/**
 * Scopes whose rate limits apply to a token count. Claude Code sends about thirty at once, so the limits of a person do not
 * count those of their laptop. Limits of the workspace and of the organization do.
 */
export function countScopeOf(key: FoundKey): RateScope {
  const scope = rateScopeOf(key, TOKEN_COUNT);
  if (key.purpose !== "claude_code") return scope;
  const { organizationId, workspaceId, modelGroup } = scope;
  return { organizationId, workspaceId, apiKeyId: null, modelGroup };
}

/**
 * Acquires room in all rate limits of the scope. Null: no limit applies. Throws a 429 that names the limit and the time of a
 * retry. `earlier`: ticket of the same request, whose limits are not charged again.
 */
export function acquireRate(
  deps: RateDeps,
  scope: RateScope,
  earlier: RateTicket | null,
): RateTicket | null | Promise<RateTicket> {
  const answer = deps.rates.take(scope, earlier);
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
