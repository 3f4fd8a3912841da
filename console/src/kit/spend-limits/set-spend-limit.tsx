import { enforcements } from "virtual:contract";
import { useForm } from "react-hook-form";
import { Field } from "../../ui/field.tsx";
import { formatPlural, formatUsd, toUsdText } from "../../ui/format.ts";
import { Choices, MoneyInput, Select } from "../../ui/input.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { showToast } from "../../ui/toast.ts";
import {
  LimitDialog,
  LimitScope,
  type ScopeValues,
  toScopeValues,
} from "../limits/limit-dialog.tsx";
import type { Scope } from "../scopes/scope.ts";
import { toScope } from "../scopes/scope-picker.tsx";
import { countBlockedKeys } from "./blocked-keys.ts";
import { findLimit, type SpendLimit, usePeriodSpend, useSetLimit } from "./queries.ts";
import {
  currentPeriodWords,
  type Enforcement,
  enforcementWords,
  type Period,
  periodWords,
} from "./words.ts";

interface SetLimitProps {
  /** The limit that is changed, or null for a new one. */
  limit: SpendLimit | null;
  workspaceId: string | undefined;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}

interface LimitValues extends ScopeValues {
  period: Period;
  limit_usd: string;
  enforcement: Enforcement;
}

export function SetLimitDialog({ limit, workspaceId, nameOf, onClose }: SetLimitProps) {
  const set = useSetLimit();
  const form = useForm<LimitValues>({ defaultValues: toValues(limit, workspaceId) });
  const { errors } = form.formState;
  const values = form.watch();
  return (
    <LimitDialog<LimitValues, SpendLimit>
      what="limit"
      limit={limit}
      form={form}
      toValues={(current) => toValues(current, workspaceId)}
      describe={(about) => about && `${nameOf(about.scope)}, ${periodWords[about.period]}`}
      unscoped="Choose whose spend is limited."
      onSave={async (given, scope, over) => {
        await set.mutateAsync({ body: toBody(given, scope, over) });
        showToast(`Limit of ${nameOf(scope)} set`);
        return true;
      }}
      isBusy={set.isPending}
      look={({ period }, scope) => findLimit(scope, period)}
      compare={compareLimit}
      onClose={onClose}
    >
      {({ isNew }) => (
        <>
          {isNew && (
            <div className="grid gap-5 sm:grid-cols-2">
              <LimitScope
                label="Whose spend"
                workspaceId={workspaceId}
                scope={values}
                error={errors.scopeId?.message}
                onChange={({ scopeType, scopeId }) => {
                  form.setValue("scopeType", scopeType);
                  form.setValue("scopeId", scopeId);
                  form.clearErrors("scopeId");
                }}
              />
            </div>
          )}
          <div className="grid gap-5 sm:grid-cols-2">
            <Field label="Limit" error={errors.limit_usd?.message}>
              {(control) => (
                <MoneyInput
                  {...control}
                  placeholder="100.00"
                  {...form.register("limit_usd", {
                    validate: (text) =>
                      /^\d{1,3}(,\d{3})*(\.\d+)?$|^\d+(\.\d+)?$/.test(text.trim()) ||
                      "Enter an amount of dollars, such as 100.00.",
                  })}
                />
              )}
            </Field>
            {isNew && (
              <Field label="Period">
                {(control) => (
                  <Select {...control} {...form.register("period")}>
                    <option value="monthly">Each month</option>
                    <option value="weekly">Each week</option>
                    <option value="daily">Each day</option>
                  </Select>
                )}
              </Field>
            )}
          </div>
          <Choices
            legend="When it is reached"
            name="enforcement"
            value={values.enforcement}
            onChange={(enforcement) => form.setValue("enforcement", enforcement)}
            choices={enforcements.map((value) => ({ value, ...enforcementWords[value] }))}
          />
          <BlockingWarning values={values} />
        </>
      )}
    </LimitDialog>
  );
}

function compareLimit(now: SpendLimit | null, own: LimitValues) {
  return [
    [
      "Limit",
      now ? formatUsd(toUsdText(now.limit_usd)) : "None",
      formatUsd(toAmount(own.limit_usd)),
    ],
    [
      "When it is reached",
      now ? enforcementWords[now.enforcement].label : "",
      enforcementWords[own.enforcement].label,
    ],
  ] as const;
}

/** Says how many keys stop when the limit is set, for a new limit, a changed one and one that another person has set meanwhile. */
function BlockingWarning({ values }: { values: LimitValues }) {
  const { data: spend } = usePeriodSpend(toScope(values), values.period);
  const { enforcement, limit_usd, period } = values;
  const blocked = spend && countBlockedKeys({ amount: toAmount(limit_usd), enforcement }, spend);
  if (!spend || blocked == null) return null;
  return (
    <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
      <strong className="font-semibold">
        {blocked > 0 ? `Blocks ${formatPlural(blocked, "key")} now.` : "Blocks requests now."}
      </strong>{" "}
      {formatUsd(spend.spent_usd)} is already spent {currentPeriodWords[period]}. Requests resume{" "}
      <RelativeTime at={spend.period_ends_at} />.
    </p>
  );
}

function toValues(limit: SpendLimit | null, workspaceId: string | undefined): LimitValues {
  return {
    ...toScopeValues(limit?.scope ?? null, workspaceId),
    period: limit?.period ?? "monthly",
    limit_usd: limit ? toUsdText(limit.limit_usd) : "",
    enforcement: limit?.enforcement ?? enforcements[0] ?? "soft",
  };
}

/** The wire's decimal text of an amount that a person typed. */
function toAmount(text: string): string {
  return text.replaceAll(",", "").trim();
}

function toBody(values: LimitValues, scope: Scope, over: SpendLimit | null) {
  const hold = over?.open_ended_hold_usd ?? null;
  return {
    scope,
    period: values.period,
    limit_usd: toAmount(values.limit_usd),
    enforcement: values.enforcement,
    // What somebody else changed or made since the dialog opened is not overwritten unseen.
    if_version: over === null ? null : over.version,
    open_ended_hold_usd: hold === null ? null : toUsdText(hold),
  };
}
