import { useNavigate } from "@tanstack/react-router";
import { Layers } from "lucide-react";
import { useWorkspaces } from "../kit/workspaces/queries.ts";

import { useSession } from "../session.ts";
import { ColorDot } from "../ui/color-dot.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../ui/menu.tsx";
import type { TriggerButton } from "./late-menu.tsx";

const MAX_SHOWN = 12;

export function WorkspaceSwitcherItems({ trigger }: { trigger: TriggerButton }) {
  const navigate = useNavigate();
  const { organization } = useSession();
  const { data } = useWorkspaces();
  const workspaces = data?.items ?? [];
  return (
    <Menu align="start" isOpenAtFirst trigger={trigger}>
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
