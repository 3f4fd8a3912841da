import type { WorkspaceRole } from "@bursar/contract/permissions.ts";
import { NarrowerModels } from "../../kit/consequences/narrower-models.tsx";
import { useMembers } from "../../kit/members/queries.ts";
import { workspaceRoleChoices } from "../../kit/members/role-words.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { Combobox } from "../../ui/combobox.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed, toLines } from "../../ui/form.ts";
import { Choices, Input } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { AdditionConsequences, RoleConsequences } from "./group-consequences.tsx";
import {
  type Group,
  type GroupRole,
  useAddGroupMember,
  useCreateGroup,
  useSetGroupWorkspace,
  useUpdateGroup,
} from "./queries.ts";

interface GroupDialogProps {
  /** Changed group. Null: a new one. */
  group: Group | null;
  onClose: () => void;
  onSaved?: (group: Group) => void;
}

export function GroupDialog({ group, onClose, onSaved }: GroupDialogProps) {
  const create = useCreateGroup();
  const update = useUpdateGroup();
  const action = group ? "Change group" : "Create group";
  const changeForm = useChangeForm(group ? update : create, {
    defaultValues: {
      name: group?.name ?? "",
      allowed_models: group?.allowed_models?.join("\n") ?? "",
    },
    toInput: ({ name, allowed_models }, { dirtyFields }) => {
      const models = toLines(allowed_models);
      const body = {
        name,
        ...(dirtyFields.allowed_models && { allowed_models: models.length > 0 ? models : null }),
      };
      return group ? { params: { group_id: group.id }, body } : { body };
    },
    toast: group ? "Group changed" : "Group created",
    onSaved: (saved) => {
      onClose();
      onSaved?.(saved);
    },
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  const isOfDirectory = group?.is_managed === true;
  return (
    <Dialog
      title={action}
      description="A group gives its members roles in workspaces, a list of models, limits and rates."
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action={action}>
        <Field
          label="Name"
          error={errors.name?.message}
          {...(isOfDirectory && { hint: "The name comes from your company’s directory." })}
        >
          {(control) => (
            <Input
              {...control}
              {...form.register("name", needed("Enter a name."))}
              placeholder="Engineering"
              maxLength={100}
              readOnly={isOfDirectory}
            />
          )}
        </Field>
        <LinesField
          label="Models"
          hint="Models of personal keys, one per line. claude-haiku-* allows a family. Empty: no list."
          placeholder="claude-haiku-*"
          error={errors.allowed_models?.message}
          {...form.register("allowed_models")}
        />
        {group && form.formState.dirtyFields.allowed_models && (
          <NarrowerModels
            filter={{ group_id: [group.id] }}
            models={toLines(form.watch("allowed_models"))}
          />
        )}
      </DialogForm>
    </Dialog>
  );
}

interface PartProps {
  group: Group;
  onClose: () => void;
}

export function AddMemberDialog({ group, onClose }: PartProps) {
  const people = useMembers();
  const changeForm = useChangeForm(useAddGroupMember(), {
    defaultValues: { member_id: null as string | null },
    toInput: ({ member_id }) => ({
      params: { group_id: group.id },
      body: { member_id: member_id ?? "" },
    }),
    toast: "Member added",
    onSaved: onClose,
  });
  const { form } = changeForm;
  const member = form.watch("member_id");
  return (
    <Dialog
      title="Add member"
      description={`${group.name}. Roles, models and limits apply from the next request.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Add member" isDisabled={member === null}>
        <Field label="Member">
          {(control) => (
            <Combobox
              control={control}
              placeholder="Name or address"
              value={member}
              onChange={(id) => form.setValue("member_id", id)}
              options={(people.data?.items ?? [])
                .filter(({ status }) => status === "active")
                .map(({ id, name, email }) => ({ value: id, label: name, note: email }))}
            />
          )}
        </Field>
        <AdditionConsequences group={group} />
      </DialogForm>
    </Dialog>
  );
}

/** `role`: the changed role. Null: a role in another workspace. */
export function SetRoleDialog({ group, role, onClose }: PartProps & { role: GroupRole | null }) {
  const workspaces = useWorkspaces();
  const defaultValues: { workspace: string | null; role: WorkspaceRole } = {
    workspace: role?.workspace_id ?? null,
    role: role?.workspace_role ?? "workspace_developer",
  };
  const action = role ? "Change role" : "Add role";
  const changeForm = useChangeForm(useSetGroupWorkspace(), {
    defaultValues,
    toInput: ({ workspace, role: workspace_role }) => ({
      params: { group_id: group.id, workspace_id: workspace ?? "" },
      body: { workspace_role },
    }),
    toast: role ? "Role changed" : "Role added",
    onSaved: onClose,
  });
  const { form } = changeForm;
  const values = form.watch();
  return (
    <Dialog
      title={action}
      description={`All members of ${group.name} have the role.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action={action} isDisabled={values.workspace === null}>
        {!role && (
          <Field label="Workspace">
            {(control) => (
              <Combobox
                control={control}
                placeholder="Name"
                value={values.workspace}
                onChange={(id) => form.setValue("workspace", id)}
                options={(workspaces.data?.items ?? [])
                  .filter(({ id }) => !group.workspaces.some((given) => given.workspace_id === id))
                  .map(({ id, name }) => ({ value: id, label: name }))}
              />
            )}
          </Field>
        )}
        <Choices
          legend="Role in the workspace"
          name="workspace-role"
          value={values.role}
          onChange={(value) => form.setValue("role", value)}
          choices={workspaceRoleChoices}
        />
        {role && (
          <RoleConsequences group={group} before={role.workspace_role} after={values.role} />
        )}
      </DialogForm>
    </Dialog>
  );
}
