import { useState } from "react";
import { useForm } from "react-hook-form";
import { showServerErrors } from "../../kit/server-errors.ts";
import { useCreateWorkspace, type Workspace } from "../../kit/workspaces/queries.ts";
import { useList } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, ConfirmDialog, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { formatPlural } from "../../ui/format.ts";
import { Input, TextArea } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { useArchiveWorkspace, useUpdateWorkspace } from "./queries.ts";

/** Colours that can be told apart on light and on dark paper. */
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
}

/** True for the fields that were changed here: what somebody else changed meanwhile stays. */
type IsChanged = Partial<Record<keyof FormValues, boolean>>;

interface WorkspaceFormProps {
  initial: FormValues;
  action: string;
  isBusy: boolean;
  onSave: (values: FormValues, isChanged: IsChanged) => Promise<unknown>;
  /** Made in a dialog, instead of changed on a page. */
  isNew?: boolean;
}

function WorkspaceForm({ initial, action, isBusy, onSave, isNew = false }: WorkspaceFormProps) {
  const [error, setError] = useState<Error | null>(null);
  const form = useForm<FormValues>({ defaultValues: initial });
  const { errors, isDirty, dirtyFields } = form.formState;
  const chosen = form.watch("display_color");
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    try {
      await onSave(values, dirtyFields);
      form.reset(values);
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className="grid gap-5">
      {!isNew && <UnsavedGuard isDirty={isDirty} />}
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input
            {...control}
            {...form.register("name", needed("Give it a name."))}
            maxLength={100}
          />
        )}
      </Field>
      <Field label="What it is for" isOptional error={errors.description?.message}>
        {(control) => <TextArea {...control} {...form.register("description")} maxLength={1000} />}
      </Field>
      <fieldset>
        <legend className="mb-1.5 text-sm font-medium">Colour</legend>
        <div className="flex flex-wrap gap-2">
          {[...new Set([...colors, initial.display_color])].map((color) => (
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
      <DialogActions>
        {isNew && <CancelButton />}
        <Button kind="primary" type="submit" isBusy={isBusy} disabled={!isNew && !isDirty}>
          {action}
        </Button>
      </DialogActions>
    </form>
  );
}

interface CreateProps {
  isOpen: boolean;
  onClose: () => void;
  onCreated: (workspace: Workspace) => void;
}

export function CreateWorkspaceDialog({ isOpen, onClose, onCreated }: CreateProps) {
  const create = useCreateWorkspace();
  return (
    <Dialog
      title="Create workspace"
      description="Keys, usage, limits and bills are kept apart per workspace: one per team or product is usual."
      isOpen={isOpen}
      onClose={onClose}
    >
      <WorkspaceForm
        initial={{ name: "", description: "", display_color: pickColor() }}
        action="Create workspace"
        isBusy={create.isPending}
        isNew
        onSave={async ({ name, description, display_color }) => {
          const workspace = await create.mutateAsync({
            body: { name, display_color, description: description.trim() || null },
          });
          showToast(`Workspace “${workspace.name}” created`);
          onCreated(workspace);
        }}
      />
    </Dialog>
  );
}

export function EditWorkspace({ workspace }: { workspace: Workspace }) {
  const update = useUpdateWorkspace();
  return (
    <WorkspaceForm
      initial={{
        name: workspace.name,
        description: workspace.description ?? "",
        display_color: workspace.display_color,
      }}
      action="Save changes"
      isBusy={update.isPending}
      onSave={async ({ name, description, display_color }, isChanged) => {
        await update.mutateAsync({
          params: { workspace_id: workspace.id },
          body: {
            ...(isChanged.name && { name }),
            ...(isChanged.display_color && { display_color }),
            ...(isChanged.description && { description: description.trim() || null }),
          },
        });
        showToast("Workspace saved");
      }}
    />
  );
}

interface ArchiveProps {
  workspace: Workspace;
  isOpen: boolean;
  onClose: () => void;
}

/** Says which keys stop before it archives. */
export function ArchiveWorkspaceDialog({ workspace, isOpen, onClose }: ArchiveProps) {
  const archive = useArchiveWorkspace();
  const keys = useList(
    "listApiKeys",
    { query: { workspace_id: workspace.id, status: "active" } },
    { isEnabled: isOpen },
  );
  const active = keys.data?.items ?? [];
  return (
    <ConfirmDialog
      title="Archive workspace"
      action="Archive workspace"
      isOpen={isOpen}
      onClose={onClose}
      typed={workspace.name}
      isBusy={archive.isPending}
      error={archive.error}
      onConfirm={() =>
        archive.mutate(
          { params: { workspace_id: workspace.id } },
          {
            onSuccess: () => {
              showToast(`Workspace “${workspace.name}” archived`);
              onClose();
            },
          },
        )
      }
    >
      <p>
        This cannot be undone.{" "}
        {active.length === 0
          ? "The workspace has no active key."
          : `${formatPlural(active.length, "active key")} will stop within a second:`}{" "}
      </p>
      {active.length > 0 && (
        <ul className="list-disc pl-5 text-ink">
          {active.slice(0, 6).map((key) => (
            <li key={key.id}>
              {key.name} <code className="text-faint">{key.partial_key_hint}</code>
            </li>
          ))}
          {active.length > 6 && <li>and {active.length - 6} more</li>}
        </ul>
      )}
      <p>
        Its usage and cost stay in the reports. Requests that are running finish and are billed.
      </p>
    </ConfirmDialog>
  );
}

function pickColor(): string {
  return colors[Math.floor(Math.random() * colors.length)] ?? "#0E7C66";
}
