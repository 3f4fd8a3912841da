import type { BaseSyntheticEvent, ReactNode } from "react";
import { Button } from "./button.tsx";
import { CancelButton, DialogActions } from "./dialog.tsx";
import { FormError } from "./states.tsx";

interface DialogFormProps {
  /** Result of `useChangeForm` in `kit/`. */
  form: { submit: (event?: BaseSyntheticEvent) => void; error: Error | null; isBusy: boolean };
  /** Verb and object: "Create key". */
  action: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  /** Button beside the action. Default: a cancel button. */
  back?: ReactNode;
  /** Replaces the buttons. */
  actions?: ReactNode;
  children: ReactNode;
}

/** Form inside a dialog: fields, errors without a field, and buttons. */
export function DialogForm(props: DialogFormProps) {
  const { form, action, isDanger = false, isDisabled = false, back, actions, children } = props;
  return (
    <form noValidate className="grid gap-5" onSubmit={form.submit}>
      {children}
      <FormError error={form.error} />
      {actions ?? (
        <DialogActions>
          {back || <CancelButton />}
          <Button
            kind={isDanger ? "danger" : "primary"}
            type="submit"
            isBusy={form.isBusy}
            disabled={isDisabled}
          >
            {action}
          </Button>
        </DialogActions>
      )}
    </form>
  );
}
