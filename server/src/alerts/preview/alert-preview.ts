import {
  MAX_REPLAYED_SCOPES,
  MAX_UNUSUAL_SCOPES,
  PREVIEW_DAYS,
} from "@bursar/contract/admin/alert-preview.ts";
import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { listHours, type WatchedScope } from "#src/alerts/firing/watched-usage.sql.ts";
import { type AlertRow, listAlerts } from "#src/alerts/rules/alerts.sql.ts";
import {
  type AlertDeps,
  checkCondition,
  checkScopeOfKind,
  findScope,
  visibilityOf,
} from "#src/alerts/rules/alerts.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { HOUR_MS, hourOf, toHourlySpend } from "#src/domain/hourly-spend.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { waitForNextTurn } from "#src/lib/slices.ts";
import {
  type Coverage,
  findCoverage,
  notifiesAll,
  type WatchingAlert,
} from "./covering-alerts.rule.ts";
import { listRefusedHours } from "./refused-hours.sql.ts";
import {
  REPLAY_PAST_DAYS,
  type ReplayedFiring,
  type ReplayedScope,
  type ReplayWindow,
  replayForecast,
  replaySpendLimit,
  replayUnusualHour,
} from "./replay-alert.ts";
import { findRefusedWindows } from "./replay-refusals.rule.ts";
import { listLimitsOfScopes, listReplayedScopes } from "./replayed-scopes.sql.ts";

const DAY_MS = 86_400_000;
const MINUTES_PER_HOUR = 60;
/** Maximum existing alerts of the kind that are compared, newest first. */
const MAX_COMPARED = 1_000;

export interface PreviewInput {
  scope: CountedScope;
  includes_below: boolean;
  condition: AlertCondition;
  channel_ids: readonly string[];
  notifies_owner: boolean;
  alert_id?: string | undefined;
}

export interface AlertPreview {
  coveredBy: { row: AlertRow; coverage: Coverage }[];
  addsNothing: boolean;
  replay: Replay | null;
  note: string;
}

export interface Replay {
  fromMs: number;
  toMs: number;
  /** In the order of time. */
  firings: readonly ReplayedFiring[];
  scopes: number;
  scopesLeftOut: number;
}

/**
 * Finds existing alerts that cover the new one, and replays its condition over recorded hours. Reads at most
 * MAX_REPLAYED_SCOPES scopes, or MAX_UNUSUAL_SCOPES. Throws a 404, a 403 and a 400 as the creation of the alert does.
 */
export async function previewAlert(
  deps: AlertDeps,
  { caller }: Call,
  input: PreviewInput,
): Promise<AlertPreview> {
  const condition = checkCondition(input.condition);
  checkScopeOfKind(input.scope, condition);
  const found = await inTransaction(deps.database, (tx) => findScope(tx, caller, input.scope));
  const scope: WatchedScope = { organizationId: caller.organizationId, ...found };
  const added: WatchingAlert = {
    ...found,
    ...{ includesBelow: input.includes_below, condition, notifiesOwner: input.notifies_owner },
    channelIds: input.channel_ids,
  };
  const page = { limit: MAX_COMPARED, direction: "older", from: null } as const;
  const filter = { ...visibilityOf(caller), kinds: [condition.kind] };
  const rows = await listAlerts(deps.database, filter, page);
  const others = rows.filter(({ id }) => id !== input.alert_id);
  const coveredBy = listCovering(others, added);
  return {
    coveredBy,
    addsNothing: coveredBy.some(({ row, coverage }) => {
      return coverage === "whole" && row.isEnabled && notifiesAll(toWatching(row), added);
    }),
    ...(await replay(deps, { scope, includesBelow: input.includes_below, condition })),
  };
}

function listCovering(rows: readonly AlertRow[], added: WatchingAlert): AlertPreview["coveredBy"] {
  const covering = rows.flatMap((row) => {
    const coverage = findCoverage(toWatching(row), added);
    return coverage === null ? [] : [{ row, coverage }];
  });
  const isWhole = ({ coverage, row }: { coverage: Coverage; row: AlertRow }) =>
    coverage === "whole" && row.isEnabled ? 0 : 1;
  return covering.toSorted((a, b) => isWhole(a) - isWhole(b));
}

function toWatching(row: AlertRow): WatchingAlert {
  return { ...row, channelIds: row.channels.map(({ id }) => id) };
}

interface Replayed {
  scope: WatchedScope;
  includesBelow: boolean;
  condition: AlertCondition;
}

type ReplayResult = Pick<AlertPreview, "replay" | "note">;

const LIMITS_OF_TODAY = "Computed by the hour, with the spend limits of today.";

function replay(deps: AlertDeps, of: Replayed): Promise<ReplayResult> | ReplayResult {
  const { condition } = of;
  switch (condition.kind) {
    case "spend_limit":
    case "forecast":
    case "unusual_spend":
      return replaySpend(deps, of);
    case "refused_requests":
      return condition.minutes < MINUTES_PER_HOUR
        ? {
            replay: null,
            note: "Refusals are stored by the hour, so shorter windows cannot be replayed.",
          }
        : replayRefusals(deps, of, condition);
    case "upstream_errors":
      return { replay: null, note: "Only spend and refusals are replayed, not failed requests." };
    case "limit_overrun":
      return {
        replay: null,
        note: "Overruns are recorded as they happen, and cannot be replayed.",
      };
    case "key_expiring":
    case "key_unused":
    case "key_new_address":
      return {
        replay: null,
        note: "Earlier states of keys are not stored, so nothing can be replayed.",
      };
    case "database_failover":
    case "bound_exceeded":
      return { replay: null, note: "This alert is not about spend, so nothing can be replayed." };
  }
}

async function replaySpend(deps: AlertDeps, of: Replayed): Promise<ReplayResult> {
  const { condition } = of;
  const window = findWindow(deps.nowMs());
  const { scopes, total } = await readScopes(deps, of, window);
  const firings: ReplayedFiring[] = [];
  if (condition.kind === "unusual_spend") {
    const fired = new Set<string>();
    for (let hour = window.first; hour < window.end; hour++) {
      for (const found of replayUnusualHour(condition, scopes, { hour, fired })) {
        firings.push(...found);
        await waitForNextTurn();
      }
    }
  }
  for (const scope of scopes) {
    await waitForNextTurn();
    if (condition.kind === "spend_limit")
      firings.push(...replaySpendLimit(condition, scope, window));
    if (condition.kind === "forecast") firings.push(...replayForecast(condition, scope, window));
  }
  const counts = { scopes: scopes.length, scopesLeftOut: total - scopes.length };
  return { replay: toReplay(window, firings, counts), note: LIMITS_OF_TODAY };
}

/** Whole hours, so that the running hour is left out. */
function findWindow(nowMs: number): ReplayWindow {
  const end = hourOf(nowMs);
  return { first: end - PREVIEW_DAYS * (DAY_MS / HOUR_MS), end };
}

/** Reads the scopes with their limits and hours, in statements of one scope type each. */
async function readScopes(
  { database }: AlertDeps,
  { scope, includesBelow, condition }: Replayed,
  window: ReplayWindow,
): Promise<{ scopes: ReplayedScope[]; total: number }> {
  const hasAmount =
    condition.kind === "spend_limit" && condition.thresholds.some((each) => "amount_usd" in each);
  const isOfPace = condition.kind === "unusual_spend";
  const firstMs = window.first * HOUR_MS;
  const { scopes, total } = await listReplayedScopes(database, {
    ...{ scope, includesBelow, sinceMs: firstMs },
    limit: isOfPace ? MAX_UNUSUAL_SCOPES : MAX_REPLAYED_SCOPES,
    needsLimit: !isOfPace && !hasAmount,
    hasPeople: !isOfPace,
  });
  const limits = await listLimitsOfScopes(database, scopes);
  const past = isOfPace || condition.kind === "forecast" ? REPLAY_PAST_DAYS * DAY_MS : 0;
  const earliest = Math.min(firstMs - past, startOfPeriods(firstMs));
  const range = { startMs: earliest, endMs: window.end * HOUR_MS };
  const read: ReplayedScope[] = [];
  for (const [scopeType, ofType] of Map.groupBy(scopes, (each) => each.scopeType)) {
    const hours = Map.groupBy(await listHours(database, ofType, range), (each) => each.scopeId);
    for (const each of ofType) {
      const spend = toHourlySpend(hours.get(each.scopeId) ?? [], range.endMs - 1);
      const own = limits.filter(
        (limit) => limit.scopeType === scopeType && limit.scopeId === each.scopeId,
      );
      read.push({ ...each, limits: own, spend });
    }
  }
  return { scopes: read, total };
}

function startOfPeriods(atMs: number): number {
  return Math.min(periodOf("monthly", atMs).startMs, periodOf("weekly", atMs).startMs);
}

async function replayRefusals(
  { database, nowMs }: AlertDeps,
  { scope, includesBelow }: Replayed,
  condition: Extract<AlertCondition, { kind: "refused_requests" }>,
): Promise<ReplayResult> {
  const window = findWindow(nowMs());
  const windowHours = Math.floor(condition.minutes / MINUTES_PER_HOUR);
  const rows = await listRefusedHours(database, {
    ...{ scope, includesBelow, count: condition.count, limit: MAX_REPLAYED_SCOPES },
    startMs: (window.first - windowHours) * HOUR_MS,
    endMs: window.end * HOUR_MS,
  });
  const byScope = [
    ...Map.groupBy(rows, ({ scopeType, scopeId }) => `${scopeType} ${scopeId}`).values(),
  ];
  const firings = byScope.flatMap((hours): ReplayedFiring[] => {
    const [of] = hours;
    if (of === undefined) return [];
    const { organizationId, scopeType, scopeId, scopeName, workspaceId } = of;
    return findRefusedWindows(hours, { count: condition.count, windowHours })
      .filter(({ end }) => end > window.first)
      .map(({ end, requests }) => ({
        ...{ organizationId, scopeType, scopeId, scopeName, workspaceId, alertId: "alert_new" },
        ...{ kind: "refused_requests", atMs: end * HOUR_MS, episode: String(end) },
        threshold: `${condition.count} ${condition.count === 1 ? "request" : "requests"}`,
        facts: { requests, minutes: condition.minutes },
      }));
  });
  const scopesLeftOut = (rows[0]?.total ?? 0) - byScope.length;
  const counts = { scopes: byScope.length, scopesLeftOut };
  return {
    replay: toReplay(window, firings, counts),
    note: "Computed from the refusals of whole hours. Scopes with fewer refusals than the count are left out.",
  };
}

function toReplay(
  window: ReplayWindow,
  found: readonly ReplayedFiring[],
  counts: Pick<Replay, "scopes" | "scopesLeftOut">,
): Replay {
  const firings = found.toSorted((a, b) => a.atMs - b.atMs);
  const range = { fromMs: window.first * HOUR_MS, toMs: window.end * HOUR_MS };
  return { ...range, firings, ...counts };
}
