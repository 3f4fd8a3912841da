import { enforcements } from "virtual:contract";
import { Field } from "../../ui/field.tsx";
import { Choices, MoneyInput, Select } from "../../ui/input.tsx";
import type { LimitFieldsProps, RankedValues, ScopeValues } from "../limits/limit-kind.ts";
import { LimitScope } from "../limits/limit-scope.tsx";
import { PeriodField } from "./period-field.tsx";
import {
  type Enforcement,
  enforcementWords,
  type HoldRule,
  holdWords,
  type Period,
  type UnknownFeatures,
  unknownFeatureWords,
} from "./words.ts";

export interface SpendValues extends ScopeValues, RankedValues {
  period: Period;
  limit_usd: string;
  enforcement: Enforcement;
  unknown_features: UnknownFeatures;
  hold: HoldRule;
}

/** Fields of a spend limit. */
export function SpendLimitFields({
  form,
  isNew,
  rank,
  workspaceId,
}: LimitFieldsProps<SpendValues>) {
  const { errors } = form.formState;
  const values = form.watch();
  return (
    <>
      {isNew && (
        <div className="grid gap-5 sm:grid-cols-2">
          <LimitScope label="Scope" form={form} workspaceId={workspaceId} hasPeople hasTags />
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
        {isNew && <PeriodField registration={form.register("period")} />}
        {rank}
      </div>
      <Choices
        legend="Enforcement"
        name="enforcement"
        value={values.enforcement}
        onChange={(enforcement) => form.setValue("enforcement", enforcement, { shouldDirty: true })}
        choices={enforcements.map((value) => ({ value, ...enforcementWords[value] }))}
      />
      {values.enforcement === "strict" && (
        <Field label="Holds of streams" hint={holdWords[values.hold].hint}>
          {(control) => (
            <Select {...control} {...form.register("hold")}>
              {Object.entries(holdWords).map(([rule, { label }]) => (
                <option key={rule} value={rule}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      {values.enforcement === "strict" && (
        <Field
          label="Unknown features"
          hint="Parts of a request that this server does not know. Model prices lists neutral features."
        >
          {(control) => (
            <Select {...control} {...form.register("unknown_features")}>
              {Object.entries(unknownFeatureWords).map(([rule, words]) => (
                <option key={rule} value={rule}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
    </>
  );
}

/** Decimal text for the API, from a typed amount. */
export function toAmount(text: string): string {
  return text.replaceAll(",", "").trim();
}
