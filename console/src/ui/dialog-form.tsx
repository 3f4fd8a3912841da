import type { BaseSyntheticEvent, ReactNode } from "react";
import { Button } from "./button.tsx";
import { CancelButton, DialogActions } from "./dialog.tsx";
import { FormError } from "./states.tsx";

interface DialogFormProps {
  /** `useChangeForm` of `kit/` returns it. */
  form: { submit: (event?: BaseSyntheticEvent) => void; error: Error | null; isBusy: boolean };
  /** Verb and object: "Create key". */
  action: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  /** Beside the action. A cancel button where it is left out. */
  back?: ReactNode;
  /** In place of the buttons. */
  actions?: ReactNode;
  children: ReactNode;
}

/** Form inside a dialog: fields, the refusal that belongs to none, and buttons. */
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
