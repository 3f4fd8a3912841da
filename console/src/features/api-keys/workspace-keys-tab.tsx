import { useWorkspaceId } from "../../kit/workspaces/workspace-id.ts";
import { ApiKeyList } from "./key-list.tsx";

/** Keys of the workspace in the address. */
export function WorkspaceKeysTab() {
  return <ApiKeyList workspaceId={useWorkspaceId()} />;
}
