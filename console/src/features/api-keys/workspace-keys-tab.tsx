import { useWorkspaceId } from "../../kit/workspaces/workspace-id.ts";
import { ApiKeyList } from "./key-list.tsx";

export function WorkspaceKeysTab() {
  return <ApiKeyList workspaceId={useWorkspaceId()} />;
}
