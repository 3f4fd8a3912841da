import type { ComponentProps } from "react";
import { Field } from "./field.tsx";
import { TextArea } from "./input.tsx";

interface Props extends ComponentProps<typeof TextArea> {
  label: string;
  hint: string;
  error: string | undefined;
  isOptional?: boolean;
}

/** Names or addresses, one per line, or one long text. `toLines` reads the text. */
export function LinesField({ label, hint, error, isOptional = true, ...input }: Props) {
  return (
    <Field label={label} isOptional={isOptional} error={error} hint={hint}>
      {(control) => (
        <TextArea {...control} {...input} spellCheck={false} className="font-mono text-sm" />
      )}
    </Field>
  );
}
