import { idPrefixes } from "@bursar/contract/ids.ts";
import { formatUsd } from "#src/domain/money.ts";
import { isSpendLimitWider } from "#src/domain/wider-access.ts";
import { newId } from "#src/lib/ids.ts";
import type { LimitKind } from "#src/limits/limit-kind.ts";
import {
  deleteSpendLimit,
  findSpendLimit,
  type SpendLimit,
  upsertSpendLimit,
} from "#src/spend/ledger/limits.sql.ts";
import { listVisibleLimits } from "./spend-limits.sql.ts";

/** Part of a spend limit that a caller sets. */
export type WantedLimit = Pick<
  SpendLimit,
  "amountNanoUsd" | "enforcement" | "openEndedHoldNanoUsd"
>;

/** Spend limits: one for each scope and period. */
export const spendLimits: LimitKind<SpendLimit, Pick<SpendLimit, "period">, WantedLimit> = {
  type: "spend_limit",
  name: "Spend limit",
  hasOrganizationLimits: false,
  find: findSpendLimit,
  list: listVisibleLimits,
  isSame: (limit, wanted) =>
    limit.amountNanoUsd === wanted.amountNanoUsd &&
    limit.enforcement === wanted.enforcement &&
    limit.openEndedHoldNanoUsd === wanted.openEndedHoldNanoUsd,
  isWider: isSpendLimitWider,
  save: (tx, { nowMs, randomBytes }, limit) =>
    upsertSpendLimit(tx, {
      ...limit,
      id: newId(idPrefixes.spendLimit, nowMs(), randomBytes),
    }),
  delete: deleteSpendLimit,
  describe: ({ amountNanoUsd, period, enforcement }) =>
    `$${formatUsd(amountNanoUsd)} ${period}, ${enforcement}`,
  toAudit: ({ period, amountNanoUsd, enforcement, openEndedHoldNanoUsd: holdNanoUsd }) => ({
    period,
    limit_usd: formatUsd(amountNanoUsd),
    enforcement,
    open_ended_hold_usd: holdNanoUsd === null ? null : formatUsd(holdNanoUsd),
  }),
};
