import type { ReactNode } from "react";
import type { Input } from "../../api-client.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Field } from "../../ui/field.tsx";
import { Input as TextInput } from "../../ui/input.tsx";
import { type SecuritySettings, useUpdateSecuritySettings } from "./queries.ts";
import { SettingSection } from "./setting-section.tsx";

/** Settings that are a whole number. Most can be null: the default. */
type NumberField = {
  [Field in keyof SecuritySettings]: SecuritySettings[Field] extends number | null ? Field : never;
}[keyof SecuritySettings];

export interface NumberWords {
  field: NumberField;
  title: string;
  /** Effect of the setting. */
  lead: string;
  /** Label of the field. */
  label: string;
  /** Range, and the meaning of an empty field. */
  hint: string;
  /** Shown in an empty field. */
  placeholder: string;
  /** Label of the button. */
  action: string;
  /** Null: the field is empty. */
  toBody: (value: number | null) => Input<"updateSecuritySettings">["body"];
  /** Toast after a change. Null: the field was emptied. */
  describe: (value: number | null) => string;
}

interface NumberSettingProps {
  words: NumberWords;
  settings: SecuritySettings;
  /** Shown below the form. */
  note?: ReactNode;
  /** Effects of a changed value, before it is saved. */
  effects?: (value: number | null) => ReactNode;
}

/** A setting with one number. An empty field sets null. */
export function NumberSetting({ words, settings, note, effects }: NumberSettingProps) {
  const { field, label, hint, placeholder, toBody, describe } = words;
  const value = settings[field];
  const change = useChangeForm(useUpdateSecuritySettings(), {
    values: { text: value === null ? "" : String(value) },
    toInput: ({ text }) => ({ body: toBody(toNumber(text)) }),
    toast: (_, { text }) => describe(toNumber(text)),
    fieldNames: { [field]: "text" },
  });
  const { form } = change;
  const text = form.watch("text");
  return (
    <SettingSection {...words} change={change} note={note}>
      <Field label={label} hint={hint} error={form.formState.errors.text?.message}>
        {(control) => (
          <TextInput
            {...control}
            inputMode="numeric"
            placeholder={placeholder}
            className="max-w-40"
            {...form.register("text", {
              pattern: { value: WHOLE, message: "Enter a whole number." },
            })}
          />
        )}
      </Field>
      {form.formState.isDirty && WHOLE.test(text) && effects?.(toNumber(text))}
    </SettingSection>
  );
}

const WHOLE = /^\s*\d*\s*$/;

/** Null: empty text. */
function toNumber(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
