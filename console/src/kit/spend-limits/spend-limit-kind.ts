import { enforcements, newLimitHold } from "virtual:contract";
import type { Rank } from "@bursar/contract/permissions.ts";
import { formatUsd, toUsdText } from "../../ui/format.ts";
import type { FormStart, LimitKind } from "../limits/limit-kind.ts";
import { toScopeValues } from "../limits/limit-scope.tsx";
import { byScope } from "../scopes/scope-names.ts";
import { SpendLimitChange, SpendLimitRemoval } from "./limit-consequences.tsx";
import { compareNearness, limitStates } from "./nearness.ts";
import {
  findLimit,
  type SpendLimit,
  useRemoveLimit,
  useSetLimit,
  useSpendLimits,
} from "./queries.ts";
import { SpendLimitFields, type SpendValues, toAmount } from "./spend-limit-fields.tsx";
import { SpendLimitRows } from "./spend-limit-rows.tsx";
import {
  describeValue,
  type Enforcement,
  enforcementWords,
  holdWords,
  isHeldInSteps,
  isRefusingUnknown,
  periodWords,
  unknownFeatureWords,
} from "./words.ts";

export const spendLimits: LimitKind<SpendLimit, SpendValues> = {
  name: "Limit",
  writeAction: "spend_limits:write",
  values: {
    describe: describeValue,
    isInForce: ({ limit_usd, enforcement }, limit) =>
      limit_usd === limit.limit_usd &&
      (enforcement === "alert_only") === (limit.enforcement === "alert_only"),
    isStricter,
  },
  list: {
    useLimits: useSpendLimits,
    compare: (a, b) => compareNearness(a.limit, b.limit) || byScope(a.limit, b.limit),
    states: limitStates,
    Rows: SpendLimitRows,
    purpose:
      "A spend limit applies to the company, a workspace, a key, a person, a group or a tag, per day, week or month.",
    example: (workspaceId) => ({
      what: "call",
      text: `curl "$BURSAR_URL/v1/admin/workspaces/limits" -H "x-api-key: $BURSAR_ADMIN_KEY" \\\n  -H 'content-type: application/json' -d '{"workspace_id":"${workspaceId ?? "wksp_…"}","monthly_limit_usd":100.00}'`,
    }),
    note: "Each request must be within the limits of its key, its workspace, its tags, the key’s owner and their groups, and the company. People with a default cap of a group are on the page of the group.",
    useRemove: useRemoveLimit,
    toRemoval: ({ id }, rank) => ({ params: { spend_limit_id: id }, query: { rank } }),
    describeRemoval: ({ limit, name, value }) =>
      `Removes the limit of ${formatUsd(toUsdText(value.limit_usd))} ${periodWords[limit.period]} for ${name}. Spend is still counted.`,
  },
  effects: { Change: SpendLimitChange, Removal: SpendLimitRemoval },
  form: {
    toValues,
    describe: (about) => about && `${about.name}, ${periodWords[about.limit.period]}`,
    unscoped: "Choose a workspace, a key, a person, a group or a tag.",
    Fields: SpendLimitFields,
    useSet: useSetLimit,
    toInput: (given, { scope, over, if_version }) => {
      const { period, enforcement, rank, unknown_features, hold } = given;
      const openEnded = (findValue(over, rank) ?? over)?.open_ended_hold_usd ?? null;
      const open_ended_hold_usd = openEnded === null ? null : toUsdText(openEnded);
      const limit_usd = toAmount(given.limit_usd);
      const value = { limit_usd, enforcement, open_ended_hold_usd, unknown_features, hold };
      return { body: { scope, period, ...value, if_version, rank } };
    },
    find: ({ period }, scope) => findLimit(scope, period),
    compare: compareLimit,
  },
};

function toValues(limit: SpendLimit | null, { workspaceId, rank, scope }: FormStart): SpendValues {
  const shown = findValue(limit, rank) ?? limit;
  return {
    ...toScopeValues(limit?.scope ?? scope ?? null, workspaceId),
    rank,
    period: limit?.period ?? "monthly",
    limit_usd: shown ? toUsdText(shown.limit_usd) : "",
    enforcement: shown?.enforcement ?? enforcements[0] ?? "soft",
    unknown_features: shown?.unknown_features ?? "hold",
    hold: shown?.hold ?? newLimitHold,
  };
}

type Value = SpendLimit["values"][number];

function findValue(limit: SpendLimit | null, rank: Rank): Value | undefined {
  return limit?.values.find((value) => value.rank === rank);
}

/** A value that only alerts loses against each value that refuses requests. */
function isStricter(value: Value, given: SpendValues): boolean {
  const alertsOnly = (enforcement: Enforcement) => enforcement === "alert_only";
  if (alertsOnly(value.enforcement) !== alertsOnly(given.enforcement)) {
    return alertsOnly(given.enforcement);
  }
  return (
    value.limit_usd < Number(toAmount(given.limit_usd)) ||
    enforcements.indexOf(value.enforcement) < enforcements.indexOf(given.enforcement) ||
    (isRefusingUnknown(value) && !isRefusingUnknown(given)) ||
    (isHeldInSteps(given) && value.enforcement === "strict" && !isHeldInSteps(value))
  );
}

function compareLimit(now: SpendLimit | null, own: SpendValues) {
  return [
    [
      "Limit",
      now ? formatUsd(toUsdText(now.limit_usd)) : "None",
      formatUsd(toAmount(own.limit_usd)),
    ],
    [
      "Enforcement",
      now ? enforcementWords[now.enforcement].label : "",
      enforcementWords[own.enforcement].label,
    ],
    [
      "Unknown features",
      now ? unknownFeatureWords[now.unknown_features] : "",
      unknownFeatureWords[own.unknown_features],
    ],
    ["Holds of streams", now ? holdWords[now.hold].label : "", holdWords[own.hold].label],
  ] as const;
}
