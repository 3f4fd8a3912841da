import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { TextArea } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { type Firing, useAcknowledge } from "./queries.ts";

/** Says that somebody has seen to it, with a word for the others. */
export function AcknowledgeDialog({
  firing,
  onClose,
}: {
  firing: Firing | null;
  onClose: () => void;
}) {
  return (
    <Dialog
      title="Acknowledge alert"
      description={firing?.title}
      isOpen={firing !== null}
      onClose={onClose}
    >
      {firing && <AcknowledgeForm key={firing.id} firing={firing} onClose={onClose} />}
    </Dialog>
  );
}

function AcknowledgeForm({ firing, onClose }: { firing: Firing; onClose: () => void }) {
  const acknowledge = useAcknowledge();
  const [note, setNote] = useState(firing.note ?? "");
  return (
    <form
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        acknowledge.mutate(
          { params: { alert_firing_id: firing.id }, body: { note } },
          {
            onSuccess: () => {
              showToast("Alert acknowledged");
              onClose();
            },
          },
        );
      }}
    >
      <Field label="Note" isOptional hint="What was done about it, for whoever looks next.">
        {(control) => (
          <TextArea
            {...control}
            maxLength={500}
            value={note}
            onChange={({ target }) => setNote(target.value)}
          />
        )}
      </Field>
      <FormError error={acknowledge.error} />
      <DialogActions>
        <CancelButton />
        <Button kind="primary" type="submit" isBusy={acknowledge.isPending}>
          Acknowledge alert
        </Button>
      </DialogActions>
    </form>
  );
}
