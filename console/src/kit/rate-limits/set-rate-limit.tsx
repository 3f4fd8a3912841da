import { useForm } from "react-hook-form";
import { Field } from "../../ui/field.tsx";
import { formatCount } from "../../ui/format.ts";
import { Input, Select } from "../../ui/input.tsx";
import { showToast } from "../../ui/toast.ts";
import {
  LimitDialog,
  LimitScope,
  type ScopeValues,
  toScopeValues,
} from "../limits/limit-dialog.tsx";
import {
  findRateLimit,
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

interface RateValues extends ScopeValues {
  model_group: string;
  requests: string;
  input_tokens: string;
  output_tokens: string;
}

export function SetRateLimitDialog({ limit, workspaceId, nameOf, onClose }: SetRateLimitProps) {
  const set = useSetRateLimit();
  const form = useForm<RateValues>({ defaultValues: toValues(limit, workspaceId) });
  return (
    <LimitDialog<RateValues, RateLimit>
      what="rate limit"
      limit={limit}
      form={form}
      toValues={(current) => toValues(current, workspaceId)}
      describe={(about) =>
        about ? `${nameOf(about.scope)}, ${about.model_group_name}` : effectWords
      }
      unscoped="Choose whose requests are limited."
      onSave={async (given, scope, over) => {
        const body = toBody(given, scope, over);
        if (meters.every((meter) => body[`${meter}_per_minute`] === null)) {
          form.setError(
            "requests",
            { message: "Enter at least one limit." },
            { shouldFocus: true },
          );
          return false;
        }
        await set.mutateAsync({ body });
        showToast(`Rate limit of ${nameOf(scope)} set`);
        return true;
      }}
      isBusy={set.isPending}
      look={({ model_group }, scope) => findRateLimit(scope, model_group)}
      compare={compareRate}
      serverNames={wireNames}
      onClose={onClose}
    >
      {({ isNew }) => (
        <>
          {isNew && <Target form={form} workspaceId={workspaceId} />}
          <PerMinuteFields form={form} />
        </>
      )}
    </LimitDialog>
  );
}

/** What a limit is for where nothing else is chosen. */
const ALL_MODELS = "all";

type Form = ReturnType<typeof useForm<RateValues>>;

/** Whose requests, and with which models. */
function Target({ form, workspaceId }: { form: Form; workspaceId: string | undefined }) {
  const groups = useModelGroups();
  const values = form.watch();
  const chosen = groups.data?.data.find(({ id }) => id === values.model_group);
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <LimitScope
        label="Whose requests"
        workspaceId={workspaceId}
        scope={values}
        error={form.formState.errors.scopeId?.message}
        onChange={({ scopeType, scopeId }) => {
          form.setValue("scopeType", scopeType);
          form.setValue("scopeId", scopeId);
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

function compareRate(now: RateLimit | null, own: RateValues) {
  return meters.map(
    (meter) =>
      [
        meterWords[meter].label,
        now ? toText(perMinuteOf(now, meter)) || "Not limited" : "None",
        toText(readPerMinute(own[meter]) ?? null) || "Not limited",
      ] as const,
  );
}

function toText(perMinute: number | null): string {
  return perMinute === null ? "" : formatCount(perMinute);
}

const wireNames = Object.fromEntries(meters.map((meter) => [`${meter}_per_minute`, meter]));

function toValues(limit: RateLimit | null, workspaceId: string | undefined): RateValues {
  return {
    ...toScopeValues(limit?.scope ?? null, workspaceId),
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
