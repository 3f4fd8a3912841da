import type { OwnedKind, OwnedThing } from "@bursar/contract/admin/owned-things.ts";
import { type Member, useMembers } from "../../kit/members/queries.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Combobox } from "../../ui/combobox.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Checkbox } from "../../ui/input.tsx";
import { useHandOver } from "./queries.ts";

interface HandOverDialogProps {
  member: Member;
  things: readonly OwnedThing[];
  onClose: () => void;
}

const choices: readonly { kind: OwnedKind; noun: string; hint: string }[] = [
  {
    kind: "access_review",
    noun: "access review",
    hint: "The new reviewer of an open review gets an e-mail.",
  },
  { kind: "alert_channel", noun: "alert channel", hint: "Mail goes to the new owner’s address." },
  {
    kind: "api_key",
    noun: "API key",
    hint: "The previous contact may know the secret. Rotate the key.",
  },
  {
    kind: "admin_key",
    noun: "admin key",
    hint: "The previous contact may know the secret. Replace the key.",
  },
];

/** Chooses the new owner and the kinds. All of them move in one step, or none. */
export function HandOverDialog({ member, things, onClose }: HandOverDialogProps) {
  const people = useMembers();
  const countOf = (kind: OwnedKind) => things.filter((thing) => thing.kind === kind).length;
  const offered = choices.filter(({ kind }) => countOf(kind) > 0);
  const nameOf = (id: string | null) => people.data?.items.find((each) => each.id === id)?.name;
  const changeForm = useChangeForm(useHandOver(), {
    defaultValues: {
      new_owner_id: null as string | null,
      kinds: offered.map(({ kind }) => kind),
    },
    toInput: ({ new_owner_id, kinds }) => ({
      params: { member_id: member.id },
      body: { new_owner_id: new_owner_id ?? "", kinds },
    }),
    toast: ({ things: moved }, { new_owner_id }) =>
      `${formatPlural(moved.length, "thing")} handed over to ${nameOf(new_owner_id) ?? "the new owner"}`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const newOwner = form.watch("new_owner_id");
  return (
    <Dialog
      title="Hand over"
      description={`Another member becomes responsible instead of ${member.name}.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm
        form={changeForm}
        action="Hand over"
        isDisabled={newOwner === null || form.watch("kinds").length === 0}
      >
        <input type="hidden" value={newOwner ?? ""} readOnly />
        <Field label="New owner" error={form.formState.errors.new_owner_id?.message}>
          {(control) => (
            <Combobox
              control={control}
              placeholder="Name or address"
              value={newOwner}
              onChange={(id) => form.setValue("new_owner_id", id)}
              options={(people.data?.items ?? [])
                .filter(({ id, status }) => status === "active" && id !== member.id)
                .map(({ id, name, email }) => ({ value: id, label: name, note: email }))}
            />
          )}
        </Field>
        <fieldset className="grid gap-2.5">
          <legend className="mb-1.5 text-sm font-medium">Things</legend>
          {offered.map(({ kind, noun, hint }) => (
            <Checkbox
              key={kind}
              value={kind}
              label={formatPlural(countOf(kind), noun)}
              hint={hint}
              {...form.register("kinds")}
            />
          ))}
        </fieldset>
      </DialogForm>
    </Dialog>
  );
}
