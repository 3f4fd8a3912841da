import type { UseFormRegisterReturn } from "react-hook-form";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";

/** Field for the period of a spend limit. */
export function PeriodField({ registration }: { registration: UseFormRegisterReturn }) {
  return (
    <Field label="Period">
      {(control) => (
        <Select {...control} {...registration}>
          <option value="monthly">Each month</option>
          <option value="weekly">Each week</option>
          <option value="daily">Each day</option>
        </Select>
      )}
    </Field>
  );
}
