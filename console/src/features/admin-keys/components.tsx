import { type AdminKeyScope, adminKeyScopes, describeScope } from "@bursar/contract/permissions.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { expiryChoices, toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed, toLines } from "../../ui/form.ts";
import { Checkbox, Input, Select } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { describeNewKey } from "./admin-key-effects.ts";
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
    defaultValues: {
      name: "",
      expires_at: "365",
      scopes: [] as AdminKeyScope[],
      allowed_addresses: "",
    },
    toInput: ({ name, expires_at, scopes, allowed_addresses }) => {
      const addresses = toLines(allowed_addresses);
      return {
        body: {
          name,
          expires_at: toExpiry(expires_at, Date.now()),
          scopes: scopes.length > 0 ? scopes : null,
          allowed_addresses: addresses.length > 0 ? addresses : null,
        },
      };
    },
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
      <fieldset className="grid gap-2.5">
        <legend className="text-sm font-medium">Scopes</legend>
        <p className="text-sm text-quiet">None selected: all rights of an Admin.</p>
        {adminKeyScopes.map((scope) => (
          <Checkbox
            key={scope}
            value={scope}
            label={<code>{scope}</code>}
            hint={toSentence(describeScope(scope))}
            {...form.register("scopes")}
          />
        ))}
      </fieldset>
      <LinesField
        label="Addresses"
        hint="IP addresses or ranges, one per line. Empty: all addresses."
        placeholder="10.20.0.0/16"
        error={errors.allowed_addresses?.message}
        {...form.register("allowed_addresses")}
      />
      <Consequences
        sentences={describeNewKey({
          scopes: form.watch("scopes"),
          addresses: toLines(form.watch("allowed_addresses")),
          isEndless: toExpiry(form.watch("expires_at"), 0) === null,
        })}
      />
    </DialogForm>
  );
}

function toSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
