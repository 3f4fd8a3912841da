import type { ReactNode } from "react";
import { Dialog } from "../ui/dialog.tsx";
import { DialogForm } from "../ui/dialog-form.tsx";
import { Field } from "../ui/field.tsx";
import { Input } from "../ui/input.tsx";
import { useDebounced } from "../ui/use-debounced.ts";
import { formatRetention, isShorter } from "./retention-effects.ts";
import { type FormChange, useChangeForm } from "./use-change-form.ts";

interface RetentionProps {
  /** Subject of a sentence: "Requests". */
  what: string;
  /** Effect on older data. */
  effect: string;
  leastDays: number;
  /** Current retention. Null: no limit. */
  days: number | null;
  change: FormChange<"updateRequestLogSettings" | "setAuditRetention">;
  /** Effects of a shorter retention. */
  renderEffects: (days: number) => ReactNode;
  onClose: () => void;
}

const TYPING_PAUSE_MS = 300;

/** Dialog for the number of days that data is stored. */
export function RetentionDialog(props: RetentionProps) {
  const { what, effect, leastDays, days, change, onClose } = props;
  const changeForm = useChangeForm(change, {
    defaultValues: { retention_days: days === null ? "" : String(days) },
    toInput: ({ retention_days: text }) => ({ body: { retention_days: toDays(text) } }),
    toast: (_, { retention_days: text }) => `${what} are stored ${formatRetention(toDays(text))}`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const text = useDebounced(form.watch("retention_days"), TYPING_PAUSE_MS);
  const entered = /^\s*\d+\s*$/.test(text) ? Number(text) : null;
  const isHarmful = entered !== null && entered >= leastDays && isShorter(entered, days);
  return (
    <Dialog title="Set retention" description={effect} isOpen onClose={onClose}>
      <DialogForm form={changeForm} action="Set retention">
        <Field
          label="Days"
          hint={`At least ${leastDays}. Empty: no limit.`}
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
        {isHarmful && props.renderEffects(entered)}
      </DialogForm>
    </Dialog>
  );
}

function toDays(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
