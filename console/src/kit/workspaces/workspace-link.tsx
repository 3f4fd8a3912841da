import { Link } from "@tanstack/react-router";
import { ColorDot } from "../../ui/color-dot.tsx";
import { useWorkspaceNames } from "./queries.ts";

/** Colour and name of a workspace that the member may not open. */
export function WorkspaceName({ id }: { id: string }) {
  const { name, color } = useWorkspaceNames()(id);
  return (
    <span className="inline-flex max-w-full items-center gap-2 align-bottom">
      <ColorDot color={color} />
      <span className="truncate">{name}</span>
    </span>
  );
}

/** Link to a workspace, with its colour and name. */
export function WorkspaceLink({ id }: { id: string }) {
  const { name, color } = useWorkspaceNames()(id);
  return (
    <Link
      to="/workspaces/$workspaceId"
      params={{ workspaceId: id }}
      className="inline-flex max-w-full items-center gap-2 rounded-sm hover:underline focus-visible:-outline-offset-2"
    >
      <ColorDot color={color} />
      <span className="truncate">{name}</span>
    </Link>
  );
}
