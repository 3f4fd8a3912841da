import { Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import type { UseFormRegisterReturn } from "react-hook-form";
import { IconButton } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { Input } from "../../ui/input.tsx";

interface NewPasswordProps {
  registration: UseFormRegisterReturn;
  error: string | undefined;
  label?: string;
}

/** Password field that can show its text, instead of a second field to confirm it. */
export function NewPasswordField({ registration, error, label = "Password" }: NewPasswordProps) {
  const [isShown, setIsShown] = useState(false);
  return (
    <Field
      label={label}
      hint="At least 12 characters. Several words are easy to remember."
      error={error}
    >
      {(control) => (
        <span className="relative block">
          <Input
            {...control}
            type={isShown ? "text" : "password"}
            autoComplete="new-password"
            className="pr-11"
            {...registration}
          />
          <span className="absolute inset-y-0 right-1 grid place-items-center">
            <IconButton
              label={isShown ? "Hide password" : "Show password"}
              onClick={() => setIsShown(!isShown)}
            >
              {isShown ? <EyeOff size={16} /> : <Eye size={16} />}
            </IconButton>
          </span>
        </span>
      )}
    </Field>
  );
}
