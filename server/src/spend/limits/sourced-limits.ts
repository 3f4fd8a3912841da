import type { Database, Tx } from "#src/db/pool.ts";
import type { LimitValue } from "#src/limits/limit-values.rule.ts";
import {
  listLimitsOfScopes,
  listSpendLimits,
  type SpendLimit,
} from "#src/spend/ledger/limits.sql.ts";
import type { WantedLimit } from "./combine-values.rule.ts";
import { listSpendValues } from "./limit-values.sql.ts";
import { findDecidingGroup } from "./member-defaults.rule.ts";
import { listMemberDefaults } from "./member-defaults.sql.ts";

// Origin of limits in force: the limit of a member can come from the default cap of a group.

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
  const limits =
    memberIds.length === 0
      ? []
      : await listLimitsOfScopes(db, { organizationId, scopeType: "member", scopeIds: memberIds });
  if (limits.length === 0) return new Map();
  const scopeIds = [...new Set(limits.map(({ scopeId }) => scopeId))];
  const valuesOf = Map.groupBy(await listSpendValues(db, { organizationId, scopeIds }), keyOf);
  const inOrder = limits.map((limit) => valuesOf.get(keyOf(limit)) ?? []);
  const groupOf = await findDecidingGroups(db, limits, inOrder);
  const ofGroups =
    groupOf.size === 0
      ? []
      : await listSpendLimits(db, { organizationId, scopeType: "group_member" });
  const groupLimitOf = new Map(ofGroups.map((each) => [keyOf(each), each]));
  return new Map(
    limits.map((limit) => {
      const groupId = groupOf.get(limit.id);
      const { period } = limit;
      const source = groupId && groupLimitOf.get(keyOf({ scopeId: groupId, period }));
      return [keyOf(limit), { limit, source: source || limit }];
    }),
  );
}

/** Finds the groups whose defaults decide the amounts of these limits, by limit. `values` has those of each limit. */
export async function findDecidingGroups(
  db: Database | Tx,
  limits: readonly SpendLimit[],
  values: readonly (readonly LimitValue<WantedLimit>[])[],
): Promise<ReadonlyMap<string, string>> {
  const ofMembers = limits.filter(({ scopeType }) => scopeType === "member");
  const [first] = ofMembers;
  if (first === undefined) return new Map();
  const { organizationId } = first;
  const memberIds = [...new Set(ofMembers.map(({ scopeId }) => scopeId))];
  const defaults = await listMemberDefaults(db, { organizationId, memberIds });
  const defaultsOf = Map.groupBy(defaults, ({ memberId, period }) =>
    keyOf({ scopeId: memberId, period }),
  );
  return new Map(
    limits.flatMap((limit, place) => {
      if (limit.scopeType !== "member") return [];
      const groupId = findDecidingGroup(values[place] ?? [], defaultsOf.get(keyOf(limit)) ?? []);
      return groupId === null ? [] : [[limit.id, groupId] as const];
    }),
  );
}

function keyOf({ scopeId, period }: Pick<SpendLimit, "scopeId" | "period">): string {
  return `${scopeId} ${period}`;
}
