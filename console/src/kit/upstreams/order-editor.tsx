import { type ReactNode, useMemo } from "react";
import { Button } from "../../ui/button.tsx";
import { FormError } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { Consequences } from "../consequences/consequences.tsx";
import { useRecentRequests } from "../consequences/recent-requests.ts";
import { splitByOrder } from "./order.ts";
import type { OrderDraft } from "./order-draft.ts";
import { describeOrderChange } from "./order-effects.ts";
import { OrderTable } from "./order-table.tsx";
import type { Upstream } from "./queries.ts";

interface OrderEditorProps {
  /** Name of the list, for screen readers. */
  label: string;
  upstreams: readonly Upstream[];
  draft: OrderDraft;
  /** False: the order is only shown. */
  mayChange: boolean;
  columns: readonly Column<Upstream>[];
  renderActions: (upstream: Upstream, isListed: boolean) => ReactNode;
}

/** The upstreams of an order, and those that are not part of it. */
export function OrderEditor(props: OrderEditorProps) {
  const { label, upstreams, draft, mayChange, columns, renderActions } = props;
  const { others } = splitByOrder(upstreams, draft.ids);
  const otherColumns = useMemo<Column<Upstream>[]>(
    () => [
      ...columns,
      {
        id: "actions",
        header: "",
        isNumeric: true,
        cell: (upstream) => renderActions(upstream, false),
      },
    ],
    [columns, renderActions],
  );
  return (
    <>
      {draft.ids.length === 0 ? (
        <p className="text-sm text-quiet">No upstream is in this order.</p>
      ) : (
        <OrderTable
          label={label}
          upstreams={upstreams}
          ids={draft.ids}
          onChange={mayChange ? draft.change : null}
          columns={columns}
          renderActions={(upstream) => renderActions(upstream, true)}
        />
      )}
      {others.length > 0 && (
        <div className="mt-4 grid gap-2">
          <h3 className="text-sm font-medium">Not in this order</h3>
          <Table
            label={`${label}: not in this order`}
            columns={otherColumns}
            rows={others}
            rowKey={({ id }) => id}
          />
        </div>
      )}
    </>
  );
}

interface SaveOrderProps {
  upstreams: readonly Upstream[];
  /** Stored order. */
  savedIds: readonly string[];
  draft: OrderDraft;
  requestsOf: string;
  /** Workspace of the order. Null: the default order. */
  workspaceId: string | null;
  isBusy: boolean;
  error: Error | null;
  onSave: () => void;
}

/** Effects of an edited order, with the buttons that save or discard it. */
export function SaveOrder(props: SaveOrderProps) {
  const { upstreams, savedIds, draft, requestsOf, workspaceId, isBusy, error, onSave } = props;
  const filter = workspaceId === null ? {} : { workspace_id: [workspaceId] };
  const recent = useRecentRequests(filter, {
    isEnabled: draft.isDirty,
    workspaceId: workspaceId ?? undefined,
  });
  return (
    <>
      <UnsavedGuard isDirty={draft.isDirty} />
      <Consequences
        sentences={describeOrderChange({
          before: splitByOrder(upstreams, savedIds).ordered,
          after: splitByOrder(upstreams, draft.ids).ordered,
          requestsOf,
          isDefault: workspaceId === null,
          requests: recent.requests,
        })}
        counts={[recent]}
      />
      <FormError error={error} />
      {draft.isDirty && (
        <div className="flex flex-wrap gap-2.5">
          <Button kind="primary" isBusy={isBusy} onClick={onSave}>
            Save order
          </Button>
          <Button onClick={draft.discard}>Discard changes</Button>
        </div>
      )}
    </>
  );
}
