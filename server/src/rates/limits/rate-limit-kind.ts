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
import { listVisibleRateLimits } from "./rate-limits.sql.ts";

/** Rate limits: one for each scope and model group. */
export const rateLimits: LimitKind<
  RateLimit,
  Pick<RateLimit, "modelGroup">,
  Pick<RateLimit, "perMinute">
> = {
  type: "rate_limit",
  name: "Rate limit",
  // Response headers show them to all keys anyway.
  hasOrganizationLimits: true,
  find: findRateLimit,
  list: listVisibleRateLimits,
  isSame: (limit, wanted) =>
    rateKinds.every((kind) => limit.perMinute[kind] === wanted.perMinute[kind]),
  isWider: (before, after) =>
    isRateLimitWider(before?.perMinute ?? null, after?.perMinute ?? null),
  save: (tx, _deps, limit) => upsertRateLimit(tx, { ...limit, id: rateLimitIdOf(limit) }),
  delete: deleteRateLimit,
  describe: ({ perMinute }) => `${describeRates(perMinute)} per minute`,
  toAudit: ({ modelGroup, perMinute }) => ({
    model_group: modelGroup,
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
