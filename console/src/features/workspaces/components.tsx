import { useState } from "react";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useRecentRequests } from "../../kit/consequences/recent-requests.ts";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { useActiveLaptops } from "../../kit/laptops/queries.ts";
import { formatTags, tagLines, toTagChange, toTags } from "../../kit/tags/tag-lines.ts";
import { TagsField } from "../../kit/tags/tags-field.tsx";
import { type ChangeFormState, useChangeForm } from "../../kit/use-change-form.ts";
import { useCreateWorkspace, type Workspace } from "../../kit/workspaces/queries.ts";
import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input, TextArea } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { describeArchiving } from "./archive-effects.ts";
import { useArchiveWorkspace, useUpdateWorkspace } from "./queries.ts";

/** Colours that are distinct in the light and the dark theme. */
const colors = [
  "#0E7C66",
  "#3F7CAC",
  "#6A5ACD",
  "#A24B78",
  "#C2573F",
  "#C98A2B",
  "#7B8B3A",
  "#5E6B73",
];

interface FormValues {
  name: string;
  description: string;
  display_color: string;
  tags: string;
}

interface WorkspaceFormProps {
  changeForm: ChangeFormState<FormValues, null>;
  action: string;
  initialColor: string;
  /** True: in a dialog, for a new workspace. Otherwise on a page. */
  isNew?: boolean;
}

function WorkspaceForm({ changeForm, action, initialColor, isNew = false }: WorkspaceFormProps) {
  const { form, submit, isBusy, error } = changeForm;
  const { errors, isDirty } = form.formState;
  const chosen = form.watch("display_color");
  const save = (
    <Button kind="primary" type="submit" isBusy={isBusy} disabled={!isNew && !isDirty}>
      {action}
    </Button>
  );
  return (
    <form onSubmit={submit} noValidate className="grid gap-5">
      {!isNew && <UnsavedGuard isDirty={isDirty} />}
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
        )}
      </Field>
      <Field label="Description" isOptional error={errors.description?.message}>
        {(control) => <TextArea {...control} {...form.register("description")} maxLength={1000} />}
      </Field>
      <TagsField input={form.register("tags", tagLines)} error={errors.tags?.message} />
      <fieldset>
        <legend className="mb-1.5 text-sm font-medium">Colour</legend>
        <div className="flex flex-wrap gap-2">
          {[...new Set([...colors, initialColor])].map((color) => (
            <label
              key={color}
              className="target grid size-9 cursor-pointer place-items-center rounded-md border border-transparent has-checked:border-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
            >
              <input
                type="radio"
                value={color}
                aria-label={`Colour ${color}`}
                checked={color.toUpperCase() === chosen.toUpperCase()}
                onChange={() => form.setValue("display_color", color, { shouldDirty: true })}
                className="sr-only"
              />
              <svg aria-hidden="true" viewBox="0 0 20 20" className="size-5">
                <rect width="20" height="20" rx="5" fill={color} />
              </svg>
            </label>
          ))}
        </div>
      </fieldset>
      <FormError error={error} />
      {isNew ? (
        <DialogActions>
          <CancelButton />
          {save}
        </DialogActions>
      ) : (
        <div>{save}</div>
      )}
    </form>
  );
}

interface CreateProps {
  isOpen: boolean;
  onClose: () => void;
  onCreated: (workspace: Workspace) => void;
}

export function CreateWorkspaceDialog({ isOpen, onClose, onCreated }: CreateProps) {
  return (
    <Dialog
      title="Create workspace"
      description="A workspace has its own keys, usage, limits and cost. Create one for each team or product."
      isOpen={isOpen}
      onClose={onClose}
    >
      <NewWorkspace onCreated={onCreated} />
    </Dialog>
  );
}

function NewWorkspace({ onCreated }: Pick<CreateProps, "onCreated">) {
  const [initialColor] = useState(pickColor);
  const changeForm = useChangeForm(useCreateWorkspace(), {
    defaultValues: { name: "", description: "", display_color: initialColor, tags: "" },
    toInput: ({ name, description, display_color, tags }) => ({
      body: { name, display_color, description: description.trim() || null, tags: toTags(tags) },
    }),
    toast: ({ name }) => `Workspace “${name}” created`,
    onSaved: onCreated,
  });
  return (
    <WorkspaceForm
      changeForm={changeForm}
      action="Create workspace"
      initialColor={initialColor}
      isNew
    />
  );
}

export function EditWorkspace({ workspace }: { workspace: Workspace }) {
  const changeForm = useChangeForm(useUpdateWorkspace(), {
    defaultValues: {
      name: workspace.name,
      description: workspace.description ?? "",
      display_color: workspace.display_color,
      tags: formatTags(workspace.tags),
    },
    // Send only changed fields, so that changes by other members stay.
    toInput: ({ name, description, display_color, tags }, { dirtyFields }) => ({
      params: { workspace_id: workspace.id },
      body: {
        ...(dirtyFields.name && { name }),
        ...(dirtyFields.display_color && { display_color }),
        ...(dirtyFields.description && { description: description.trim() || null }),
        ...(dirtyFields.tags && { tags: toTagChange(workspace.tags, tags) }),
      },
    }),
    toast: "Workspace saved",
    onSaved: (_, values, { reset }) => reset(values),
  });
  return (
    <WorkspaceForm
      changeForm={changeForm}
      action="Save changes"
      initialColor={workspace.display_color}
    />
  );
}

interface ArchiveProps {
  workspace: Workspace;
  isOpen: boolean;
  onClose: () => void;
}

/** Confirms the archiving, with the keys that stop. */
export function ArchiveWorkspaceDialog({ workspace, isOpen, onClose }: ArchiveProps) {
  const archive = useArchiveWorkspace();
  return (
    <ConfirmDelayedChange
      change={archive}
      input={{ params: { workspace_id: workspace.id } }}
      action="Archive workspace"
      urgentAction="Archive now"
      subject={workspace.id}
      name={`Workspace “${workspace.name}”`}
      done="archived"
      isOpen={isOpen}
      onClose={onClose}
      typed={workspace.name}
    >
      <p>
        This cannot be undone. Usage and cost stay in the reports. Running requests finish and are
        charged.
      </p>
      {isOpen && <ArchiveConsequences workspaceId={workspace.id} />}
    </ConfirmDelayedChange>
  );
}

function ArchiveConsequences({ workspaceId }: { workspaceId: string }) {
  const may = useMay();
  const keys = useList("listApiKeys", {
    query: { workspace_id: workspaceId, status: "active" },
  });
  const recent = useRecentRequests({ workspace_id: [workspaceId] }, { workspaceId });
  const laptops = useActiveLaptops({ workspace_id: workspaceId });
  const members = useList(
    "listWorkspaceMembers",
    { params: { workspace_id: workspaceId } },
    { isEnabled: may("workspace_members:read", workspaceId) },
  );
  return (
    <Consequences
      sentences={describeArchiving({
        keys: keys.data?.items.map(({ name }) => name),
        requests: recent.requests,
        laptops: laptops.data?.items.length,
        members: members.data?.items.filter((each) => each.inherited_from === null).length,
      })}
      counts={[keys, recent, laptops, members]}
    />
  );
}

function pickColor(): string {
  return colors[Math.floor(Math.random() * colors.length)] ?? "#0E7C66";
}
