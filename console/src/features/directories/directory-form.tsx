import { organizationRoles, roleNames } from "@bursar/contract/permissions.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed, toLines } from "../../ui/form.ts";
import { Checkbox, Choices, Input, Select } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { SignInConsequences } from "./directory-consequences.tsx";
import { type Directory, useUpdateDirectory } from "./queries.ts";

type Rule = Directory["second_factor"];
const rules: readonly { value: Rule; label: string; hint: string }[] = [
  {
    value: "claims",
    label: "At the provider, if its token shows it",
    hint: "Other people use their authenticator app or passkey here.",
  },
  {
    value: "trusted",
    label: "At the provider, always",
    hint: "Each company sign-in counts as two factors.",
  },
  { value: "here", label: "In Bursar", hint: "People use their authenticator app or passkey." },
];
const roles = organizationRoles.filter((role) => role !== "owner");

/** Second step: the client at the provider, and the people whom the directory admits. */
export function DirectoryForm({ directory }: { directory: Directory }) {
  const { form, submit, isBusy, error } = useChangeForm(useUpdateDirectory(), {
    defaultValues: toValues(directory),
    toInput: (values, { dirtyFields }) => {
      const secret = values.client_secret.trim();
      return {
        params: { directory_id: directory.id },
        body: {
          // Sends only changed fields, so that changes of other members stay.
          ...(dirtyFields.name && { name: values.name }),
          ...(dirtyFields.client_id && { client_id: values.client_id.trim() || null }),
          ...(secret !== "" && { client_secret: secret }),
          ...(dirtyFields.allowed_domains && { allowed_domains: toLines(values.allowed_domains) }),
          ...(dirtyFields.default_role && { default_role: values.default_role }),
          ...(dirtyFields.second_factor && { second_factor: values.second_factor }),
          ...(dirtyFields.is_enabled && { is_enabled: values.is_enabled }),
        },
      };
    },
    toast: "Directory saved",
    onSaved: (saved, _, { reset }) => reset(toValues(saved)),
  });
  const { errors, isDirty } = form.formState;
  return (
    <form onSubmit={submit} noValidate className="grid max-w-xl gap-5">
      <UnsavedGuard isDirty={isDirty} />
      <Field
        label="Name"
        hint="Shown on the sign-in page: “Sign in with …”."
        error={errors.name?.message}
      >
        {(control) => (
          <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
        )}
      </Field>
      <Field
        label="Client ID"
        hint="The provider shows it after you register Bursar there."
        error={errors.client_id?.message}
      >
        {(control) => <Input {...control} spellCheck={false} {...form.register("client_id")} />}
      </Field>
      <Field
        label="Client secret"
        isOptional={directory.has_client_secret}
        hint={
          directory.has_client_secret
            ? "Stored encrypted. Leave empty to keep it."
            : "Stored encrypted, sent only to the provider, and never shown again."
        }
        error={errors.client_secret?.message}
      >
        {(control) => (
          <Input
            {...control}
            type="password"
            autoComplete="off"
            {...form.register("client_secret")}
          />
        )}
      </Field>
      <LinesField
        label="Allowed domains"
        hint="Domains of e-mail addresses that may sign in, one per line. Empty: no address may."
        placeholder="example.com"
        error={errors.allowed_domains?.message}
        {...form.register("allowed_domains")}
      />
      <Field
        label="Default role"
        hint="Role of new members. A pending invite takes precedence."
        error={errors.default_role?.message}
      >
        {(control) => (
          <Select {...control} {...form.register("default_role")}>
            {roles.map((role) => (
              <option key={role} value={role}>
                {roleNames[role]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Choices
        legend="Second factor"
        name={`second_factor_${directory.id}`}
        value={form.watch("second_factor")}
        onChange={(value) => form.setValue("second_factor", value, { shouldDirty: true })}
        choices={rules}
      />
      <Checkbox
        label="Sign-in enabled"
        hint="The sign-in page shows a button for this directory."
        {...form.register("is_enabled")}
      />
      {form.watch("is_enabled") && toLines(form.watch("allowed_domains")).length === 0 && (
        <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
          No address can sign in yet. Enter an allowed domain.
        </p>
      )}
      <SignInConsequences
        directory={directory}
        entered={{
          is_enabled: form.watch("is_enabled"),
          allowed_domains: toLines(form.watch("allowed_domains")).map((line) => line.toLowerCase()),
          default_role: form.watch("default_role"),
          second_factor: form.watch("second_factor"),
        }}
      />
      <FormError error={error} />
      <Button kind="primary" type="submit" className="w-fit" isBusy={isBusy} disabled={!isDirty}>
        Save directory
      </Button>
    </form>
  );
}

const toValues = (directory: Directory) => ({
  name: directory.name,
  client_id: directory.client_id ?? "",
  client_secret: "",
  allowed_domains: directory.allowed_domains.join("\n"),
  default_role: directory.default_role,
  second_factor: directory.second_factor,
  is_enabled: directory.is_enabled,
});
