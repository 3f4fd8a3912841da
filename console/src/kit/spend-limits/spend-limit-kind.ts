import { enforcements } from "virtual:contract";
import { formatUsd, toUsdText } from "../../ui/format.ts";
import type { LimitKind } from "../limits/limit-kind.ts";
import { toScopeValues } from "../limits/limit-scope.tsx";
import { byScope } from "../scopes/scope-names.ts";
import {
  findLimit,
  type SpendLimit,
  useRemoveLimit,
  useSetLimit,
  useSpendLimits,
} from "./queries.ts";
import { SpendLimitFields, type SpendValues, toAmount } from "./spend-limit-fields.tsx";
import { SpendLimitRows } from "./spend-limit-rows.tsx";
import { enforcementWords, periodWords } from "./words.ts";

export const spendLimits: LimitKind<SpendLimit, SpendValues> = {
  name: "Limit",
  writeAction: "spend_limits:write",
  list: {
    useLimits: useSpendLimits,
    compare: (a, b) => byScope(a.limit, b.limit),
    Rows: SpendLimitRows,
    purpose: "A spend limit applies to the company, a workspace or a key, per day, week or month.",
    example: (workspaceId) => ({
      what: "call",
      text: `curl "$BURSAR_URL/v1/admin/workspaces/limits" -H "x-api-key: $BURSAR_ADMIN_KEY" \\\n  -H 'content-type: application/json' -d '{"workspace_id":"${workspaceId ?? "wksp_…"}","monthly_limit_usd":100.00}'`,
    }),
    note: "Each request must be within the limits of its key, its workspace and the company.",
    useRemove: () => {
      const { mutate, isPending, error } = useRemoveLimit();
      return {
        remove: ({ id }, onSuccess) => mutate({ params: { spend_limit_id: id } }, { onSuccess }),
        isBusy: isPending,
        error,
      };
    },
    describeRemoval: ({ limit, name }) =>
      `Removes the limit of ${formatUsd(toUsdText(limit.limit_usd))} ${periodWords[limit.period]} for ${name}. Spend is still counted.`,
  },
  form: {
    toValues,
    describe: (about) => about && `${about.name}, ${periodWords[about.limit.period]}`,
    unscoped: "Choose a workspace or a key.",
    Fields: SpendLimitFields,
    useSet: useSetLimit,
    toInput: (given, { scope, over, if_version, rank }) => {
      const { period, enforcement } = given;
      const hold = over?.open_ended_hold_usd ?? null;
      const open_ended_hold_usd = hold === null ? null : toUsdText(hold);
      const limit_usd = toAmount(given.limit_usd);
      return {
        body: { scope, period, limit_usd, enforcement, if_version, rank, open_ended_hold_usd },
      };
    },
    find: ({ period }, scope) => findLimit(scope, period),
    compare: compareLimit,
  },
};

function toValues(limit: SpendLimit | null, workspaceId: string | undefined): SpendValues {
  return {
    ...toScopeValues(limit?.scope ?? null, workspaceId),
    period: limit?.period ?? "monthly",
    limit_usd: limit ? toUsdText(limit.limit_usd) : "",
    enforcement: limit?.enforcement ?? enforcements[0] ?? "soft",
  };
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
  ] as const;
}
