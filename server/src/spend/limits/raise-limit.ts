import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { type LimitChange, refuseSetAbove, type ScopeForChange } from "#src/limits/change-limit.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import { findValueAbove } from "#src/limits/limit-values.rule.ts";
import { readValues, saveLimit } from "#src/limits/limit-values.ts";
import type { SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { listCountedValues, type WantedLimit } from "./combine-values.rule.ts";
import { spendLimits } from "./spend-limit-kind.ts";

/** A change after which there is a limit. */
export interface RaisedLimit extends LimitChange<SpendLimit, WantedLimit> {
  after: SpendLimit;
}

/**
 * Raises each value that keeps the limit below the amount, of the setter's rank and of lower ones. Enforcement stays. Throws a
 * 400 without a limit or for a lower amount, and a 403 if a higher rank keeps the limit below the amount.
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
  const counted = listCountedValues(valuesBefore.map(({ wanted }) => wanted));
  const low = valuesBefore.filter(
    ({ wanted }) => counted.includes(wanted) && wanted.amountNanoUsd < amountNanoUsd,
  );
  const { rank, type, id } = of.setter;
  const above = findValueAbove(low, rank);
  if (above !== null) throw refuseSetAbove(spendLimits.describe(before), above);
  if (low.length === 0) return { before, after: before, valuesBefore, values: valuesBefore };
  const setAtMs = deps.nowMs();
  const values = valuesBefore.map((value) =>
    low.includes(value)
      ? { ...value, wanted: { ...value.wanted, amountNanoUsd }, setBy: { type, id }, setAtMs }
      : value,
  );
  const after = await saveLimit(spendLimits, tx, deps, { of, before, values });
  return { before, after: after ?? before, valuesBefore, values };
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
