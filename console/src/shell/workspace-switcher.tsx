import { useParams } from "@tanstack/react-router";
import { ChevronsUpDown, Layers } from "lucide-react";
import { useWorkspaces } from "../kit/workspaces/queries.ts";
import { lazyPart } from "../load-part.ts";
import { useSession } from "../session.ts";
import { ColorDot } from "../ui/color-dot.tsx";
import { LateMenu } from "./late-menu.tsx";

const Late = lazyPart(() => import("./workspace-switcher-items.tsx"), "WorkspaceSwitcherItems");

/** Menu of workspaces, with the open one as its label. */
export function WorkspaceSwitcher() {
  const { organization } = useSession();
  const params: { workspaceId?: string } = useParams({ strict: false });
  const { data } = useWorkspaces();
  const current = data?.items.find(({ id }) => id === params.workspaceId);
  return (
    <LateMenu
      Late={Late}
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
    />
  );
}
