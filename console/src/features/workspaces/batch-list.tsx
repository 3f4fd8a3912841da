import { useNavigate, useSearch } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useBaseUrl } from "../../kit/code-samples/use-base-url.ts";
import { KEY_VARIABLE } from "../../kit/code-samples/variables.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { SimulatedMark } from "../../kit/usage/simulated.tsx";
import { useWorkspaceId } from "../../kit/workspaces/workspace-id.ts";
import { lateDialog } from "../../late-dialog.tsx";
import { usePages } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Button, ButtonLink, IconButton } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatCount, toNanoUsd } from "../../ui/format.ts";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import type { BatchActions } from "./batch-drawer.tsx";
import { BatchStatus } from "./batch-status.tsx";
import { isAbandonable, isCancelable, listStatuses } from "./batch-words.ts";
import type { MessageBatch } from "./queries.ts";
import type { BatchesSearch } from "./search.ts";
import { createdColumn, keyColumn } from "./stored-columns.tsx";

const BatchDrawer = lateDialog(() => import("./batch-drawer.tsx"), "BatchDrawer");
const CancelBatchDialog = lateDialog(
  () => import("./cancel-batch-dialog.tsx"),
  "CancelBatchDialog",
);
const AbandonBatchDialog = lateDialog(
  () => import("./abandon-batch-dialog.tsx"),
  "AbandonBatchDialog",
);

/** Time between two loads of the list, milliseconds. Batches end by themselves. */
const REFRESH_MS = 10_000;

/** Message batches of a workspace, newest first. The address has the group and the open batch. */
export function BatchList() {
  const workspaceId = useWorkspaceId();
  const search: BatchesSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const go = useCallback(
    (changed: BatchesSearch, replace: boolean) =>
      void navigate({
        to: "/workspaces/$workspaceId/batches",
        params: { workspaceId },
        search: (before: object) => ({ ...before, ...changed }),
        replace,
      } as never),
    [navigate, workspaceId],
  );
  const { show, open } = search;
  const query = { workspace_id: workspaceId, status: listStatuses(show) };
  const batches = usePages("listStoredBatches", query, { everyMs: REFRESH_MS });
  const [canceled, setCanceled] = useState<MessageBatch | null>(null);
  const [abandoned, setAbandoned] = useState<MessageBatch | null>(null);
  const may = useMay();
  const mayCancel = may("workspaces:write", workspaceId);
  const mayAbandon = may("spend:resolve");
  const actions = useMemo(
    () => ({
      cancel: mayCancel ? setCanceled : null,
      abandon: mayAbandon ? setAbandoned : null,
    }),
    [mayCancel, mayAbandon],
  );
  const columns = useMemo(
    () => makeColumns((id) => go({ open: id }, false), actions),
    [go, actions],
  );
  const view = useTableView();
  const { items, error } = batches;
  if (error && items.length === 0) return <LoadError error={error} onRetry={batches.refetch} />;
  if (batches.isPending) return <SkeletonRows />;
  return (
    <div className="grid gap-4">
      {(items.length > 0 || show !== undefined) && (
        <div className="flex flex-wrap items-center gap-2.5">
          <Segments
            label="Status"
            value={show ?? "all"}
            options={[
              ["all", "All"],
              ["running", "Running"],
              ["ended", "Ended"],
              ["failed", "Failed"],
            ]}
            onChange={(value) => go({ show: value === "all" ? undefined : value }, true)}
          />
          <span className="ml-auto">
            <TableTools columns={columns} view={view} />
          </span>
        </div>
      )}
      {items.length > 0 ? (
        <Table
          label="Message batches"
          columns={columns}
          rows={items}
          rowKey={({ id }) => id}
          view={view}
        />
      ) : show === undefined ? (
        <NoBatches />
      ) : (
        <p className="text-quiet">No message batch has this status.</p>
      )}
      {batches.hasOlder && (
        <Button className="mx-auto" isBusy={batches.isLoadingOlder} onClick={batches.loadOlder}>
          Load older batches
        </Button>
      )}
      <BatchDrawer
        id={open}
        isOpen={open !== undefined}
        onClose={() => go({ open: undefined }, true)}
        actions={actions}
      />
      {canceled && <CancelBatchDialog batch={canceled} onClose={() => setCanceled(null)} />}
      {abandoned && <AbandonBatchDialog batch={abandoned} onClose={() => setAbandoned(null)} />}
    </div>
  );
}

function NoBatches() {
  const baseUrl = useBaseUrl();
  const command = [
    `curl ${baseUrl}/v1/messages/batches -H "x-api-key: $${KEY_VARIABLE}" \\`,
    `  -H 'content-type: application/json' -d '{"requests": [{"custom_id": "first", "params": {`,
    `    "model": "claude-sonnet-5", "max_tokens": 100,`,
    `    "messages": [{"role": "user", "content": "Hello"}]}}]}'`,
  ].join("\n");
  return (
    <EmptyState
      title="No message batch yet"
      action={
        <ButtonLink to="/guides/$guide" params={{ guide: "batches" }}>
          Read the guide
        </ButtonLink>
      }
      code={<CodeBlock text={command} what="command" />}
    >
      A message batch runs many requests within 24 hours, at half of the token prices.
    </EmptyState>
  );
}

function makeColumns(onOpen: (id: string) => void, actions: BatchActions): Column<MessageBatch>[] {
  return [
    {
      id: "id",
      header: "Batch",
      cell: ({ id, upstream_batch_id }) => (
        <button
          type="button"
          className="link max-w-24 truncate font-mono text-xs sm:text-sm lg:max-w-44"
          title={upstream_batch_id ?? id}
          onClick={() => onOpen(id)}
        >
          {upstream_batch_id ?? id}
        </button>
      ),
    },
    {
      id: "status",
      header: "Status",
      sortBy: ({ status }) => status,
      cell: (batch) => <BatchStatus batch={batch} />,
    },
    keyColumn,
    {
      id: "requests",
      header: "Requests",
      from: "sm",
      isBelow: true,
      isNumeric: true,
      sortBy: ({ request_count }) => request_count,
      cell: ({ request_count }) => formatCount(request_count),
    },
    {
      id: "cost",
      header: "Cost",
      isNumeric: true,
      sortBy: ({ cost_usd }) => toNanoUsd(cost_usd),
      cell: ({ cost_usd, is_simulated }) => (
        <span className="whitespace-nowrap">
          {is_simulated && <SimulatedMark />} <Money usd={cost_usd} />
        </span>
      ),
    },
    {
      id: "held",
      header: "Held",
      from: "lg",
      isNumeric: true,
      sortBy: ({ held_usd }) => toNanoUsd(held_usd),
      cell: ({ held_usd }) =>
        toNanoUsd(held_usd) === 0n ? (
          <span className="text-faint">–</span>
        ) : (
          <Money usd={held_usd} />
        ),
    },
    createdColumn,
    ...(actions.cancel === null && actions.abandon === null ? [] : [makeActions(actions)]),
  ];
}

function makeActions({ cancel, abandon }: BatchActions): Column<MessageBatch> {
  return {
    id: "actions",
    header: "",
    isNumeric: true,
    cell: (batch) => {
      const canCancel = cancel !== null && isCancelable(batch);
      const canAbandon = abandon !== null && isAbandonable(batch);
      if (!canCancel && !canAbandon) return null;
      return (
        <Menu
          trigger={
            <IconButton label={`Actions for ${batch.upstream_batch_id ?? batch.id}`}>
              <Ellipsis size={16} />
            </IconButton>
          }
        >
          {canCancel && (
            <MenuItem isDanger onSelect={() => cancel(batch)}>
              Cancel batch…
            </MenuItem>
          )}
          {canAbandon && (
            <MenuItem isDanger onSelect={() => abandon(batch)}>
              Abandon batch…
            </MenuItem>
          )}
        </Menu>
      );
    },
  };
}
