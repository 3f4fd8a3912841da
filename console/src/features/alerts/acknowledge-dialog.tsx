import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { TextArea } from "../../ui/input.tsx";
import { type Firing, type Group, useAcknowledge, useAcknowledgeSeveral } from "./queries.ts";

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
      <Field label="Note" isOptional hint={NOTE_HINT}>
        {(control) => (
          <TextArea {...control} maxLength={500} {...changeForm.form.register("note")} />
        )}
      </Field>
    </DialogForm>
  );
}

const NOTE_HINT = "Shown to other members in the history.";

/** Acknowledges all open firings of these groups, with one note. */
export function AcknowledgeGroupsDialog({
  groups,
  onClose,
}: {
  groups: readonly Group[];
  onClose: () => void;
}) {
  const [first] = groups;
  const isOne = groups.length === 1;
  const action = isOne ? "Acknowledge alert" : "Acknowledge alerts";
  const changeForm = useChangeForm(useAcknowledgeSeveral(), {
    defaultValues: { note: "" },
    toInput: ({ note }) => ({
      body: {
        alert_group_ids: groups.map(({ id }) => id),
        // Firings that began after the list was loaded stay open.
        fired_at_lte: groups
          .map(({ last_fired_at }) => last_fired_at)
          .sort()
          .at(-1),
        note,
      },
    }),
    toast: ({ acknowledged, has_more }) =>
      has_more
        ? `${formatPlural(acknowledged, "firing")} acknowledged, the rest is still open`
        : isOne
          ? "Alert acknowledged"
          : `${formatPlural(groups.length, "alert")} acknowledged`,
    onSaved: onClose,
  });
  return (
    <Dialog
      title={action}
      description={isOne ? first?.title : describeGroups(groups)}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action={action}>
        <Field label="Note" isOptional hint={NOTE_HINT}>
          {(control) => (
            <TextArea {...control} maxLength={500} {...changeForm.form.register("note")} />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}

function describeGroups(groups: readonly Group[]): string {
  const firings = groups.reduce((sum, { open_firings }) => sum + open_firings, 0);
  return `${formatPlural(groups.length, "alert")} with ${formatPlural(firings, "open firing")}. Their incidents at PagerDuty are acknowledged too.`;
}
