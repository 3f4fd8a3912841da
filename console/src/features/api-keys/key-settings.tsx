import { type KeyPermission, keyPermissions } from "@bursar/contract/permissions.ts";
import type { UseFormReturn } from "react-hook-form";
import { tagLines, toTags } from "../../kit/tags/tag-lines.ts";
import { TagsField } from "../../kit/tags/tags-field.tsx";
import { useSession } from "../../session.ts";
import { Combobox } from "../../ui/combobox.tsx";
import { toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { toLines } from "../../ui/form.ts";
import { Choices, Select } from "../../ui/input.tsx";
import { ExpiryField, Restrictions } from "./key-fields.tsx";
import { UsersFields } from "./key-users.tsx";
import { usePossibleOwners } from "./queries.ts";
import { permissionWords } from "./words.ts";
import { WorkspaceField } from "./workspace-field.tsx";

// Settings of new keys, in the form for one key and in the form for many.

export interface KeyValues {
  /** Name of the key, or a line for each name. */
  name: string;
  workspace_id: string | null;
  owner: "workspace" | "me" | "person";
  /** Owner, if it is another person. */
  person: string | null;
  permission: KeyPermission;
  expires_at: string;
  allowed_models: string;
  allowed_addresses: string;
  allowed_origins: string;
  tags: string;
  user_directory_id: string;
  requires_user: boolean;
}

export type KeyForm = UseFormReturn<KeyValues>;

/** Form fields by their names in the API, where they differ. */
export const keyFieldNames = {
  names: "name",
  permissions: "permission",
  owner_member_id: "person",
} as const;

export function useDefaultValues(workspaceId: string | undefined): KeyValues {
  const canCreateWorkspaceKeys = useCanCreateWorkspaceKeys();
  return {
    name: "",
    workspace_id: workspaceId ?? null,
    owner: canCreateWorkspaceKeys ? "workspace" : "me",
    person: null,
    permission: "write",
    expires_at: "365",
    allowed_models: "",
    allowed_addresses: "",
    allowed_origins: "",
    tags: "",
    user_directory_id: "",
    requires_user: true,
  };
}

/** Sets errors under choices that are missing. Returns true if there is none. */
export function checkChoices({ workspace_id, owner, person }: KeyValues, form: KeyForm): boolean {
  if (workspace_id === null) form.setError("workspace_id", { message: "Choose a workspace." });
  const isOwnerMissing = owner === "person" && person === null;
  if (isOwnerMissing) form.setError("person", { message: "Choose a person." });
  return workspace_id !== null && !isOwnerMissing;
}

/** Settings as the API has them. `memberId`: the signed-in member. */
export function toSettings(values: KeyValues, memberId: string) {
  const models = toLines(values.allowed_models);
  const addresses = toLines(values.allowed_addresses);
  const origins = toLines(values.allowed_origins);
  const tags = toTags(values.tags);
  return {
    workspace_id: values.workspace_id ?? "",
    owner_member_id: { workspace: null, me: memberId, person: values.person }[values.owner],
    permissions: [values.permission],
    expires_at: toExpiry(values.expires_at, Date.now()),
    ...(models.length > 0 && { allowed_models: models }),
    ...(addresses.length > 0 && { allowed_addresses: addresses }),
    ...(origins.length > 0 && { allowed_origins: origins }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(hasUsers(values) && {
      user_directory_id: values.user_directory_id,
      requires_user: values.requires_user,
    }),
  };
}

/** Whether a gateway names users with the keys. Only keys of the workspace can have them. */
export function hasUsers({ owner, user_directory_id }: KeyValues): boolean {
  return owner === "workspace" && user_directory_id !== "";
}

interface KeySettingsProps {
  form: KeyForm;
  /** Workspace of the page. Undefined: the form has a field for it. */
  workspaceId: string | undefined;
}

/** All fields but the names. */
export function KeySettings({ form, workspaceId }: KeySettingsProps) {
  const { errors } = form.formState;
  const values = form.watch();
  return (
    <>
      {workspaceId === undefined && (
        <WorkspaceField
          value={values.workspace_id}
          onChange={(value) => {
            form.setValue("workspace_id", value);
            form.clearErrors("workspace_id");
          }}
          error={errors.workspace_id?.message}
        />
      )}
      <Choices
        legend="Permissions"
        name="permission"
        value={values.permission}
        onChange={(permission) => form.setValue("permission", permission)}
        choices={keyPermissions.map((value) => ({
          value,
          label: permissionWords[value].label,
          hint: capitalise(permissionWords[value].can),
        }))}
      />
      <div className="grid gap-5 sm:grid-cols-2">
        <OwnerField form={form} />
        <ExpiryField
          value={values.expires_at}
          onChange={(choice) => form.setValue("expires_at", choice)}
          error={errors.expires_at?.message}
        />
      </div>
      {values.owner === "person" && <PersonField form={form} />}
      <TagsField input={form.register("tags", tagLines)} error={errors.tags?.message} />
      {values.owner === "workspace" && (
        <UsersFields
          workspaceId={values.workspace_id ?? ""}
          directory={form.register("user_directory_id")}
          isRequired={form.register("requires_user")}
          chosen={values.user_directory_id}
          error={errors.user_directory_id?.message}
        />
      )}
      <Restrictions
        models={form.register("allowed_models")}
        addresses={form.register("allowed_addresses")}
        origins={form.register("allowed_origins")}
        errors={errors}
      />
    </>
  );
}

function OwnerField({ form }: { form: KeyForm }) {
  const canCreateWorkspaceKeys = useCanCreateWorkspaceKeys();
  return (
    <Field label="Owner" hint={ownerHints[form.watch("owner")]}>
      {(control) => (
        <Select {...control} {...form.register("owner")} disabled={!canCreateWorkspaceKeys}>
          {canCreateWorkspaceKeys && <option value="workspace">The workspace</option>}
          <option value="me">Me</option>
          {canCreateWorkspaceKeys && <option value="person">Another person</option>}
        </Select>
      )}
    </Field>
  );
}

const ownerHints: Readonly<Record<KeyValues["owner"], string>> = {
  workspace: "Keeps working when members leave.",
  me: "Stops working when you leave.",
  person: "Only the person can show the secret, once.",
};

/** Chooses the owner among the members of the workspace. */
function PersonField({ form }: { form: KeyForm }) {
  const { workspace_id, person } = form.watch();
  const owners = usePossibleOwners(workspace_id);
  return (
    <Field
      label="Person"
      hint="A member of the workspace."
      error={form.formState.errors.person?.message ?? owners.error?.message}
    >
      {(control) => (
        <Combobox
          control={control}
          placeholder="Search people"
          value={person}
          onChange={(id) => {
            form.setValue("person", id, { shouldDirty: true });
            form.clearErrors("person");
          }}
          options={(owners.data?.items ?? []).map(({ member_id, name, email }) => ({
            value: member_id,
            label: name === "" ? email : name,
          }))}
        />
      )}
    </Field>
  );
}

/** Whether the member can create keys of a workspace. Only its administrators can. */
function useCanCreateWorkspaceKeys(): boolean {
  const session = useSession();
  return (
    ["owner", "admin"].includes(session.member.role) ||
    session.workspaces.some(({ roles }) => roles.includes("workspace_admin"))
  );
}

function capitalise(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
