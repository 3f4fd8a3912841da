import { useNavigate, useParams } from "@tanstack/react-router";
import { ChevronsUpDown, Layers } from "lucide-react";
import { useList } from "../queries.ts";
import { useSession } from "../session.ts";
import { ColorDot } from "../ui/color-dot.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../ui/menu.tsx";

const MAX_SHOWN = 12;

/** Where one is: the whole company, or one workspace. */
export function WorkspaceSwitcher() {
  const navigate = useNavigate();
  const { organization } = useSession();
  const params: { workspaceId?: string } = useParams({ strict: false });
  const { data } = useList("listWorkspaces", {});
  const workspaces = data?.items ?? [];
  const current = workspaces.find(({ id }) => id === params.workspaceId);
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className="flex min-h-10 w-full items-center gap-2.5 rounded-md border border-line bg-raised px-2.5 text-left text-sm transition-colors hover:border-edge/60 data-popup-open:border-edge/60"
        >
          {current ? (
            <ColorDot color={current.display_color} />
          ) : (
            <Layers size={15} className="text-quiet" />
          )}
          <span className="min-w-0 flex-1 truncate font-medium">
            {current?.name ?? organization.name}
          </span>
          <ChevronsUpDown size={14} className="text-faint" />
        </button>
      }
    >
      <MenuItem onSelect={() => void navigate({ to: "/" })}>
        <Layers size={15} /> {organization.name}
      </MenuItem>
      <MenuSeparator />
      <MenuLabel>Workspaces</MenuLabel>
      {workspaces.slice(0, MAX_SHOWN).map(({ id, name, display_color }) => (
        <MenuItem
          key={id}
          onSelect={() =>
            void navigate({ to: "/workspaces/$workspaceId", params: { workspaceId: id } })
          }
        >
          <ColorDot color={display_color} />
          <span className="max-w-56 truncate">{name}</span>
        </MenuItem>
      ))}
      {workspaces.length > MAX_SHOWN && (
        <MenuItem onSelect={() => void navigate({ to: "/workspaces" })}>
          All {workspaces.length} workspaces…
        </MenuItem>
      )}
    </Menu>
  );
}
