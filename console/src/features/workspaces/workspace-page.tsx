import { Outlet } from "@tanstack/react-router";
import { Suspense, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { LimitList, NewLimit } from "../../kit/limits/limit-list.tsx";
import { rateLimits } from "../../kit/rate-limits/rate-limit-kind.ts";
import { RecentRequests } from "../../kit/requests/recent-requests.tsx";
import { spendLimits } from "../../kit/spend-limits/spend-limit-kind.ts";
import { UsageReport } from "../../kit/usage/report.tsx";
import { useWorkspaceId } from "../../kit/workspaces/workspace-id.ts";
import { lazyPart } from "../../load-part.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { BackLink, Page, Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Tab, TabLinks } from "../../ui/tabs.tsx";
import { ArchiveWorkspaceDialog, EditWorkspace } from "./components.tsx";
import { WorkspaceMembers } from "./members-tab.tsx";
import { PersonalKeyRules } from "./personal-key-rules.tsx";
import { useWorkspace } from "./queries.ts";
import { RotationPolicy } from "./rotation-policy.tsx";

const WorkspaceUpstreams = lazyPart(
  () => import("./workspace-upstreams.tsx"),
  "WorkspaceUpstreams",
);

const BatchList = lazyPart(() => import("./batch-list.tsx"), "BatchList");
const ObjectList = lazyPart(() => import("./object-list.tsx"), "ObjectList");

/** Tabs of one workspace, each with its own address. */
export function WorkspacePage() {
  const workspaceId = useWorkspaceId();
  const workspace = useWorkspace(workspaceId);
  const may = useMay();
  if (workspace.error) {
    return <LoadError error={workspace.error} onRetry={() => void workspace.refetch()} />;
  }
  if (!workspace.data) return <SkeletonRows />;
  const { data } = workspace;
  const params = { workspaceId };
  const tabs: (Tab | false)[] = [
    may("api_keys:read", workspaceId) && {
      label: "API keys",
      to: "/workspaces/$workspaceId",
      params,
    },
    may("spend_limits:read", workspaceId) && {
      label: "Limits",
      to: "/workspaces/$workspaceId/limits",
      params,
    },
    may("usage:read", workspaceId) && {
      label: "Usage",
      to: "/workspaces/$workspaceId/usage",
      params,
    },
    may("usage:read", workspaceId) && {
      label: "Batches",
      to: "/workspaces/$workspaceId/batches",
      params,
    },
    may("usage:read", workspaceId) && {
      label: "Files",
      to: "/workspaces/$workspaceId/files",
      params,
    },
    may("workspace_members:read", workspaceId) && {
      label: "Members",
      to: "/workspaces/$workspaceId/members",
      params,
    },
    { label: "Settings", to: "/workspaces/$workspaceId/settings", params },
  ];
  return (
    <Page
      title={data.name}
      above={
        <p className="flex items-center gap-2 text-sm text-quiet">
          <BackLink to="/workspaces">Workspaces</BackLink>
          <ColorDot color={data.display_color} />
          {data.is_default && <Badge>default</Badge>}
          {data.archived_at && <Badge tone="warn">archived</Badge>}
        </p>
      }
      lead={data.description}
    >
      <TabLinks label="Workspace" tabs={tabs.filter((tab) => tab !== false)} />
      <Outlet />
    </Page>
  );
}

export function WorkspaceLimitsTab() {
  const workspaceId = useWorkspaceId();
  const may = useMay();
  // The second section appears together with the first list, so that nothing moves.
  const { isPending } = spendLimits.list.useLimits(workspaceId);
  return (
    <div className="grid gap-12">
      <Section
        title="Spend limits"
        lead="Limits on the spend of the workspace and its keys."
        actions={<NewLimit kind={spendLimits} workspaceId={workspaceId} isFirst />}
      >
        <LimitList kind={spendLimits} workspaceId={workspaceId} isHeaded />
      </Section>
      {!isPending && may("rate_limits:read", workspaceId) && (
        <Section
          title="Rate limits"
          lead="Limits on requests and tokens per minute of the workspace and its keys."
          actions={<NewLimit kind={rateLimits} workspaceId={workspaceId} />}
        >
          <LimitList kind={rateLimits} workspaceId={workspaceId} isHeaded />
        </Section>
      )}
    </div>
  );
}

export function WorkspaceUsageTab() {
  const workspaceId = useWorkspaceId();
  return (
    <div className="grid gap-10">
      <UsageReport workspaceId={workspaceId} />
      <RecentRequests workspaceId={workspaceId} />
    </div>
  );
}

export function WorkspaceBatchesTab() {
  return (
    <Suspense fallback={<SkeletonRows />}>
      <BatchList />
    </Suspense>
  );
}

export function WorkspaceFilesTab() {
  return (
    <Suspense fallback={<SkeletonRows />}>
      <ObjectList />
    </Suspense>
  );
}

export function WorkspaceMembersTab() {
  return <WorkspaceMembers workspaceId={useWorkspaceId()} />;
}

export function WorkspaceSettingsTab() {
  const workspaceId = useWorkspaceId();
  const { data } = useWorkspace(workspaceId);
  const [isArchiving, setIsArchiving] = useState(false);
  const may = useMay();
  if (!data) return null;
  const isOpen = may("workspaces:write", workspaceId) && data.archived_at === null;
  return (
    <div className="grid max-w-2xl gap-10">
      <Section title="Identity">
        <p className="flex items-center gap-1 text-sm">
          <span className="text-quiet">Workspace id</span> <code>{data.id}</code>
          <CopyIconButton text={data.id} what="id" />
        </p>
        {isOpen && <EditWorkspace key={data.id} workspace={data} />}
      </Section>
      {isOpen && <PersonalKeyRules key={`rules-${data.id}`} workspace={data} />}
      <RotationPolicy workspaceId={data.id} mayChange={isOpen} />
      {may("upstreams:read") && (
        <Suspense fallback={null}>
          <WorkspaceUpstreams workspaceId={data.id} isOpen={data.archived_at === null} />
        </Suspense>
      )}
      <Section
        title="Isolation"
        lead="Workspaces with the same upstream share its credential and its prompt cache. Keys, limits, usage and cost are separate."
      >
        {null}
      </Section>
      {isOpen && !data.is_default && (
        <Section
          title="Archive workspace"
          lead="All keys of the workspace are revoked permanently. Usage and cost stay in the reports."
        >
          <div>
            <Button onClick={() => setIsArchiving(true)}>Archive workspace…</Button>
          </div>
        </Section>
      )}
      <ArchiveWorkspaceDialog
        workspace={data}
        isOpen={isArchiving}
        onClose={() => setIsArchiving(false)}
      />
    </div>
  );
}
