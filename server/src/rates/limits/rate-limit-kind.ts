import { isRateLimitWider } from "#src/domain/wider-access.ts";
import type { LimitKind } from "#src/limits/limit-kind.ts";
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
  find: findRateLimit,
  list: listVisibleRateLimits,
  isSame: (one, other) => rateKinds.every((kind) => one.perMinute[kind] === other.perMinute[kind]),
  isSamePlace: (one, other) => one.modelGroup === other.modelGroup,
  toWanted: ({ perMinute }) => ({ perMinute }),
  combine: combineRateValues,
  listValues: listRateValues,
  saveValues: replaceRateValues,
  // A rate limit bounds no cost, so one person can raise it.
  checkChange: async () => {},
  isWider: (before, after) => isRateLimitWider(before?.perMinute ?? null, after?.perMinute ?? null),
  save: (tx, _deps, limit) => upsertRateLimit(tx, { ...limit, id: rateLimitIdOf(limit) }),
  delete: deleteRateLimit,
  describe: ({ perMinute }) => `${describeRates(perMinute)} per minute`,
  placeToAudit: ({ modelGroup }) => ({ model_group: modelGroup }),
  toAudit: ({ perMinute }) => ({
    requests_per_minute: perMinute.requests,
    input_tokens_per_minute: perMinute.input_tokens,
    output_tokens_per_minute: perMinute.output_tokens,
  }),
};

function describeRates(perMinute: PerMinute): string {
  return rateKinds
    .filter((kind) => perMinute[kind] !== null)
    .map((kind) => `${perMinute[kind]} ${kind.replace("_", " ")}`)
    .join(", ");
}
