import type { ReactNode } from "react";
import type { FieldValues } from "react-hook-form";
import { Button } from "../ui/button.tsx";
import { FormError } from "../ui/states.tsx";
import { UnsavedGuard } from "../ui/unsaved-guard.tsx";
import type { ChangeFormState } from "./use-change-form.ts";

interface SettingFormProps<Values extends FieldValues> {
  /** Form of this setting alone. */
  change: ChangeFormState<Values, null>;
  /** Label of the button: "Save default cap". */
  action: string;
  /** False: the fields are disabled, and a sentence stands in place of the button. */
  mayChange: boolean;
  /** Roles with the right, for the sentence. */
  changedBy?: string;
  /** Fields. */
  children: ReactNode;
}

/** One setting on a page, which is saved by itself. */
export function SettingForm<Values extends FieldValues>(props: SettingFormProps<Values>) {
  const { change, action, mayChange, changedBy = "Owners and Admins", children } = props;
  const { form, submit, isBusy, error } = change;
  const { isDirty } = form.formState;
  return (
    <form noValidate onSubmit={submit}>
      <UnsavedGuard isDirty={isDirty} />
      <fieldset disabled={!mayChange} className="grid max-w-md gap-4">
        {children}
        <FormError error={error} />
        {mayChange ? (
          <Button
            kind="primary"
            type="submit"
            className="w-fit"
            isBusy={isBusy}
            disabled={!isDirty}
          >
            {action}
          </Button>
        ) : (
          <p className="text-sm text-quiet">{changedBy} can change this setting.</p>
        )}
      </fieldset>
    </form>
  );
}
