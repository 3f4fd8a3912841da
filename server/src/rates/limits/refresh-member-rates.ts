import type { Rank } from "@bursar/contract/permissions.ts";
import { lockMemberLimits } from "#src/access/limited-scope.sql.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { findGroupLimitMode } from "#src/limits/limited-groups.sql.ts";
import {
  deleteRateLimits,
  type NewRateLimit,
  upsertRateLimits,
} from "#src/rates/buckets/limit-changes.sql.ts";
import {
  listScopeRateLimits,
  type PerMinute,
  type RateLimit,
} from "#src/rates/buckets/limits.sql.ts";
import { rateLimitIdOf } from "#src/rates/buckets/rate-limit-id.ts";
import { listRateValues } from "./limit-values.sql.ts";
import {
  combineMemberRates,
  findEasedRate,
  limitPlaceOf,
  listChangedPlaces,
  type MemberRate,
  type MemberRatePlace,
  pickRates,
} from "./member-rates.rule.ts";
import {
  listGroupRates,
  listMemberRates,
  listMembersWithRates,
  replaceMemberRates,
} from "./member-rates.sql.ts";
import { storedRateLimits } from "./stored-rate-limits.ts";

/** A rate limit in force of a member that a change of defaults has changed. Null: there is none. */
export interface ChangedMemberRate extends MemberRatePlace {
  before: PerMinute | null;
  after: PerMinute | null;
}

interface Refresh {
  organizationId: string;
  memberIds: readonly string[];
  /** Rank of the change. Null: a directory, which may remove defaults of every rank. */
  rank: Rank | null;
}

/**
 * Computes the rate limits of members again, after a change of their groups, of defaults or of the mode, in the transaction of
 * that change. The number of statements does not depend on the number of members. A second call changes nothing. Throws a
 * 403 if a default of a higher rank would no longer apply.
 */
export async function refreshMemberRates(
  tx: Tx,
  { organizationId, memberIds, rank }: Refresh,
): Promise<ChangedMemberRate[]> {
  if (memberIds.length === 0) return [];
  await lockMemberLimits(tx, organizationId);
  const of = { organizationId, memberIds };
  const mode = await findGroupLimitMode(tx, organizationId);
  const before = await listMemberRates(tx, of);
  const after = pickRates(await listGroupRates(tx, of), mode);
  const eased = rank === null ? null : findEasedRate(before, after, rank);
  if (eased !== null) throw refuseEasedRate(eased);
  const places = listChangedPlaces(before, after);
  if (places.length === 0) return [];
  await replaceMemberRates(tx, of, after);
  return saveMemberRates(tx, organizationId, { places, defaults: after });
}

/** `refreshMemberRates` for all members of groups with default rates, after a change of the mode. */
export async function refreshAllMemberRates(
  tx: Tx,
  { organizationId, rank }: Omit<Refresh, "memberIds">,
): Promise<ChangedMemberRate[]> {
  const memberIds = await listMembersWithRates(tx, organizationId);
  return refreshMemberRates(tx, { organizationId, memberIds, rank });
}

/** Saves the limits in force of these places, and returns those that changed. */
async function saveMemberRates(
  tx: Tx,
  organizationId: string,
  { places, defaults }: { places: readonly MemberRatePlace[]; defaults: readonly MemberRate[] },
): Promise<ChangedMemberRate[]> {
  const scopeIds = [...new Set(places.map(({ memberId }) => memberId))];
  const limits = await listScopeRateLimits(tx, { organizationId, scopeIds });
  const values = await listRateValues(tx, { organizationId, scopeIds });
  const limitOf = new Map(limits.map((limit) => [placeOfScope(limit), limit]));
  const valuesOf = Map.groupBy(values, placeOfScope);
  const defaultsOf = Map.groupBy(defaults, limitPlaceOf);
  const changed: (ChangedMemberRate & { limit: RateLimit | undefined })[] = [];
  for (const place of places) {
    const name = limitPlaceOf(place);
    const limit = limitOf.get(name);
    const wanted = combineMemberRates(defaultsOf.get(name) ?? [], valuesOf.get(name) ?? []);
    const [before, after] = [limit?.perMinute ?? null, wanted?.perMinute ?? null];
    if (!isSameRate(before, after)) changed.push({ ...place, before, after, limit });
  }
  await upsertRateLimits(
    tx,
    changed.flatMap((change) => toNewLimit(organizationId, change)),
  );
  const ended = changed.flatMap(({ after, limit }) => (after === null && limit ? [limit.id] : []));
  await deleteRateLimits(tx, { organizationId, ids: ended });
  return changed.map(({ limit: _, ...change }) => change);
}

const placeOfScope = ({ scopeId: memberId, modelGroup }: { scopeId: string; modelGroup: string }) =>
  limitPlaceOf({ memberId, modelGroup });

function isSameRate(before: PerMinute | null, after: PerMinute | null): boolean {
  if (before === null || after === null) return before === after;
  return storedRateLimits.isSame({ perMinute: before }, { perMinute: after });
}

function toNewLimit(
  organizationId: string,
  { memberId, modelGroup, after }: ChangedMemberRate,
): NewRateLimit[] {
  if (after === null) return [];
  const of = { organizationId, scopeType: "member" as const, scopeId: memberId, modelGroup };
  return [{ ...of, id: rateLimitIdOf(of), perMinute: after }];
}

const MAX_LISTED = 50;

/** Field of an audit event about rate limits of members that changed too. */
export function toAuditedRates(changed: readonly ChangedMemberRate[]): {
  [field: string]: JsonValue;
} {
  if (changed.length === 0) return {};
  const listed = changed.slice(0, MAX_LISTED).map(({ memberId, modelGroup, before, after }) => ({
    member_id: memberId,
    model_group: modelGroup,
    before: before && { ...storedRateLimits.toAudit({ perMinute: before }) },
    after: after && { ...storedRateLimits.toAudit({ perMinute: after }) },
  }));
  return { changed_member_rates: { count: changed.length, first: listed } };
}

function refuseEasedRate({ memberId, groupId, kind, rank, perMinute }: MemberRate): ApiError {
  return new ApiError(
    "limit_set_above",
    `The change would raise or remove the limit of ${perMinute} ${kind.replace("_", " ")} per minute of member ${memberId}, a default of group ${groupId} that a higher rank has set.`,
    {},
    { set_above: { rank, set_by: null } },
  );
}
