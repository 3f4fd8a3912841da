import type { groupLimitMode } from "@bursar/contract/admin/group-limit-mode.ts";
import type { limitForecast } from "@bursar/contract/admin/limit-forecasts.ts";
import type { myLimit } from "@bursar/contract/admin/my-usage.ts";
import type {
  blockingLimit,
  inheritedFrom as inheritedFromGroup,
  periodSpend,
  spendLimit,
  workspaceLimit,
} from "@bursar/contract/admin/spend-limits.ts";
import type { z } from "zod";
import { isBlocking } from "#src/domain/blocking-limit.ts";
import { formatUsd } from "#src/domain/money.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { toWireSetter } from "#src/limits/change-limit.ts";
import type { GroupLimitMode, LimitValue } from "#src/limits/limit-values.rule.ts";
import type { Balance } from "#src/spend/ledger/balances.sql.ts";
import type { SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import type { BlockingLimit, PeriodSpend } from "./blocked-scopes.ts";
import type { WantedLimit } from "./combine-values.rule.ts";
import type { LimitForecastState } from "./limit-forecasts.ts";
import type { LimitState } from "./spend-limits.ts";
import type { WorkspaceLimit } from "./workspace-limits.ts";

export function toWorkspaceLimit(row: WorkspaceLimit): z.input<typeof workspaceLimit> {
  const { workspace, limit, balance, period, activatingSince } = row;
  return {
    type: "workspace_limit",
    id: limit?.id ?? null,
    workspace_id: workspace.id,
    workspace_name: workspace.name,
    monthly_limit_usd: limit && toNumber(limit.amountNanoUsd),
    enforcement: limit?.enforcement ?? null,
    period: "monthly",
    period_starts_at: new Date(period.startMs).toISOString(),
    period_ends_at: new Date(period.endMs).toISOString(),
    ...toAmounts(balance),
    remaining_usd: limit && formatUsd(remainingOf(limit, balance)),
    blocks_now: limit !== null && isBlocking(limit, balance),
    state: limit && toState(activatingSince),
    activating_since: activatingSince?.toISOString() ?? null,
    open_ended_hold_usd: limit && toOpenEndedHold(limit),
    unknown_features: limit?.unknownFeatures ?? null,
    hold: limit?.hold ?? null,
    values: row.values.map(toSpendLimitValue),
    version: limit && Number(limit.revision),
    updated_at: limit?.updatedAt.toISOString() ?? null,
  };
}

export function toSpendLimit(state: LimitState): z.input<typeof spendLimit> {
  const { limit, period, balance, activatingSince } = state;
  return {
    type: "spend_limit",
    id: limit.id,
    scope: toWireScope(limit),
    scope_name: state.scopeName,
    inherited_from: toInheritedFrom(state),
    member_count: state.memberCount,
    period: limit.period,
    limit_usd: toNumber(limit.amountNanoUsd),
    enforcement: limit.enforcement,
    period_starts_at: new Date(period.startMs).toISOString(),
    period_ends_at: new Date(period.endMs).toISOString(),
    ...toAmounts(balance),
    remaining_usd: formatUsd(remainingOf(limit, balance)),
    blocks_now: isBlocking(limit, balance),
    state: toState(activatingSince),
    activating_since: activatingSince?.toISOString() ?? null,
    open_ended_hold_usd: toOpenEndedHold(limit),
    unknown_features: limit.unknownFeatures,
    hold: limit.hold,
    values: state.values.map(toSpendLimitValue),
    version: Number(limit.revision),
    created_at: limit.createdAt.toISOString(),
    updated_at: limit.updatedAt.toISOString(),
  };
}

function toInheritedFrom({ inheritedFrom }: LimitState): z.input<typeof inheritedFromGroup> {
  if (inheritedFrom === null) return null;
  const { groupId, groupName } = inheritedFrom;
  return { type: "group", group_id: groupId, group_name: groupName };
}

export function toMyLimit(state: LimitState): z.input<typeof myLimit> {
  const { id, scope, scope_name, period, limit_usd, enforcement, ...amounts } = toSpendLimit(state);
  return {
    type: "my_limit",
    spend_limit_id: id,
    ...{ scope, scope_name, period, limit_usd, enforcement },
    inherited_from: amounts.inherited_from,
    spent_usd: amounts.spent_usd,
    held_usd: amounts.held_usd,
    remaining_usd: amounts.remaining_usd,
    blocks_now: amounts.blocks_now,
    period_ends_at: amounts.period_ends_at,
  };
}

export function toSpendLimitValue({ rank, wanted, setBy, setAtMs }: LimitValue<WantedLimit>) {
  return {
    rank,
    limit_usd: toNumber(wanted.amountNanoUsd),
    enforcement: wanted.enforcement,
    open_ended_hold_usd: toOpenEndedHold(wanted),
    unknown_features: wanted.unknownFeatures,
    hold: wanted.hold,
    set_by: toWireSetter(setBy),
    set_at: new Date(setAtMs).toISOString(),
  };
}

export function toBlockingLimit(state: BlockingLimit): z.input<typeof blockingLimit> {
  const { name, workspaceId, workingKeys } = state.scope;
  return {
    type: "blocking_limit",
    scope_name: name ?? "",
    workspace_id: workspaceId,
    blocked_keys: workingKeys,
    spend_limit: toSpendLimit(state),
  };
}

export function toLimitForecast(state: LimitForecastState): z.input<typeof limitForecast> {
  return {
    type: "limit_forecast",
    scope_name: state.scopeName,
    workspace_id: state.workspaceId,
    reached_at: new Date(state.reachedAtMs).toISOString(),
    forecast_usd: formatUsd(state.forecastNanoUsd),
    usd_per_day: formatUsd(state.nanoUsdPerDay),
    spend_limit: toSpendLimit(state),
  };
}

export function toPeriodSpend(spend: PeriodSpend): z.input<typeof periodSpend> {
  const { scope, periodName, period, spentNanoUsd } = spend;
  return {
    type: "period_spend",
    scope: toWireScope(scope),
    period: periodName,
    period_starts_at: new Date(period.startMs).toISOString(),
    period_ends_at: new Date(period.endMs).toISOString(),
    spent_usd: formatUsd(spentNanoUsd),
    working_keys: scope.workingKeys,
  };
}

export function toGroupLimitMode(mode: GroupLimitMode): z.input<typeof groupLimitMode> {
  return { type: "group_limit_mode", mode };
}

/** Limit minus settled, held and unresolved amounts, at least 0, in nano-USD. */
export function remainingOf(
  { amountNanoUsd }: Pick<SpendLimit, "amountNanoUsd">,
  balance: Balance | null,
): bigint {
  if (balance === null) return amountNanoUsd;
  const { settledNanoUsd, leasedNanoUsd, unresolvedNanoUsd } = balance;
  const left = amountNanoUsd - settledNanoUsd - leasedNanoUsd - unresolvedNanoUsd;
  return left > 0n ? left : 0n;
}

function toAmounts(balance: Balance | null) {
  return {
    spent_usd: formatUsd(balance?.settledNanoUsd ?? 0n),
    held_usd: formatUsd(balance?.leasedNanoUsd ?? 0n),
    unresolved_usd: formatUsd(balance?.unresolvedNanoUsd ?? 0n),
    overrun_usd: formatUsd(balance?.limitOverrunNanoUsd ?? 0n),
    beyond_holds_usd: formatUsd(balance?.overrunNanoUsd ?? 0n),
  };
}

function toState(activatingSince: Date | null): "active" | "activating" {
  return activatingSince === null ? "active" : "activating";
}

function toOpenEndedHold({
  openEndedHoldNanoUsd,
}: Pick<SpendLimit, "openEndedHoldNanoUsd">): number | null {
  return openEndedHoldNanoUsd === null ? null : toNumber(openEndedHoldNanoUsd);
}

/** Exact, because `readLimit` bounds the digits of a limit. */
function toNumber(nanoUsd: bigint): number {
  return Number(formatUsd(nanoUsd));
}
