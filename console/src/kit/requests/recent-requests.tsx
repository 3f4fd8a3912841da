import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useCallback, useMemo } from "react";
import { Section } from "../../ui/page.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { useRecentRequests } from "./queries.ts";
import { RequestTable } from "./request-table.tsx";

interface RecentProps {
  /** Shows requests of this workspace, or of `apiKeyId`. */
  workspaceId?: string;
  apiKeyId?: string;
  /** Line below the requests. */
  note?: ReactNode;
}

const hiddenOfKey = ["key", "workspace"] as const;
const hiddenOfWorkspace = ["workspace"] as const;

/** The ten newest requests, with a link to all. */
export function RecentRequests({ workspaceId = "", apiKeyId, note }: RecentProps) {
  const navigate = useNavigate();
  const recent = useRecentRequests(
    apiKeyId === undefined ? { workspace_id: [workspaceId] } : { api_key_id: [apiKeyId] },
  );
  const search = useMemo(
    () => (apiKeyId === undefined ? { workspace: [workspaceId] } : { key: [apiKeyId] }),
    [workspaceId, apiKeyId],
  );
  const open = useCallback(
    (id: string) => void navigate({ to: "/requests", search: { ...search, open: id } }),
    [navigate, search],
  );
  return (
    <Section
      title="Recent requests"
      actions={
        <Link to="/requests" search={search} className="link target text-sm">
          All requests
        </Link>
      }
    >
      {recent.error && !recent.data ? (
        <ErrorState error={recent.error} onRetry={() => void recent.refetch()} />
      ) : !recent.data ? (
        <SkeletonRows rows={3} />
      ) : recent.data.data.length === 0 ? (
        <p className="border-y border-line py-6 text-sm text-quiet">No request yet.</p>
      ) : (
        <RequestTable
          requests={recent.data.data}
          onOpen={open}
          hides={apiKeyId === undefined ? hiddenOfWorkspace : hiddenOfKey}
        />
      )}
      {note}
    </Section>
  );
}
