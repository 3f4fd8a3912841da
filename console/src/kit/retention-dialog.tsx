import { useState } from "react";
import { useForm } from "react-hook-form";
import { Button } from "../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { formatPlural } from "../ui/format.ts";
import { Input } from "../ui/input.tsx";
import { FormError } from "../ui/states.tsx";
import { showToast } from "../ui/toast.ts";
import { showServerErrors } from "./server-errors.ts";

interface RetentionProps {
  /** What is kept, as a sentence begins: "Requests". */
  what: string;
  /** What becomes of the older ones. */
  effect: string;
  leastDays: number;
  /** As it is now; null: for ever. */
  days: number | null;
  onSave: (body: { retention_days: number | null }) => Promise<unknown>;
  isBusy: boolean;
  onClose: () => void;
}

/** Asks for how many days something is kept. */
export function RetentionDialog(props: RetentionProps) {
  const { what, effect, leastDays, days, onSave, isBusy, onClose } = props;
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({ defaultValues: { retention_days: days === null ? "" : String(days) } });
  const submit = form.handleSubmit(async ({ retention_days: text }) => {
    setError(null);
    const chosen = text.trim() === "" ? null : Number(text);
    try {
      await onSave({ retention_days: chosen });
      showToast(`${what} are kept ${keptWords(chosen)}`);
      onClose();
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <Dialog title="Set retention" description={effect} isOpen onClose={onClose}>
      <form noValidate className="grid gap-5" onSubmit={(event) => void submit(event)}>
        <Field
          label="Days"
          hint={`At least ${leastDays}. Empty: for ever.`}
          error={form.formState.errors.retention_days?.message}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              {...form.register("retention_days", {
                pattern: { value: /^\s*\d*\s*$/, message: "Enter whole days." },
              })}
              className="max-w-40"
            />
          )}
        </Field>
        <FormError error={error} />
        <DialogActions>
          <CancelButton />
          <Button kind="primary" type="submit" isBusy={isBusy}>
            Set retention
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** `for 90 days`, `for ever` */
export function keptWords(days: number | null): string {
  return days === null ? "for ever" : `for ${formatPlural(days, "day")}`;
}
