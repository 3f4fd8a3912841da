import { type KeyPermission, keyPermissions } from "@bursar/contract/permissions.ts";
import { type BaseSyntheticEvent, type ReactNode, useState } from "react";
import type { UseFormReturn } from "react-hook-form";
import { type ApiKey, useCreateApiKey } from "../../kit/api-keys/queries.ts";
import { tagLines, toTags } from "../../kit/tags/tag-lines.ts";
import { TagsField } from "../../kit/tags/tags-field.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useWorkspaceNames } from "../../kit/workspaces/queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed, toLines } from "../../ui/form.ts";
import { formatDay } from "../../ui/format.ts";
import { Choices, Input, Select } from "../../ui/input.tsx";
import { ExpiryField, Restrictions } from "./key-fields.tsx";
import { NewKeyUsers, UsersFields } from "./key-users.tsx";
import type { OwnerLink } from "./owner-link-dialog.tsx";
import { usePossibleOwners } from "./queries.ts";
import { describeKey, permissionWords } from "./words.ts";
import { WorkspaceField } from "./workspace-field.tsx";

interface KeyValues {
  name: string;
  workspace_id: string | null;
  owner: "workspace" | "me" | "person";
  /** Owner, if it is another person. */
  person: string | null;
  permission: KeyPermission;
  expires_at: string;
  allowed_models: string;
  allowed_addresses: string;
  tags: string;
  user_directory_id: string;
  requires_user: boolean;
}

interface CreateProps {
  workspaceId: string | undefined;
  onClose: () => void;
  /** Receives the key and its secret, to show it once. Do not store it. */
  onCreated: (key: ApiKey, secret: string) => void;
  /** Receives the link for the owner of the new key. */
  onHandedOver: (link: OwnerLink) => void;
}

/** Form for a new key, with a summary to confirm. */
export function CreateKeyDialog(props: CreateProps) {
  const { workspaceId, onClose, onCreated, onHandedOver } = props;
  const create = useCreateApiKey();
  const [isReviewed, setIsReviewed] = useState(false);
  const canCreateWorkspaceKeys = useCanCreateWorkspaceKeys();
  const { member } = useSession();
  const defaultValues: KeyValues = {
    name: "",
    workspace_id: workspaceId ?? null,
    owner: canCreateWorkspaceKeys ? "workspace" : "me",
    person: null,
    permission: "write",
    expires_at: "365",
    allowed_models: "",
    allowed_addresses: "",
    tags: "",
    user_directory_id: "",
    requires_user: true,
  };
  const changeForm = useChangeForm(create, {
    defaultValues,
    toInput: (values) => ({ body: toBody(values, member.id) }),
    onSaved: ({ key: secret, waiting_secret: waiting, ...key }) => {
      if (secret !== null) return onCreated(key, secret);
      if (waiting !== null) onHandedOver({ key, waiting });
    },
    fieldNames: { permissions: "permission", owner_member_id: "person" },
    onFieldsRefused: () => setIsReviewed(false),
  });
  const { form } = changeForm;
  const review = (event?: BaseSyntheticEvent) => {
    form.clearErrors();
    const showReview = form.handleSubmit(({ workspace_id, owner, person }) => {
      if (workspace_id === null) {
        form.setError("workspace_id", { message: "Choose a workspace." });
      } else if (owner === "person" && person === null) {
        form.setError("person", { message: "Choose a person." });
      } else setIsReviewed(true);
    });
    void showReview(event);
  };
  return (
    <Dialog
      title="Create API key"
      description={
        isReviewed ? "Check the key before it is created." : "A key belongs to one workspace."
      }
      isOpen
      onClose={onClose}
    >
      <DialogForm
        form={isReviewed ? changeForm : { ...changeForm, error: null, submit: review }}
        action={isReviewed ? "Create key" : "Review key"}
        back={isReviewed && <Button onClick={() => setIsReviewed(false)}>Back</Button>}
      >
        {isReviewed ? (
          <Review values={form.getValues()} />
        ) : (
          <KeyFields form={form} isWorkspaceFixed={workspaceId !== undefined} />
        )}
      </DialogForm>
    </Dialog>
  );
}

interface FieldsProps {
  form: UseFormReturn<KeyValues>;
  isWorkspaceFixed: boolean;
}

function KeyFields({ form, isWorkspaceFixed }: FieldsProps) {
  const { errors } = form.formState;
  const values = form.watch();
  return (
    <>
      <Field
        label="Name"
        error={errors.name?.message}
        hint="The program that uses the key, such as “Checkout, production”."
      >
        {(control) => (
          <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
        )}
      </Field>
      {!isWorkspaceFixed && (
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
        errors={errors}
      />
    </>
  );
}

function OwnerField({ form }: { form: UseFormReturn<KeyValues> }) {
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
  workspace: "The key keeps working when members leave.",
  me: "The key stops working when you leave.",
  person: "The person gets the secret by a one-time link.",
};

/** Chooses the owner among the members of the workspace. */
function PersonField({ form }: { form: UseFormReturn<KeyValues> }) {
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

const leavers: Readonly<Record<KeyValues["owner"], string | null>> = {
  workspace: null,
  me: "you leave",
  person: "its owner leaves",
};

function Review({ values }: { values: KeyValues }) {
  const nameOf = useWorkspaceNames();
  const expires = toExpiry(values.expires_at, Date.now());
  const words = describeKey({
    permission: values.permission,
    workspace: nameOf(values.workspace_id ?? "").name,
    owner: leavers[values.owner],
    models: toLines(values.allowed_models),
    addresses: toLines(values.allowed_addresses),
    expires: expires && formatDay(expires),
  });
  const { user_directory_id: directoryId, requires_user: isRequired } = values;
  const line = (mark: ReactNode, text: ReactNode) => (
    <li className="grid grid-cols-[1.25rem_1fr] gap-2 py-2.5">
      <span aria-hidden="true" className="pt-px text-center">
        {mark}
      </span>
      <span>{text}</span>
    </li>
  );
  return (
    <div>
      <p className="pb-2 font-serif text-lg font-[560]">{values.name.trim()}</p>
      <ul className="divide-y divide-line border-y border-line text-[0.9375rem]">
        {line(<span className="text-good">✓</span>, words.can)}
        {line(<span className="text-bad">✕</span>, words.cannot)}
        {line(<span className="text-quiet">◷</span>, words.ends)}
        {hasUsers(values) &&
          line(
            <span className="text-quiet">→</span>,
            <NewKeyUsers id={directoryId} isRequired={isRequired} />,
          )}
      </ul>
    </div>
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

function toBody(values: KeyValues, memberId: string) {
  const models = toLines(values.allowed_models);
  const addresses = toLines(values.allowed_addresses);
  const tags = toTags(values.tags);
  return {
    name: values.name,
    workspace_id: values.workspace_id ?? "",
    owner_member_id: { workspace: null, me: memberId, person: values.person }[values.owner],
    permissions: [values.permission],
    expires_at: toExpiry(values.expires_at, Date.now()),
    ...(models.length > 0 && { allowed_models: models }),
    ...(addresses.length > 0 && { allowed_addresses: addresses }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(hasUsers(values) && {
      user_directory_id: values.user_directory_id,
      requires_user: values.requires_user,
    }),
  };
}

/** Whether a gateway names users with the key. Only keys of the workspace can have them. */
function hasUsers({ owner, user_directory_id }: KeyValues): boolean {
  return owner === "workspace" && user_directory_id !== "";
}

function capitalise(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
