import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { useChangeForm } from "../use-change-form.ts";
import { type Laptop, useRenameLaptop } from "./queries.ts";

/** Form for the name of an own laptop. */
export function RenameLaptopDialog({ laptop, onClose }: { laptop: Laptop; onClose: () => void }) {
  const changeForm = useChangeForm(useRenameLaptop(), {
    defaultValues: { name: laptop.name },
    toInput: (body) => ({ params: { laptop_id: laptop.id }, body }),
    toast: ({ name }) => `Renamed to ${name}`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  return (
    <Dialog title="Rename laptop" isOpen onClose={onClose}>
      <DialogForm form={changeForm} action="Rename laptop">
        <Field label="Name" error={form.formState.errors.name?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register("name", needed("Enter a name."))}
              maxLength={100}
            />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}
