import { Field } from "../../ui/field.tsx";
import { Input, Select } from "../../ui/input.tsx";
import type { LimitFieldsProps, RankedValues, ScopeValues } from "../limits/limit-kind.ts";
import { LimitScope } from "../limits/limit-scope.tsx";
import { useModelGroups } from "./queries.ts";
import { meters, meterWords, readPerMinute } from "./words.ts";

export interface RateValues extends ScopeValues, RankedValues {
  model_group: string;
  requests: string;
  input_tokens: string;
  output_tokens: string;
}

/** Scope and models of a new limit. */
export const ALL_MODELS = "all";

/** Fields of a rate limit. */
export function RateLimitFields({ form, isNew, rank, workspaceId }: LimitFieldsProps<RateValues>) {
  return (
    <>
      {isNew && <Target form={form} workspaceId={workspaceId} />}
      <PerMinuteFields form={form} />
      {rank}
    </>
  );
}

type Fields = LimitFieldsProps<RateValues>;

/** Fields of the scope and the models. */
function Target({ form, workspaceId }: Pick<Fields, "form" | "workspaceId">) {
  const groups = useModelGroups();
  const modelGroup = form.watch("model_group");
  const chosen = groups.data?.data.find(({ id }) => id === modelGroup);
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <LimitScope label="Scope" form={form} workspaceId={workspaceId} hasPeople />
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

/** Fields of the rates. A group without tokens has the field of requests alone. */
function PerMinuteFields({ form }: Pick<Fields, "form">) {
  const groups = useModelGroups();
  const group = groups.data?.data.find(({ id }) => id === form.watch("model_group"));
  const { errors } = form.formState;
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-1.5 text-sm font-medium">
        Maximum per minute <span className="font-normal text-quiet">(empty: not limited)</span>
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
        Limits refill continuously: 600 requests per minute allow 10 requests per second, and a
        burst of 30.
      </p>
    </fieldset>
  );
}
