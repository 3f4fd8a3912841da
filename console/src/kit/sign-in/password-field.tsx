import type { UseFormRegisterReturn } from "react-hook-form";
import { Field } from "../../ui/field.tsx";
import { Input } from "../../ui/input.tsx";

interface PasswordFieldProps {
  registration: UseFormRegisterReturn;
  error: string | undefined;
  label?: string;
}

/** Field for the password that a person has. Password managers can fill it. */
export function PasswordField({ registration, error, label = "Password" }: PasswordFieldProps) {
  return (
    <Field label={label} error={error}>
      {(control) => (
        <Input {...control} type="password" autoComplete="current-password" {...registration} />
      )}
    </Field>
  );
}
