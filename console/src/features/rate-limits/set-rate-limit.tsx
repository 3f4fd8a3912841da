import { useState } from "react";
import { useForm } from "react-hook-form";
import { ApiError } from "../../api-client.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { ConflictNotice } from "../../ui/conflict-notice.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { showServerErrors } from "../../ui/form.ts";
import { formatCount } from "../../ui/format.ts";
import { Input, Select } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { ScopePicker, toScope } from "../spend-limits/scope-picker.tsx";
import {
  findMeanwhile,
  type Meanwhile,
  type RateLimit,
  type Scope,
  useModelGroups,
  useSetRateLimit,
} from "./queries.ts";
import { effectWords, meters, meterWords, perMinuteOf, readPerMinute } from "./words.ts";

interface SetRateLimitProps {
  /** The limit that is changed, or null for a new one. */
  limit: RateLimit | null;
  workspaceId: string | undefined;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}

interface RateValues {
  scopeType: Scope["type"];
  scopeId: string | null;
  model_group: string;
  requests: string;
  input_tokens: string;
  output_tokens: string;
}

export function SetRateLimitDialog({ limit, workspaceId, nameOf, onClose }: SetRateLimitProps) {
  const set = useSetRateLimit();
  const may = useMay();
  const [error, setError] = useState<Error | null>(null);
  /** What the person has seen, and means to change; null where there was none. */
  const [seen, setSeen] = useState(limit);
  const [meanwhile, setMeanwhile] = useState<Meanwhile | null>(null);
  const form = useForm<RateValues>({ defaultValues: toValues(limit, workspaceId) });
  const values = form.watch();
  const save = async (given: RateValues, over: RateLimit | null) => {
    setError(null);
    setMeanwhile(null);
    const scope = toScope(given);
    if (!scope) {
      form.setError("scopeId", { message: "Choose whose requests are limited." });
      return;
    }
    const body = toBody(given, scope, over);
    if (meters.every((meter) => body[`${meter}_per_minute`] === null)) {
      form.setError("requests", { message: "Enter at least one limit." }, { shouldFocus: true });
      return;
    }
    try {
      await set.mutateAsync({ body });
      showToast(`Rate limit of ${nameOf(scope)} set`);
      onClose();
    } catch (failure) {
      const isConflict = failure instanceof ApiError && failure.status === 409;
      const look = () => findMeanwhile(scope, given.model_group, over, may("audit_log:read"));
      const found = isConflict && (await look().catch(() => null));
      if (found) setMeanwhile(found);
      else setError(showServerErrors(form, failure as Error, wireNames));
    }
  };
  const load = (current: RateLimit | null) => {
    setSeen(current);
    setMeanwhile(null);
    if (current) form.reset(toValues(current, workspaceId));
  };
  const about = seen ?? meanwhile?.limit ?? limit;
  return (
    <Dialog
      title={limit ? "Change rate limit" : "Set rate limit"}
      description={about ? `${nameOf(about.scope)}, ${about.model_group_name}` : effectWords}
      isOpen
      onClose={onClose}
    >
      <form
        onSubmit={(event) => void form.handleSubmit((given) => save(given, seen))(event)}
        noValidate
        className="grid gap-5"
      >
        {!about && <Target form={form} workspaceId={workspaceId} />}
        <PerMinuteFields form={form} />
        <FormError error={error} />
        {meanwhile ? (
          <RateConflict
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
              {limit ? "Change rate limit" : "Set rate limit"}
            </Button>
          </DialogActions>
        )}
      </form>
    </Dialog>
  );
}

/** What a limit is for where nothing else is chosen. */
const ALL_MODELS = "all";

type Form = ReturnType<typeof useForm<RateValues>>;

/** Whose requests, and with which models. */
function Target({ form, workspaceId }: { form: Form; workspaceId: string | undefined }) {
  const groups = useModelGroups();
  const { scopeType, scopeId, model_group } = form.watch();
  const chosen = groups.data?.data.find(({ id }) => id === model_group);
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <ScopePicker
        label="Whose requests"
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
      <Field label="Models" hint={chosen?.models?.join(", ")} className="sm:col-span-2">
        {(control) => (
          <Select {...control} {...form.register("model_group")}>
            <option value={ALL_MODELS}>All models</option>
            {(groups.data?.data ?? [])
              .filter(({ id }) => id !== ALL_MODELS)
              .map(({ id, display_name }) => (
                <option key={id} value={id}>
                  {display_name}
                </option>
              ))}
          </Select>
        )}
      </Field>
    </div>
  );
}

/** Of a group without tokens, requests alone are asked for. */
function PerMinuteFields({ form }: { form: Form }) {
  const groups = useModelGroups();
  const group = groups.data?.data.find(({ id }) => id === form.watch("model_group"));
  const { errors } = form.formState;
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-1.5 text-sm font-medium">
        At most per minute <span className="font-normal text-quiet">(empty: not limited)</span>
      </legend>
      <div className="grid gap-4 sm:grid-cols-3">
        {meters.map((meter) =>
          meter !== "requests" && group?.counts_tokens === false ? null : (
            <Field
              key={meter}
              label={meterWords[meter].label}
              hint={meterWords[meter].hint}
              error={errors[meter]?.message}
            >
              {(control) => (
                <Input
                  {...control}
                  inputMode="decimal"
                  placeholder="Not limited"
                  className="figures"
                  {...form.register(meter, {
                    validate: (text) =>
                      readPerMinute(text) !== undefined ||
                      "Enter a whole number, such as 400,000 or 2M.",
                  })}
                />
              )}
            </Field>
          ),
        )}
      </div>
      <p className="text-sm text-quiet">
        A limit refills all the time: 600 requests per minute are 10 a second, and at most 30 at
        once after a pause.
      </p>
    </fieldset>
  );
}

interface ConflictProps {
  meanwhile: Meanwhile;
  /** There was none when the person began. */
  isNew: boolean;
  values: RateValues;
  isBusy: boolean;
  onLoad: () => void;
  onReplace: () => void;
}

/** What somebody else has made of the limit since, beside what is entered here. */
function RateConflict({ meanwhile, isNew, values, ...rest }: ConflictProps) {
  const { limit, change } = meanwhile;
  return (
    <ConflictNotice
      what="rate limit"
      happened={limit === null ? "removed" : isNew ? "set" : "changed"}
      by={change}
      fields={meters.map((meter) => [
        meterWords[meter].label,
        limit ? toText(perMinuteOf(limit, meter)) || "Not limited" : "None",
        toText(readPerMinute(values[meter]) ?? null) || "Not limited",
      ])}
      {...rest}
    />
  );
}

function toText(perMinute: number | null): string {
  return perMinute === null ? "" : formatCount(perMinute);
}

const wireNames = Object.fromEntries(meters.map((meter) => [`${meter}_per_minute`, meter]));

function toValues(limit: RateLimit | null, workspaceId: string | undefined): RateValues {
  const { scope = null } = limit ?? {};
  return {
    scopeType: scope?.type ?? (workspaceId === undefined ? "organization" : "workspace"),
    scopeId:
      scope?.type === "workspace"
        ? scope.workspace_id
        : scope?.type === "api_key"
          ? scope.api_key_id
          : scope === null
            ? (workspaceId ?? null)
            : null,
    model_group: limit?.model_group ?? ALL_MODELS,
    requests: toText(limit?.requests_per_minute ?? null),
    input_tokens: toText(limit?.input_tokens_per_minute ?? null),
    output_tokens: toText(limit?.output_tokens_per_minute ?? null),
  };
}

function toBody(values: RateValues, scope: Scope, over: RateLimit | null) {
  return {
    scope,
    model_group: values.model_group,
    requests_per_minute: readPerMinute(values.requests) ?? null,
    input_tokens_per_minute: readPerMinute(values.input_tokens) ?? null,
    output_tokens_per_minute: readPerMinute(values.output_tokens) ?? null,
    // What somebody else changed or made since the dialog opened is not overwritten unseen.
    if_version: over === null ? null : over.version,
  };
}
