import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
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
export function MuteDialog({ alert, onClose }: { alert: Alert | null; onClose: () => void }) {
  const update = useUpdateAlert();
  const [hours, setHours] = useState<string>("24");
  return (
    <Dialog
      title="Mute alert"
      description={alert?.name}
      isOpen={alert !== null}
      isForgetful
      onClose={onClose}
    >
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          if (!alert) return;
          const until = new Date(Date.now() + Number(hours) * HOUR_MS).toISOString();
          update.mutate(
            { params: { alert_id: alert.id }, body: { muted_until: until } },
            {
              onSuccess: () => {
                showToast(`Alert “${alert.name}” muted`);
                onClose();
              },
            },
          );
        }}
      >
        <Field
          label="How long"
          hint="It still goes off and stands in the history, but nobody is told. What goes off meanwhile is not sent later."
        >
          {(control) => (
            <Select {...control} value={hours} onChange={({ target }) => setHours(target.value)}>
              {choices.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <FormError error={update.error} />
        <DialogActions>
          <CancelButton />
          <Button kind="primary" type="submit" isBusy={update.isPending}>
            Mute alert
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
