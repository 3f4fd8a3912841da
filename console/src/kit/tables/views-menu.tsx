import { useLocation, useRouter } from "@tanstack/react-router";
import { Bookmark } from "lucide-react";
import { Suspense, useState } from "react";
import { lazyPart } from "../../load-part.ts";
import { useApi } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { Menu, MenuCheckbox, MenuItem, MenuLabel, MenuSeparator } from "../../ui/menu.tsx";
import { isSameView, type SavedView } from "./saved-views.ts";

/** Menu of the views that the member has saved for this page: filters, order and columns of its address. */
export function ViewsMenu() {
  const [isSaving, setIsSaving] = useState(false);
  const [deleted, setDeleted] = useState<SavedView | null>(null);
  return (
    <>
      <Menu
        trigger={
          <Button kind="quiet">
            <Bookmark size={15} /> Views
          </Button>
        }
      >
        <Views onSave={() => setIsSaving(true)} onDelete={setDeleted} />
      </Menu>
      <Suspense>
        {isSaving && <SaveViewDialog onClose={() => setIsSaving(false)} />}
        {deleted && <DeleteViewDialog view={deleted} onClose={() => setDeleted(null)} />}
      </Suspense>
    </>
  );
}

interface ViewProps {
  view: SavedView;
  onClose: () => void;
}

const dialogs = () => import("./view-dialogs.tsx");
const SaveViewDialog = lazyPart<"SaveViewDialog", { onClose: () => void }>(
  dialogs,
  "SaveViewDialog",
);
const DeleteViewDialog = lazyPart<"DeleteViewDialog", ViewProps>(dialogs, "DeleteViewDialog");

interface ViewsProps {
  onSave: () => void;
  onDelete: (view: SavedView) => void;
}

/** Loads the views when the menu opens. */
function Views({ onSave, onDelete }: ViewsProps) {
  const { pathname, searchStr } = useLocation();
  const { history } = useRouter();
  const preferences = useApi("getPreferences", {});
  const views = preferences.data?.saved_views.filter(({ page }) => page === pathname) ?? [];
  const current = views.find(({ search }) => isSameView(search, searchStr));
  return (
    <>
      <MenuLabel>
        {preferences.error
          ? "Your views could not be loaded."
          : views.length > 0
            ? "Your views of this page"
            : "A view stores filters, order and columns."}
      </MenuLabel>
      {views.map((view) => (
        <MenuCheckbox
          key={view.name}
          isChecked={view === current}
          isClosing
          onChange={() => history.push(`${view.page}${view.search}`)}
        >
          <span className="max-w-64 truncate">{view.name}</span>
        </MenuCheckbox>
      ))}
      <MenuSeparator />
      {current ? (
        <MenuItem isDanger onSelect={() => onDelete(current)}>
          Delete view “{current.name}”…
        </MenuItem>
      ) : (
        <MenuItem isDisabled={!preferences.data} onSelect={onSave}>
          Save this view…
        </MenuItem>
      )}
    </>
  );
}
