import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Choices } from "../../ui/input.tsx";
import { type ScimToken, useRotateScimToken } from "./queries.ts";

const gracePeriods = [
  ["0", "Now", "The old token stops working immediately."],
  ["86400", "In 1 day", "Time to enter the new token at the provider."],
  ["604800", "In 7 days", "Time for a change by another team."],
] as const;

interface RotateProps {
  token: ScimToken;
  onClose: () => void;
  /** Receives the new secret, to show it once. Do not store it. */
  onRotated: (secret: string) => void;
}

/** Creates another token. The old one works until the grace period ends. */
export function RotateTokenDialog({ token, onClose, onRotated }: RotateProps) {
  const defaultValues: { grace: (typeof gracePeriods)[number][0] } = { grace: "86400" };
  const changeForm = useChangeForm(useRotateScimToken(), {
    defaultValues,
    toInput: ({ grace }) => ({
      params: { directory_id: token.directory_id, scim_token_id: token.id },
      body: { grace_period_seconds: Number(grace) },
    }),
    onSaved: (made) => onRotated(made.token),
  });
  const { form } = changeForm;
  return (
    <Dialog
      title="Rotate SCIM token"
      description={`A new token replaces ${token.partial_token_hint}.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Rotate SCIM token">
        <Choices
          legend="Old token expires"
          name="grace"
          value={form.watch("grace")}
          onChange={(grace) => form.setValue("grace", grace)}
          choices={gracePeriods.map(([value, label, hint]) => ({ value, label, hint }))}
        />
      </DialogForm>
    </Dialog>
  );
}
