import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { listTags } from "../../kit/tags/tag-lines.ts";
import { MarkedMoney } from "../../kit/usage/simulated.tsx";
import { useSimulatedMonth } from "../../kit/usage/simulated-month.ts";
import { useWorkspaces, type Workspace } from "../../kit/workspaces/queries.ts";
import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { formatShare, shareOf, toNanoUsd, toUsdText } from "../../ui/format.ts";
import { Checkbox } from "../../ui/input.tsx";
import { Page } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SpendBar } from "../../ui/spend-bar.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { CreateWorkspaceDialog } from "./components.tsx";

type Spend = { spent_usd: string; monthly_limit_usd: number | null };

export function WorkspacesPage() {
  const [withArchived, setWithArchived] = useState(false);
  const [isCreating, setIsCreating] = useState(false);
  const may = useMay();
  const navigate = useNavigate();
  const workspaces = useWorkspaces({ withArchived });
  const limits = useList("listWorkspaceLimits", {}, { isEnabled: may("spend_limits:read") });
  const simulated = useSimulatedMonth("workspace");
  const columns = useMemo(
    () =>
      makeColumns(
        new Map(limits.data?.items.map((limit) => [limit.workspace_id, limit])),
        simulated,
      ),
    [limits.data, simulated],
  );
  const view = useTableView();
  if (workspaces.error) {
    return <LoadError error={workspaces.error} onRetry={() => void workspaces.refetch()} />;
  }
  const create = may("workspaces:create") && (
    <Button kind="primary" data-create onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Create workspace…
    </Button>
  );
  return (
    <Page
      title="Workspaces"
      lead="Each workspace has its own keys, members, limits and cost."
      actions={create}
    >
      {workspaces.isPending || limits.isLoading ? (
        <SkeletonRows />
      ) : workspaces.data.items.length === 0 && !create ? (
        <EmptyState title="You have no workspace yet">
          A workspace appears here when you have a role in it. A Workspace Admin can give you one.
        </EmptyState>
      ) : workspaces.data.items.length === 0 ? (
        <EmptyState
          title="No workspace yet"
          action={create}
          code={<CodeBlock text={'./bursar workspaces create "My team"'} what="command" />}
        >
          Keys belong to a workspace. Create one for each team or product.
        </EmptyState>
      ) : (
        <div className="grid gap-4">
          <div className="flex justify-end">
            <TableTools columns={columns} view={view} />
          </div>
          <Table
            label="Workspaces"
            columns={columns}
            rows={workspaces.data.items}
            rowKey={(workspace) => workspace.id}
            view={view}
            isDimmed={(workspace) => workspace.archived_at !== null}
          />
          <Checkbox
            label="Show archived workspaces"
            checked={withArchived}
            onChange={(event) => setWithArchived(event.target.checked)}
          />
        </div>
      )}
      <CreateWorkspaceDialog
        isOpen={isCreating}
        onClose={() => setIsCreating(false)}
        onCreated={({ id }) =>
          void navigate({ to: "/workspaces/$workspaceId", params: { workspaceId: id } })
        }
      />
    </Page>
  );
}

function makeColumns(
  spendOf: ReadonlyMap<string, Spend>,
  simulated: ReadonlyMap<string, bigint>,
): Column<Workspace>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (workspace) => workspace.name,
      cell: (workspace) => (
        <Link
          to="/workspaces/$workspaceId"
          params={{ workspaceId: workspace.id }}
          className="inline-flex items-center gap-2.5 font-medium sm:whitespace-nowrap after:absolute after:inset-0"
        >
          <ColorDot color={workspace.display_color} />
          {workspace.name}
          {workspace.is_default && <Badge>default</Badge>}
          {workspace.archived_at && <Badge>archived</Badge>}
        </Link>
      ),
    },
    {
      id: "description",
      header: "Description",
      from: "xl",
      isSentence: true,
      cell: (workspace) => (
        <span className="line-clamp-2 max-w-md text-quiet">{workspace.description}</span>
      ),
    },
    {
      id: "spent",
      header: "Month, UTC",
      isNumeric: true,
      sortBy: (workspace) => toNanoUsd(spendOf.get(workspace.id)?.spent_usd ?? "0"),
      cell: (workspace) => {
        const spend = spendOf.get(workspace.id);
        if (!spend) return <span className="text-faint">–</span>;
        return <MarkedMoney usd={spend.spent_usd} partNano={simulated.get(workspace.id) ?? 0n} />;
      },
    },
    {
      id: "limit",
      header: "Monthly limit",
      isWhole: true,
      from: "sm",
      isBelow: true,
      cell: (workspace) => <LimitCell spend={spendOf.get(workspace.id)} />,
    },
    {
      id: "created",
      header: "Created",
      from: "lg",
      sortBy: (workspace) => workspace.created_at,
      cell: (workspace) => <RelativeTime at={workspace.created_at} />,
    },
    {
      id: "tags",
      header: "Tags",
      isOptional: true,
      cell: ({ tags }) => <span className="text-quiet">{listTags(tags).join(", ") || "None"}</span>,
    },
    {
      id: "id",
      header: "Id",
      isOptional: true,
      cell: ({ id }) => <code className="text-quiet">{id}</code>,
    },
  ];
}

function LimitCell({ spend }: { spend: Spend | undefined }) {
  if (!spend || spend.monthly_limit_usd === null)
    return <span className="block min-w-40 text-faint">No limit</span>;
  const limitUsd = toUsdText(spend.monthly_limit_usd);
  return (
    <div className="flex min-w-40 items-center gap-1 sm:gap-3">
      <div className="flex-1 max-sm:hidden">
        <SpendBar spentUsd={spend.spent_usd} limitUsd={limitUsd} />
      </div>
      {/* Fixed widths, so that the bars of all rows are equally long. */}
      <span className="figures xl:w-11 xl:shrink-0 xl:text-right">
        {formatShare(shareOf(spend.spent_usd, limitUsd))}
      </span>
      <span className="sm:hidden">of the limit of</span>
      <span className="figures xl:w-24 xl:shrink-0 xl:text-right">
        <Money usd={limitUsd} />
      </span>
    </div>
  );
}
