import { Navigate } from "@tanstack/react-router";
import { useWorkspaceId } from "../../kit/workspaces/workspace-id.ts";
import { useMay } from "../../session.ts";
import { ApiKeyList } from "./key-list.tsx";

/** First tab of a workspace. Members who see no keys there get the usage instead. */
export function WorkspaceKeysTab() {
  const workspaceId = useWorkspaceId();
  const may = useMay();
  if (may("api_keys:read", workspaceId)) return <ApiKeyList workspaceId={workspaceId} />;
  return <Navigate to="/workspaces/$workspaceId/usage" params={{ workspaceId }} replace />;
}
