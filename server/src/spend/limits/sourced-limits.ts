import type { Database, Tx } from "#src/db/pool.ts";
import { listSpendLimits, type SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { listSpendValues } from "./limit-values.sql.ts";
import { findDecidingGroup } from "./member-defaults.rule.ts";
import { listMemberDefaults } from "./member-defaults.sql.ts";
import { listLimitsOfMembers } from "./member-limits.sql.ts";

/** Limit in force, and the limit that decides its amount: the same one, or the default cap of a group. */
export interface SourcedLimit {
  limit: SpendLimit;
  source: SpendLimit;
}

/** Finds the limits in force of members, by member and period: "user_1 monthly". Four queries for any number of members. */
export async function findSourcedLimits(
  db: Database | Tx,
  of: { organizationId: string; memberIds: readonly string[] },
): Promise<ReadonlyMap<string, SourcedLimit>> {
  const { organizationId, memberIds } = of;
  const limits = memberIds.length === 0 ? [] : await listLimitsOfMembers(db, of);
  if (limits.length === 0) return new Map();
  const limitedIds = [...new Set(limits.map(({ scopeId }) => scopeId))];
  const values = await listSpendValues(db, { organizationId, scopeIds: limitedIds });
  const defaults = await listMemberDefaults(db, { organizationId, memberIds: limitedIds });
  const ofGroups =
    defaults.length === 0
      ? []
      : await listSpendLimits(db, { organizationId, scopeType: "group_member" });
  const valuesOf = Map.groupBy(values, ({ scopeId, period }) => `${scopeId} ${period}`);
  const defaultsOf = Map.groupBy(defaults, ({ memberId, period }) => `${memberId} ${period}`);
  const groupLimitOf = new Map(ofGroups.map((each) => [`${each.scopeId} ${each.period}`, each]));
  return new Map(
    limits.map((limit) => {
      const place = `${limit.scopeId} ${limit.period}`;
      const groupId = findDecidingGroup(valuesOf.get(place) ?? [], defaultsOf.get(place) ?? []);
      const source = groupId === null ? undefined : groupLimitOf.get(`${groupId} ${limit.period}`);
      return [place, { limit, source: source ?? limit }];
    }),
  );
}
