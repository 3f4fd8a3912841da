import { enforcements } from "virtual:contract";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { ApiError } from "../../api-client.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { ConflictNotice } from "../../ui/conflict-notice.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { showServerErrors } from "../../ui/form.ts";
import { formatUsd, toNanoUsd, toUsdText } from "../../ui/format.ts";
import { Choices, MoneyInput, Select } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import {
  findMeanwhile,
  type Meanwhile,
  type Scope,
  type SpendLimit,
  useSetLimit,
} from "./queries.ts";
import { ScopePicker, toScope } from "./scope-picker.tsx";
import { type Enforcement, enforcementWords, type Period, periodWords } from "./words.ts";

interface SetLimitProps {
  /** The limit that is changed, or null for a new one. */
  limit: SpendLimit | null;
  workspaceId: string | undefined;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}

interface LimitValues {
  scopeType: Scope["type"];
  scopeId: string | null;
  period: Period;
  limit_usd: string;
  enforcement: Enforcement;
}

export function SetLimitDialog({ limit, workspaceId, nameOf, onClose }: SetLimitProps) {
  const set = useSetLimit();
  const may = useMay();
  const [error, setError] = useState<Error | null>(null);
  /** What the person has seen, and means to change; null where there was none. */
  const [seen, setSeen] = useState(limit);
  const [meanwhile, setMeanwhile] = useState<Meanwhile | null>(null);
  const form = useForm<LimitValues>({ defaultValues: toValues(limit, workspaceId) });
  const { errors } = form.formState;
  const values = form.watch();
  const save = async (given: LimitValues, over: SpendLimit | null) => {
    setError(null);
    setMeanwhile(null);
    const scope = toScope(given);
    if (!scope) {
      form.setError("scopeId", { message: "Choose whose spend is limited." });
      return;
    }
    const { period } = given;
    try {
      await set.mutateAsync({ body: toBody(given, scope, over) });
      showToast(`Limit of ${nameOf(scope)} set`);
      onClose();
    } catch (failure) {
      const isConflict = failure instanceof ApiError && failure.status === 409;
      const look = () => findMeanwhile(scope, period, over, may("audit_log:read"));
      const found = isConflict && (await look().catch(() => null));
      if (found) setMeanwhile(found);
      else setError(showServerErrors(form, failure as Error));
    }
  };
  const submit = form.handleSubmit((given) => save(given, seen));
  const load = (current: SpendLimit | null) => {
    setSeen(current);
    setMeanwhile(null);
    if (current) form.reset(toValues(current, workspaceId));
  };
  const about = seen ?? meanwhile?.limit ?? limit;
  return (
    <Dialog
      title={limit ? "Change limit" : "Set limit"}
      description={about ? `${nameOf(about.scope)}, ${periodWords[about.period]}` : undefined}
      isOpen
      onClose={onClose}
    >
      <form onSubmit={(event) => void submit(event)} noValidate className="grid gap-5">
        {!about && <ScopeFields form={form} workspaceId={workspaceId} />}
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
          {!about && (
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
        <LoweringWarning limit={seen} amount={values.limit_usd} enforcement={values.enforcement} />
        <FormError error={error} />
        {meanwhile ? (
          <LimitConflict
            meanwhile={meanwhile}
            isNew={seen === null}
            values={values}
            isBusy={set.isPending}
            onLoad={() => load(meanwhile.limit)}
            onReplace={() => {
              setSeen(meanwhile.limit);
              void form.handleSubmit((given) => save(given, meanwhile.limit))();
            }}
          />
        ) : (
          <DialogActions>
            <CancelButton />
            <Button kind="primary" type="submit" isBusy={set.isPending}>
              {limit ? "Change limit" : "Set limit"}
            </Button>
          </DialogActions>
        )}
      </form>
    </Dialog>
  );
}

interface LimitConflictProps {
  meanwhile: Meanwhile;
  /** There was none when the person began. */
  isNew: boolean;
  values: LimitValues;
  isBusy: boolean;
  onLoad: () => void;
  onReplace: () => void;
}

/** What somebody else has made of the limit since, beside what is entered here. */
function LimitConflict({ meanwhile, isNew, values, ...rest }: LimitConflictProps) {
  const { limit, change } = meanwhile;
  return (
    <ConflictNotice
      what="limit"
      happened={limit === null ? "removed" : isNew ? "set" : "changed"}
      by={change}
      fields={[
        [
          "Limit",
          limit ? formatUsd(toUsdText(limit.limit_usd)) : "None",
          formatUsd(toAmount(values.limit_usd)),
        ],
        [
          "When it is reached",
          limit ? enforcementWords[limit.enforcement].label : "",
          enforcementWords[values.enforcement].label,
        ],
      ]}
      {...rest}
    />
  );
}

interface ScopeFieldsProps {
  form: ReturnType<typeof useForm<LimitValues>>;
  workspaceId: string | undefined;
}

function ScopeFields({ form, workspaceId }: ScopeFieldsProps) {
  const { scopeType, scopeId } = form.watch();
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <ScopePicker
        label="Whose spend"
        types={[
          ...(workspaceId === undefined ? [["organization", "The whole company"] as const] : []),
          ["workspace", workspaceId ? "This workspace" : "A workspace"],
          ["api_key", "One key"],
        ]}
        scopeType={scopeType}
        scopeId={scopeId}
        workspaceId={workspaceId}
        error={form.formState.errors.scopeId?.message}
        onType={(type) => {
          form.setValue("scopeType", type);
          form.setValue("scopeId", type === "workspace" ? (workspaceId ?? null) : null);
        }}
        onId={(id) => {
          form.setValue("scopeId", id);
          form.clearErrors("scopeId");
        }}
      />
    </div>
  );
}

function LoweringWarning(props: {
  limit: SpendLimit | null;
  amount: string;
  enforcement: Enforcement;
}) {
  const { limit, amount, enforcement } = props;
  const text = toAmount(amount);
  if (!limit || enforcement === "alert_only" || !/^\d+(\.\d{1,9})?$/.test(text)) return null;
  if (toNanoUsd(text) > toNanoUsd(limit.spent_usd)) return null;
  return (
    <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
      {formatUsd(limit.spent_usd)} is spent already: this blocks requests at once, until the period
      ends.
    </p>
  );
}

function toValues(limit: SpendLimit | null, workspaceId: string | undefined): LimitValues {
  if (!limit) {
    return {
      scopeType: workspaceId === undefined ? "organization" : "workspace",
      scopeId: workspaceId ?? null,
      period: "monthly",
      limit_usd: "",
      enforcement: enforcements[0] ?? "soft",
    };
  }
  const { scope } = limit;
  return {
    scopeType: scope.type,
    scopeId:
      scope.type === "workspace"
        ? scope.workspace_id
        : scope.type === "api_key"
          ? scope.api_key_id
          : null,
    period: limit.period,
    limit_usd: toUsdText(limit.limit_usd),
    enforcement: limit.enforcement,
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
