import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { TextArea } from "../../ui/input.tsx";
import { type Firing, useAcknowledge } from "./queries.ts";

/** Acknowledges a firing, with a note for other members. */
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
  const changeForm = useChangeForm(useAcknowledge(), {
    defaultValues: { note: firing.note ?? "" },
    toInput: (body) => ({ params: { alert_firing_id: firing.id }, body }),
    toast: "Alert acknowledged",
    onSaved: onClose,
  });
  return (
    <DialogForm form={changeForm} action="Acknowledge alert">
      <Field label="Note" isOptional hint="Shown to other members in the history.">
        {(control) => (
          <TextArea {...control} maxLength={500} {...changeForm.form.register("note")} />
        )}
      </Field>
    </DialogForm>
  );
}
