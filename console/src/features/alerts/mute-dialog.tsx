import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { type Alert, useUpdateAlert } from "./queries.ts";

const HOUR_MS = 3_600_000;
const choices = [
  ["1", "For an hour"],
  ["8", "For eight hours"],
  ["24", "For a day"],
  ["168", "For a week"],
  ["720", "For thirty days"],
] as const;

/** For a while the alert goes off without telling anybody. */
export function MuteDialog({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const changeForm = useChangeForm(useUpdateAlert(), {
    defaultValues: { hours: "24" },
    toInput: ({ hours }) => ({
      params: { alert_id: alert.id },
      body: { muted_until: new Date(Date.now() + Number(hours) * HOUR_MS).toISOString() },
    }),
    toast: `Alert “${alert.name}” muted`,
    onSaved: onClose,
  });
  return (
    <Dialog title="Mute alert" description={alert.name} isOpen isForgetful onClose={onClose}>
      <DialogForm form={changeForm} action="Mute alert">
        <Field
          label="How long"
          hint="It still goes off and stands in the history, but nobody is told. What goes off meanwhile is not sent later."
        >
          {(control) => (
            <Select {...control} {...changeForm.form.register("hours")}>
              {choices.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}
