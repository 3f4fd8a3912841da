import { useLocation } from "@tanstack/react-router";
import { useApi, useChange } from "../../queries.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { useChangeForm } from "../use-change-form.ts";
import { addView, removeView, type SavedView, toViewSearch } from "./saved-views.ts";

const MAX_NAME_LENGTH = 60;

/** Saves the current address under a name. */
export function SaveViewDialog({ onClose }: { onClose: () => void }) {
  const { pathname, searchStr } = useLocation();
  const { change, seen } = useViewChange();
  const changeForm = useChangeForm(change, {
    defaultValues: { name: "" },
    toInput: ({ name }) => {
      const view = { page: pathname, name: name.trim(), search: toViewSearch(searchStr) };
      return { body: { saved_views: addView(seen.saved_views, view), if_version: seen.version } };
    },
    toast: (_, { name }) => `View “${name.trim()}” saved`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  return (
    <Dialog
      title="Save view"
      description="Stores filters, order and columns of this page for you. A view of the same name is replaced."
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Save view">
        <Field label="Name" error={form.formState.errors.name?.message}>
          {(control) => (
            <Input
              {...control}
              maxLength={MAX_NAME_LENGTH}
              {...form.register("name", needed("Enter a name."))}
            />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}

interface DeleteViewProps {
  view: SavedView;
  onClose: () => void;
}

/** Deletes one view. Others keep theirs, and the page keeps its filters. */
export function DeleteViewDialog({ view, onClose }: DeleteViewProps) {
  const { change, seen } = useViewChange();
  const changeForm = useChangeForm(change, {
    defaultValues: {},
    toInput: () => ({
      body: { saved_views: removeView(seen.saved_views, view), if_version: seen.version },
    }),
    toast: `View “${view.name}” deleted`,
    onSaved: onClose,
  });
  return (
    <Dialog title="Delete view" isOpen onClose={onClose}>
      <DialogForm form={changeForm} action="Delete view" isDanger>
        <p>The view “{view.name}” is deleted. The filters of this page stay.</p>
      </DialogForm>
    </Dialog>
  );
}

const none = { saved_views: [] as SavedView[], version: 0 };

/** Change of the views, and the state that the member has seen. The menu has loaded it. */
function useViewChange() {
  const change = useChange("updatePreferences", ["getPreferences"]);
  const seen = useApi("getPreferences", {}).data ?? none;
  return { change, seen };
}
