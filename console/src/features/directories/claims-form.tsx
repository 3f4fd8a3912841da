import { organizationRoles, roleNames } from "@bursar/contract/permissions.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { ClaimConsequences } from "./directory-consequences.tsx";
import { type Mapping, MappingList } from "./mapping-list.tsx";
import { type Directory, useGroups, useUpdateDirectory } from "./queries.ts";

type Role = Directory["default_role"];
const roles: readonly Role[] = organizationRoles.filter((role) => role !== "owner");

/** Roles and groups that the claims of the provider give. */
export function ClaimsForm({ directory }: { directory: Directory }) {
  const groups = useGroups();
  const { form, submit, isBusy, error } = useChangeForm(useUpdateDirectory(), {
    defaultValues: toValues(directory),
    toInput: (values, { dirtyFields }) => ({
      params: { directory_id: directory.id },
      body: {
        ...(dirtyFields.role_claim && { role_claim: toClaims(values).role_claim }),
        ...(dirtyFields.group_claim && { group_claim: toClaims(values).group_claim }),
        ...(dirtyFields.role_mappings && { role_mappings: toClaims(values).role_mappings }),
        ...(dirtyFields.group_mappings && { group_mappings: toClaims(values).group_mappings }),
      },
    }),
    toast: "Claims saved",
    onSaved: (saved, _, { reset }) => reset(toValues(saved)),
  });
  const { errors, isDirty } = form.formState;
  const set = (name: "role_mappings" | "group_mappings") => (mappings: Mapping[]) =>
    form.setValue(name, mappings, { shouldDirty: true });
  return (
    <form onSubmit={submit} noValidate className="grid max-w-xl gap-5">
      <UnsavedGuard isDirty={isDirty} />
      <Field
        label="Role claim"
        isOptional
        hint="Claim with a person’s roles, such as roles. Owners keep their role."
        error={errors.role_claim?.message}
      >
        {(control) => <Input {...control} spellCheck={false} {...form.register("role_claim")} />}
      </Field>
      <MappingList
        legend="Roles"
        noun="role"
        hint="Each sign-in sets the role. People without one of these values get the default role."
        mappings={form.watch("role_mappings")}
        targets={roles.map((role) => ({ value: role, label: roleNames[role] }))}
        error={errors.role_mappings?.message}
        onChange={set("role_mappings")}
      />
      <Field
        label="Group claim"
        isOptional
        hint="Claim with a person’s groups, such as groups."
        error={errors.group_claim?.message}
      >
        {(control) => <Input {...control} spellCheck={false} {...form.register("group_claim")} />}
      </Field>
      <MappingList
        legend="Groups"
        noun="group"
        hint="Each sign-in adds the person to these groups, or ends the membership. Memberships by hand stay."
        mappings={form.watch("group_mappings")}
        targets={(groups.data?.items ?? [])
          .filter(({ source }) => source === "direct")
          .map(({ id, name }) => ({ value: id, label: name }))}
        error={errors.group_mappings?.message}
        onChange={set("group_mappings")}
      />
      {isDirty && <ClaimConsequences directory={directory} entered={toClaims(form.watch())} />}
      <FormError error={error} />
      <Button kind="primary" type="submit" className="w-fit" isBusy={isBusy} disabled={!isDirty}>
        Save claims
      </Button>
    </form>
  );
}

const keepFilled = (mappings: readonly Mapping[]): Mapping[] =>
  mappings
    .map(({ value, target }) => ({ value: value.trim(), target }))
    .filter(({ value }) => value !== "");

/** Entered claims, as the API has them. */
const toClaims = (values: ReturnType<typeof toValues>) => ({
  role_claim: values.role_claim.trim() || null,
  role_mappings: keepFilled(values.role_mappings).map(({ value, target }) => ({
    value,
    role: target as Role,
  })),
  group_claim: values.group_claim.trim() || null,
  group_mappings: keepFilled(values.group_mappings).map(({ value, target }) => ({
    value,
    group_id: target,
  })),
});

const toValues = (directory: Directory) => ({
  role_claim: directory.role_claim ?? "",
  role_mappings: directory.role_mappings.map(
    ({ value, role }): Mapping => ({ value, target: role }),
  ),
  group_claim: directory.group_claim ?? "",
  group_mappings: directory.group_mappings.map(
    ({ value, group_id }): Mapping => ({ value, target: group_id }),
  ),
});
