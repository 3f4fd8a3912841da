import type { OwnScopeType } from "#src/db/tables.ts";
import { isRateLimitWider } from "#src/domain/wider-access.ts";
import { isOwnScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import type { LimitKind, ScopeOfLimit } from "#src/limits/limit-kind.ts";
import { rateKinds } from "#src/rates/buckets/bucket.ts";
import {
  deleteRateLimit,
  findRateLimit,
  type PerMinute,
  type RateLimit,
  upsertRateLimit,
} from "#src/rates/buckets/limits.sql.ts";
import { rateLimitIdOf } from "#src/rates/buckets/rate-limit-id.ts";
import { combineRateValues, type WantedRates } from "./combine-values.rule.ts";
import { listRateValues, replaceRateValues } from "./limit-values.sql.ts";
import { listVisibleRateLimits } from "./rate-limits.sql.ts";

/** Rate limits: one for each scope and model group. */
export const rateLimits: LimitKind<RateLimit, Pick<RateLimit, "modelGroup">, WantedRates> = {
  type: "rate_limit",
  name: "Rate limit",
  // Response headers show them to all keys anyway.
  hasOrganizationLimits: true,
  find: (db, of) => findRateLimit(db, toOwnScope(of)),
  list: listVisibleRateLimits,
  isSame: (one, other) => rateKinds.every((kind) => one.perMinute[kind] === other.perMinute[kind]),
  isSamePlace: (one, other) => one.modelGroup === other.modelGroup,
  toWanted: ({ perMinute }) => ({ perMinute }),
  combine: combineRateValues,
  listValues: listRateValues,
  saveValues: (tx, of, values) => replaceRateValues(tx, toOwnScope(of), values),
  listInherited: () => Promise.resolve([]),
  applyEffects: () => Promise.resolve({}),
  // A rate limit bounds no cost, so one person can raise it.
  checkChange: async () => {},
  isWider: (before, after) => isRateLimitWider(before?.perMinute ?? null, after?.perMinute ?? null),
  save: (tx, _deps, limit) => {
    const own = toOwnScope(limit);
    return upsertRateLimit(tx, { ...own, id: rateLimitIdOf(own) });
  },
  delete: deleteRateLimit,
  describe: ({ perMinute }) => `${describeRates(perMinute)} per minute`,
  placeToAudit: ({ modelGroup }) => ({ model_group: modelGroup }),
  toAudit: ({ perMinute }) => ({
    requests_per_minute: perMinute.requests,
    input_tokens_per_minute: perMinute.input_tokens,
    output_tokens_per_minute: perMinute.output_tokens,
  }),
};

/** The contract allows rate limits of these scopes only. */
function toOwnScope<Of extends ScopeOfLimit>(
  of: Of,
): Omit<Of, "scopeType"> & { scopeType: OwnScopeType } {
  const { scopeType } = of;
  assert(isOwnScope(scopeType), "a rate limit has a scope of every request");
  return { ...of, scopeType };
}

function describeRates(perMinute: PerMinute): string {
  return rateKinds
    .filter((kind) => perMinute[kind] !== null)
    .map((kind) => `${perMinute[kind]} ${kind.replace("_", " ")}`)
    .join(", ");
}
