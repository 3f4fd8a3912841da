import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { type LimitChange, refuseSetAbove, type ScopeForChange } from "#src/limits/change-limit.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import {
  findValueAbove,
  type LimitValue,
  listApplying,
  setValue,
} from "#src/limits/limit-values.rule.ts";
import { readValues, saveLimit } from "#src/limits/limit-values.ts";
import type { SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { listCountedValues, type WantedLimit } from "./combine-values.rule.ts";
import type { MemberDefault } from "./member-defaults.rule.ts";
import { listMemberDefaults } from "./member-defaults.sql.ts";
import { spendLimits } from "./spend-limit-kind.ts";

/** A change after which there is a limit. */
export interface RaisedLimit extends LimitChange<SpendLimit, WantedLimit> {
  after: SpendLimit;
}

/**
 * Raises each value that keeps the limit below the amount, of the setter's rank and of lower ones. A member below the amount by a
 * default of a group gets an own value. Enforcement stays. Throws a 400 without a limit or for a lower amount, and a 403 if
 * a higher rank keeps the limit below the amount.
 */
export async function raiseLimit(
  tx: Tx,
  deps: SaveDeps,
  of: ScopeForChange & Pick<SpendLimit, "period">,
  amountNanoUsd: bigint,
): Promise<RaisedLimit> {
  const before = await spendLimits.find(tx, of);
  checkIncrease(before, amountNanoUsd);
  const [valuesBefore = []] = await readValues(spendLimits, tx, [before]);
  const defaults = await listDefaultsOf(tx, of, valuesBefore);
  const counted = listCountedValues([...valuesBefore, ...defaults].map(({ wanted }) => wanted));
  const isLow = ({ wanted }: { wanted: WantedLimit }) =>
    counted.includes(wanted) && wanted.amountNanoUsd < amountNanoUsd;
  const low = valuesBefore.filter(isLow);
  const lowDefaults = defaults.filter(isLow);
  const { rank, type, id } = of.setter;
  const above =
    findValueAbove(low, rank) ??
    findValueAbove(
      lowDefaults.map((each) => ({ ...each, setBy: null, setAtMs: 0 })),
      rank,
    );
  if (above !== null) throw refuseSetAbove(spendLimits.describe(before), above);
  if (low.length + lowDefaults.length === 0) {
    return { before, after: before, valuesBefore, values: valuesBefore };
  }
  const set = { setBy: { type, id }, setAtMs: deps.nowMs() };
  const raised = valuesBefore.map((value) =>
    low.includes(value) ? { ...value, ...set, wanted: { ...value.wanted, amountNanoUsd } } : value,
  );
  // An own value replaces the defaults of its rank and of lower ranks.
  const own = { rank, wanted: { ...spendLimits.toWanted(before), amountNanoUsd }, ...set };
  const values = lowDefaults.length > 0 ? setValue(raised, own) : raised;
  const after = await saveLimit(spendLimits, tx, deps, { of, before, values });
  return { before, after: after ?? before, valuesBefore, values };
}

/** Defaults of groups that apply to a member beside the own values. */
async function listDefaultsOf(
  tx: Tx,
  { organizationId, scopeType, scopeId, period }: ScopeForChange & Pick<SpendLimit, "period">,
  values: readonly LimitValue<WantedLimit>[],
): Promise<MemberDefault[]> {
  if (scopeType !== "member") return [];
  const defaults = await listMemberDefaults(tx, { organizationId, memberIds: [scopeId] });
  return listApplying(
    defaults.filter((each) => each.period === period),
    values.map(({ rank }) => rank),
  );
}

function checkIncrease(
  limit: SpendLimit | null,
  amountNanoUsd: bigint,
): asserts limit is SpendLimit {
  if (limit === null) {
    throw new ApiError(
      "increase_not_applicable",
      "The limit was deleted, so there is nothing to increase. Deny the request, or set a limit.",
    );
  }
  if (amountNanoUsd >= limit.amountNanoUsd) return;
  throw new ApiError(
    "increase_not_applicable",
    `The limit is $${formatUsd(limit.amountNanoUsd)} now, and an approval cannot lower it. Send a higher amount, or deny the request.`,
  );
}
