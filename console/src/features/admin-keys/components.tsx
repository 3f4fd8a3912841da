import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { expiryChoices, toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input, Select } from "../../ui/input.tsx";
import { useCreateAdminKey } from "./queries.ts";

interface CreateProps {
  isOpen: boolean;
  onClose: () => void;
  /** Receives the secret, to show it once. Do not store it. */
  onCreated: (secret: string) => void;
}

export function CreateAdminKeyDialog({ isOpen, onClose, onCreated }: CreateProps) {
  return (
    <Dialog
      title="Create admin key"
      description="The name of the program or pipeline that uses the key."
      isOpen={isOpen}
      onClose={onClose}
    >
      <AdminKeyForm onCreated={onCreated} />
    </Dialog>
  );
}

function AdminKeyForm({ onCreated }: Pick<CreateProps, "onCreated">) {
  const create = useCreateAdminKey();
  const changeForm = useChangeForm(create, {
    defaultValues: { name: "", expires_at: "365" },
    toInput: ({ name, expires_at }) => ({
      body: { name, expires_at: toExpiry(expires_at, Date.now()) },
    }),
    onSaved: ({ key }) => onCreated(key),
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  return (
    <DialogForm form={changeForm} action="Create admin key">
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input
            {...control}
            {...form.register("name", needed("Enter a name."))}
            placeholder="Terraform"
            maxLength={100}
          />
        )}
      </Field>
      <Field label="Expiry" error={errors.expires_at?.message}>
        {(control) => (
          <Select {...control} {...form.register("expires_at")}>
            {expiryChoices.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </DialogForm>
  );
}
