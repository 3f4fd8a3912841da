import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { type Channel, useRotateSecret } from "./queries.ts";

interface RotateProps {
  channel: Channel | null;
  onClose: () => void;
  /** Gets the new secret: to be shown, and kept nowhere. */
  onSecret: (secret: string) => void;
}

export function RotateSecretDialog({ channel, onClose, onSecret }: RotateProps) {
  const rotate = useRotateSecret();
  const [hours, setHours] = useState("24");
  return (
    <Dialog
      title="Rotate signing secret"
      description={channel?.name}
      isOpen={channel !== null}
      isForgetful
      onClose={onClose}
    >
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          if (!channel) return;
          rotate.mutate(
            { params: { alert_channel_id: channel.id }, body: { overlap_hours: Number(hours) } },
            {
              onSuccess: ({ signing_secret }) => {
                rotate.reset();
                onClose();
                if (signing_secret) onSecret(signing_secret);
              },
            },
          );
        }}
      >
        <Field
          label="The old secret stops"
          hint="Until then messages are signed with both, so that your program can change over."
        >
          {(control) => (
            <Select {...control} value={hours} onChange={({ target }) => setHours(target.value)}>
              <option value="0">Now</option>
              <option value="1">In an hour</option>
              <option value="24">In a day</option>
              <option value="168">In a week</option>
            </Select>
          )}
        </Field>
        <FormError error={rotate.error} />
        <DialogActions>
          <CancelButton />
          <Button kind="primary" type="submit" isBusy={rotate.isPending}>
            Rotate signing secret
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
