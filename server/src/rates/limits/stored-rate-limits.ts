import type { Tx } from "#src/db/pool.ts";
import type { RateScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { isRateLimitWider } from "#src/domain/wider-access.ts";
import { assert } from "#src/lib/assert.ts";
import type { LimitKind, ScopeOfLimit } from "#src/limits/limit-kind.ts";
import type { LimitValue } from "#src/limits/limit-values.rule.ts";
import { findScopeNames } from "#src/limits/scope-names.sql.ts";
import { rateKinds } from "#src/rates/buckets/bucket.ts";
import { deleteRateLimit, upsertRateLimit } from "#src/rates/buckets/limit-changes.sql.ts";
import { findRateLimit, type PerMinute, type RateLimit } from "#src/rates/buckets/limits.sql.ts";
import { rateLimitIdOf } from "#src/rates/buckets/rate-limit-id.ts";
import { combineRateValues, type WantedRates } from "./combine-values.rule.ts";
import { listRateValues, replaceRateValues } from "./limit-values.sql.ts";
import { toInheritedRates } from "./member-rates.rule.ts";
import { listMemberRates } from "./member-rates.sql.ts";
import { listVisibleRateLimits } from "./rate-limits.sql.ts";

/** Rate limits without the effects of a change on other limits: one for each scope and model group. */
export const storedRateLimits: LimitKind<RateLimit, Pick<RateLimit, "modelGroup">, WantedRates> = {
  type: "rate_limit",
  name: "Rate limit",
  // Response headers show them to all keys anyway.
  hasOrganizationLimits: true,
  find: (db, of) => findRateLimit(db, toRateScope(of)),
  list: listVisibleRateLimits,
  isSame: (one, other) => rateKinds.every((kind) => one.perMinute[kind] === other.perMinute[kind]),
  isSamePlace: (one, other) => one.modelGroup === other.modelGroup,
  toWanted: ({ perMinute }) => ({ perMinute }),
  combine: combineRateValues,
  listValues: listRateValues,
  saveValues: (tx, of, values) => replaceRateValues(tx, toRateScope(of), values),
  listInherited: listDefaults,
  findInheritedRefusal,
  applyEffects: () => Promise.resolve({}),
  // A rate limit bounds no cost, so one person can raise it.
  checkChange: async () => {},
  isWider: (before, after) => isRateLimitWider(before?.perMinute ?? null, after?.perMinute ?? null),
  save: (tx, _deps, limit) => {
    const own = toRateScope(limit);
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

/** Defaults that apply to a member beside its own values. */
async function listDefaults(
  tx: Tx,
  { organizationId, scopeType, scopeId, modelGroup }: ScopeOfLimit & Pick<RateLimit, "modelGroup">,
  values: readonly LimitValue<WantedRates>[],
): Promise<WantedRates[]> {
  if (scopeType !== "member") return [];
  const defaults = await listMemberRates(tx, { organizationId, memberIds: [scopeId] });
  return toInheritedRates(
    defaults.filter((each) => each.modelGroup === modelGroup),
    values,
  );
}

async function findInheritedRefusal(tx: Tx, limit: RateLimit): Promise<ApiError | null> {
  const { organizationId, scopeType, scopeId, modelGroup } = limit;
  if (scopeType !== "member") return null;
  const defaults = await listMemberRates(tx, { organizationId, memberIds: [scopeId] });
  const first = defaults.find((each) => each.modelGroup === modelGroup);
  if (first === undefined) return null;
  const { groupId } = first;
  const group = { organizationId, scopeType: "group", scopeId: groupId } as const;
  const name = (await findScopeNames(tx, [group])).get(groupId) ?? "";
  return new ApiError(
    "limit_is_inherited",
    `The limit comes from a default rate of the group ${name} (${groupId}). Change that rate, set an own value of the member, or remove the member from the group.`,
    {},
    { inherited_from: { type: "group", group_id: groupId, group_name: name } },
  );
}

/** The contract allows rate limits of these scopes only. */
function toRateScope<Of extends ScopeOfLimit>(
  of: Of,
): Omit<Of, "scopeType"> & { scopeType: RateScopeType } {
  const { scopeType } = of;
  assert(scopeType !== "tag", "a rate limit has no tag");
  return { ...of, scopeType };
}

function describeRates(perMinute: PerMinute): string {
  return rateKinds
    .filter((kind) => perMinute[kind] !== null)
    .map((kind) => `${perMinute[kind]} ${kind.replace("_", " ")}`)
    .join(", ");
}
