import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { findModelGroup, type ModelGroup, modelGroups } from "#src/domain/model-groups.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { rateKinds } from "#src/rates/buckets/bucket.ts";
import {
  deleteRateLimit,
  findRateLimit,
  type PerMinute,
  type RateLimit,
  upsertRateLimit,
} from "#src/rates/buckets/limits.sql.ts";
import { rateLimitIdOf } from "#src/rates/buckets/rate-limit-id.ts";

// What everybody does who changes a limit, whatever its shape. The caller locks the scope first, and writes what is said
// here to the audit log.

/** The limit before and after a change; null where there is none. */
export interface RateLimitChange {
  before: RateLimit | null;
  after: RateLimit | null;
}

/** Throws a 400 that says which groups there are. */
export function readModelGroup(id: string): ModelGroup {
  const group = findModelGroup(id);
  if (group !== null) return group;
  const ids = modelGroups.map((each) => each.id).join(", ");
  throw refuseField("model_group", `there is no group ${id}. It is one of ${ids}.`);
}

/** Throws a 400 where a limit would limit nothing, or tokens of what counts none. */
export function checkPerMinute(group: ModelGroup, perMinute: PerMinute): void {
  if (rateKinds.every((kind) => perMinute[kind] === null)) {
    throw refuseFields(
      "Set at least one of requests_per_minute, input_tokens_per_minute and output_tokens_per_minute. To remove a limit, delete it.",
      rateKinds.map((kind) => `${kind}_per_minute`),
    );
  }
  const { input_tokens: input, output_tokens: output } = perMinute;
  if (!group.countsTokens && (input !== null || output !== null)) {
    throw refuseFields(`Of ${group.id} requests alone can be limited: leave the tokens out.`, [
      "input_tokens_per_minute",
      "output_tokens_per_minute",
    ]);
  }
}

/**
 * Makes the limit of (scope, group) what is wanted, or removes it for null; what is so already stays untouched. `of` must
 * be locked, so that what is written beside what was there is true. Throws a 409 unless the limit is the one that the caller
 * has seen: `ifVersion` is its version, null for none.
 */
export async function changeRateLimit(
  tx: Tx,
  of: Pick<RateLimit, "organizationId" | "scopeType" | "scopeId" | "modelGroup">,
  wanted: (before: RateLimit | null) => PerMinute | null,
  ifVersion?: number | null,
): Promise<RateLimitChange> {
  const before = await findRateLimit(tx, of);
  checkVersion(before, ifVersion);
  const perMinute = wanted(before);
  if (perMinute === null) {
    if (before !== null) await deleteRateLimit(tx, before);
    return { before, after: null };
  }
  const isSame = before !== null && rateKinds.every((k) => before.perMinute[k] === perMinute[k]);
  if (isSame) return { before, after: before };
  return { before, after: await upsertRateLimit(tx, { ...of, id: rateLimitIdOf(of), perMinute }) };
}

function checkVersion(limit: RateLimit | null, ifVersion: number | null | undefined): void {
  if (ifVersion === undefined) return;
  const version = limit === null ? null : Number(limit.revision);
  if (version === ifVersion) return;
  const now =
    limit === null
      ? "There is none now: set if_version to null to make one."
      : `It is now ${describe(limit.perMinute)} per minute, at version ${version}. Look at it, then set if_version to ${version}.`;
  throw new ApiError(
    "version_conflict",
    `The rate limit was changed meanwhile. ${now}`,
    {},
    { version },
  );
}

function describe(perMinute: PerMinute): string {
  return rateKinds
    .filter((kind) => perMinute[kind] !== null)
    .map((kind) => `${perMinute[kind]} ${kind.replace("_", " ")}`)
    .join(", ");
}

export function auditOfSet(workspaceId: string | null, { before, after }: RateLimitChange) {
  const limit = after ?? before;
  if (limit === null || before === after) return "unchanged" as const;
  return {
    event: "rate_limit.set" as const,
    subject: { type: "rate_limit" as const, id: limit.id },
    workspaceId,
    before: before && toAudit(before),
    after: after && toAudit(after),
  };
}

export function auditOfDeleted(workspaceId: string | null, before: RateLimit) {
  return {
    event: "rate_limit.deleted" as const,
    subject: { type: "rate_limit" as const, id: before.id },
    workspaceId,
    before: toAudit(before),
    after: null,
  };
}

function toAudit(limit: RateLimit) {
  return {
    scope: { ...toWireScope(limit) },
    model_group: limit.modelGroup,
    requests_per_minute: limit.perMinute.requests,
    input_tokens_per_minute: limit.perMinute.input_tokens,
    output_tokens_per_minute: limit.perMinute.output_tokens,
  };
}
