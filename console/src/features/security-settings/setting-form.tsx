import type { ReactNode } from "react";
import type { FieldValues } from "react-hook-form";
import type { ChangeFormState } from "../../kit/use-change-form.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Section } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";

interface SettingFormProps<Values extends FieldValues> {
  title: string;
  /** Effect of the setting. */
  lead: string;
  /** Form of this setting alone. */
  change: ChangeFormState<Values, null>;
  /** Label of the button: "Save keys per member". */
  action: string;
  /** Fields. */
  children: ReactNode;
  /** Shown below the form. */
  note?: ReactNode;
}

/** A section with one setting, which is saved by itself. */
export function SettingForm<Values extends FieldValues>(props: SettingFormProps<Values>) {
  const { title, lead, change, action, children, note } = props;
  const { form, submit, isBusy, error } = change;
  const { isDirty } = form.formState;
  const mayChange = useMay()("security:write");
  return (
    <Section title={title} lead={lead}>
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
            <p className="text-sm text-quiet">Owners and Admins can change this setting.</p>
          )}
        </fieldset>
      </form>
      {note}
    </Section>
  );
}
