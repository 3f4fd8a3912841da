import { useState } from "react";
import { useForm } from "react-hook-form";
import { showServerErrors } from "../../kit/server-errors.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { expiryChoices, toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input, Select } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { useCreateAdminKey } from "./queries.ts";

interface CreateProps {
  isOpen: boolean;
  onClose: () => void;
  /** Gets the secret: to be shown, and kept nowhere. */
  onCreated: (secret: string) => void;
}

export function CreateAdminKeyDialog({ isOpen, onClose, onCreated }: CreateProps) {
  return (
    <Dialog
      title="Create admin key"
      description="Name it after the program or pipeline that will hold it."
      isOpen={isOpen}
      onClose={onClose}
    >
      <AdminKeyForm onCreated={onCreated} />
    </Dialog>
  );
}

function AdminKeyForm({ onCreated }: Pick<CreateProps, "onCreated">) {
  const create = useCreateAdminKey();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({ defaultValues: { name: "", expires_at: "365" } });
  const { errors } = form.formState;
  const submit = form.handleSubmit(async ({ name, expires_at }) => {
    setError(null);
    try {
      const made = await create.mutateAsync({
        body: { name, expires_at: toExpiry(expires_at, Date.now()) },
      });
      create.reset();
      onCreated(made.key);
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="grid gap-5">
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input
            {...control}
            {...form.register("name", needed("Give it a name."))}
            placeholder="Terraform"
            maxLength={100}
          />
        )}
      </Field>
      <Field label="Expires" error={errors.expires_at?.message}>
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
      <FormError error={error} />
      <DialogActions>
        <CancelButton />
        <Button kind="primary" type="submit" isBusy={create.isPending}>
          Create admin key
        </Button>
      </DialogActions>
    </form>
  );
}
