import { useWorkspaceId } from "../workspaces/workspace-id.ts";
import { ApiKeyList } from "./components.tsx";

/** Keys of the workspace in the address. */
export function WorkspaceKeysTab() {
  return <ApiKeyList workspaceId={useWorkspaceId()} />;
}
