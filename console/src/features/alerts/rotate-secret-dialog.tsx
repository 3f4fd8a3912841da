import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { type Channel, useRotateSecret } from "./queries.ts";

interface RotateProps {
  channel: Channel;
  onClose: () => void;
  /** Receives the new secret, to show it once. Do not store it. */
  onSecret: (secret: string) => void;
}

export function RotateSecretDialog({ channel, onClose, onSecret }: RotateProps) {
  const changeForm = useChangeForm(useRotateSecret(), {
    defaultValues: { hours: "24" },
    toInput: ({ hours }) => ({
      params: { alert_channel_id: channel.id },
      body: { overlap_hours: Number(hours) },
    }),
    onSaved: ({ signing_secret }) => {
      onClose();
      if (signing_secret) onSecret(signing_secret);
    },
  });
  return (
    <Dialog
      title="Rotate signing secret"
      description={channel.name}
      isOpen
      isForgetful
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Rotate signing secret">
        <Field label="Old secret expires" hint="Messages are signed with both secrets until then.">
          {(control) => (
            <Select {...control} {...changeForm.form.register("hours")}>
              <option value="0">Now</option>
              <option value="1">In 1 hour</option>
              <option value="24">In 1 day</option>
              <option value="168">In 7 days</option>
            </Select>
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}
