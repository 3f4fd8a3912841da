import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { type Alert, useUpdateAlert } from "./queries.ts";

const HOUR_MS = 3_600_000;
const choices = [
  ["1", "1 hour"],
  ["8", "8 hours"],
  ["24", "1 day"],
  ["168", "7 days"],
  ["720", "30 days"],
] as const;

/** Mutes an alert for some time: it fires without notifications. */
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
          label="Duration"
          hint="The alert still fires and is listed in the history. No messages are sent for alerts that fire in this time."
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
