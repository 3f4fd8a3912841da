import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { isSpendLimitWider } from "#src/domain/wider-access.ts";
import { newId } from "#src/lib/ids.ts";
import type { CheckedChange, LimitKind, ScopeOfLimit } from "#src/limits/limit-kind.ts";
import { type LimitValue, listApplying } from "#src/limits/limit-values.rule.ts";
import { findScopeNames } from "#src/limits/scope-names.sql.ts";
import {
  deleteSpendLimit,
  findSpendLimit,
  type SpendLimit,
  upsertSpendLimit,
} from "#src/spend/ledger/limits.sql.ts";
import { combineSpendValues, isRaise, type WantedLimit } from "./combine-values.rule.ts";
import { listSpendValues, needsTwoPeople, replaceSpendValues } from "./limit-values.sql.ts";
import { listMemberDefaults } from "./member-defaults.sql.ts";
import { findDecidingGroups } from "./sourced-limits.ts";
import { listVisibleLimits } from "./spend-limits.sql.ts";

/** Spend limits without the effects of a change on other limits: one for each scope and period. */
export const storedSpendLimits: LimitKind<SpendLimit, Pick<SpendLimit, "period">, WantedLimit> = {
  type: "spend_limit",
  name: "Spend limit",
  hasOrganizationLimits: false,
  find: findSpendLimit,
  list: listVisibleLimits,
  isSame: (one, other) =>
    one.amountNanoUsd === other.amountNanoUsd &&
    one.enforcement === other.enforcement &&
    one.openEndedHoldNanoUsd === other.openEndedHoldNanoUsd &&
    one.unknownFeatures === other.unknownFeatures &&
    one.hold === other.hold,
  isSamePlace: (one, other) => one.period === other.period,
  toWanted: ({ amountNanoUsd, enforcement, openEndedHoldNanoUsd, unknownFeatures, hold }) => ({
    amountNanoUsd,
    enforcement,
    openEndedHoldNanoUsd,
    unknownFeatures,
    hold,
  }),
  combine: combineSpendValues,
  listValues: listSpendValues,
  saveValues: replaceSpendValues,
  listInherited: listDefaults,
  findInheritedRefusal,
  applyEffects: () => Promise.resolve({}),
  checkChange: checkTwoPeople,
  isWider: isSpendLimitWider,
  save: (tx, { nowMs, randomBytes }, limit) =>
    upsertSpendLimit(tx, {
      ...limit,
      id: newId(idPrefixes.spendLimit, nowMs(), randomBytes),
    }),
  delete: deleteSpendLimit,
  describe: ({ amountNanoUsd, period, enforcement }) =>
    `$${formatUsd(amountNanoUsd)} ${period}, ${enforcement}`,
  placeToAudit: ({ period }) => ({ period }),
  toAudit: ({ openEndedHoldNanoUsd: holdNanoUsd, ...wanted }) => ({
    limit_usd: formatUsd(wanted.amountNanoUsd),
    enforcement: wanted.enforcement,
    open_ended_hold_usd: holdNanoUsd === null ? null : formatUsd(holdNanoUsd),
    unknown_features: wanted.unknownFeatures,
    hold: wanted.hold,
  }),
};

async function listDefaults(
  tx: Tx,
  { organizationId, scopeType, scopeId, period }: ScopeOfLimit & Pick<SpendLimit, "period">,
  values: readonly LimitValue<WantedLimit>[],
): Promise<WantedLimit[]> {
  if (scopeType !== "member") return [];
  const defaults = await listMemberDefaults(tx, { organizationId, memberIds: [scopeId] });
  const ofPeriod = defaults.filter((each) => each.period === period);
  const ownRanks = values.map(({ rank }) => rank);
  return listApplying(ofPeriod, ownRanks).map(({ wanted }) => wanted);
}

async function findInheritedRefusal(tx: Tx, limit: SpendLimit): Promise<ApiError | null> {
  const groupId = (await findDecidingGroups(tx, [limit], [[]])).get(limit.id);
  if (groupId === undefined) return null;
  const group = {
    organizationId: limit.organizationId,
    scopeType: "group",
    scopeId: groupId,
  } as const;
  const name = (await findScopeNames(tx, [group])).get(groupId) ?? "";
  return new ApiError(
    "limit_is_inherited",
    `The limit comes from the default cap of the group ${name} (${groupId}). Change that cap, set an own value of the member, or remove the member from the group.`,
    {},
    { inherited_from: { type: "group", group_id: groupId, group_name: name } },
  );
}

/** The operator is exempt, so that a lone owner is never locked out. */
async function checkTwoPeople(
  tx: Tx,
  { organizationId, setter, before, after }: CheckedChange<WantedLimit>,
): Promise<void> {
  if (setter.type === "local_operator" || !isRaise(before, after)) return;
  if (!(await needsTwoPeople(tx, organizationId))) return;
  throw new ApiError(
    "raise_needs_two_people",
    "Two people are needed to raise or remove a spend limit here. Create an increase request, which another person decides.",
  );
}
