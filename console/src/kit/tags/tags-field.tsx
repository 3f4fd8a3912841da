import type { UseFormRegisterReturn } from "react-hook-form";
import { LinesField } from "../../ui/lines-field.tsx";

interface TagsFieldProps {
  input: UseFormRegisterReturn;
  error: string | undefined;
}

/** Tags of a workspace or a key, one per line. */
export function TagsField({ input, error }: TagsFieldProps) {
  return (
    <LinesField
      label="Tags"
      hint="One name=value per line. Reports split cost by them."
      placeholder="cost_center=4711"
      error={error}
      {...input}
    />
  );
}
