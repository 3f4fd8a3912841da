import { Consequences } from "../../kit/consequences/consequences.tsx";
import { SettingForm } from "../../kit/setting-form.tsx";
import { useTagNames } from "../../kit/usage/tags.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { describeCostCenters } from "./cost-center-effects.ts";
import { useStatementSettings, useStatements, useUpdateSettings } from "./queries.ts";

const NONE = "";

/** Selects the tag of cost centres. */
export function CostCenterForm({ mayChange }: { mayChange: boolean }) {
  const settings = useStatementSettings();
  const chosen = settings.data?.cost_center_tag ?? NONE;
  const names = useTagNames();
  const statements = useStatements({});
  const change = useChangeForm(useUpdateSettings(), {
    values: { cost_center_tag: chosen },
    toInput: ({ cost_center_tag: tag }) => ({
      body: { cost_center_tag: tag === NONE ? null : tag },
    }),
    toast: "Tag of cost centres saved",
  });
  const { form } = change;
  // A tag without a workspace or key is still the setting.
  const options = [...new Set([...names, ...(chosen === NONE ? [] : [chosen])])];
  return (
    <SettingForm
      change={change}
      action="Save cost centres"
      mayChange={mayChange}
      changedBy="Owners, Admins and Billing"
    >
      <Field label="Tag" error={form.formState.errors.cost_center_tag?.message}>
        {(control) => (
          <Select {...control} {...form.register("cost_center_tag")}>
            <option value={NONE}>No tag</option>
            {options.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Consequences
        sentences={describeCostCenters({
          before: chosen || null,
          after: form.watch("cost_center_tag") || null,
          statements: statements.data?.items.length,
        })}
      />
    </SettingForm>
  );
}
