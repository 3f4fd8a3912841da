import type { ComponentProps } from "react";
import { Field } from "./field.tsx";
import { TextArea } from "./input.tsx";

interface Props extends ComponentProps<typeof TextArea> {
  label: string;
  hint: string;
  error: string | undefined;
}

/** Optional names or addresses, one per line. `toLines` reads the text. */
export function LinesField({ label, hint, error, ...input }: Props) {
  return (
    <Field label={label} isOptional error={error} hint={hint}>
      {(control) => (
        <TextArea {...control} {...input} spellCheck={false} className="font-mono text-sm" />
      )}
    </Field>
  );
}
