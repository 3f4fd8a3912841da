import { ListMinus, ListPlus } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import type { Answer } from "../../api-client.ts";
import { listDefaultIds } from "../../kit/upstreams/order.ts";
import { type OrderDraft, useOrderDraft } from "../../kit/upstreams/order-draft.ts";
import { OrderEditor, SaveOrder } from "../../kit/upstreams/order-editor.tsx";
import { providerWords } from "../../kit/upstreams/provider-words.ts";
import {
  type Upstream,
  useUpstreams,
  useWorkspaceUpstreamOrder,
} from "../../kit/upstreams/queries.ts";
import { useMay } from "../../session.ts";
import { IconButton } from "../../ui/button.tsx";
import { Choices } from "../../ui/input.tsx";
import { Section } from "../../ui/page.tsx";
import { ErrorState } from "../../ui/states.tsx";
import type { Column } from "../../ui/table.tsx";
import { useSetWorkspaceUpstreamOrder } from "./queries.ts";

interface WorkspaceUpstreamsProps {
  workspaceId: string;
  /** The workspace is not archived. */
  isOpen: boolean;
}

/** Order of upstreams of a workspace. Draws nothing for an organization with one upstream and no order. */
export function WorkspaceUpstreams({ workspaceId, isOpen }: WorkspaceUpstreamsProps) {
  const upstreams = useUpstreams();
  const order = useWorkspaceUpstreamOrder(workspaceId);
  const error = upstreams.error ?? order.error;
  if (error) {
    const retry = () => void Promise.all([upstreams.refetch(), order.refetch()]);
    return <ErrorState error={error} onRetry={retry} />;
  }
  if (!upstreams.data || !order.data) return null;
  const { items } = upstreams.data;
  if (items.length < 2 && order.data.is_default) return null;
  return (
    <Section
      title="Upstreams"
      lead="Upstreams that requests of this workspace go to, in the order of attempts."
    >
      <OrderOfWorkspace
        workspaceId={workspaceId}
        upstreams={items}
        stored={order.data}
        isOpen={isOpen}
        onRefused={() => void order.refetch()}
      />
    </Section>
  );
}

interface OrderProps extends WorkspaceUpstreamsProps {
  upstreams: readonly Upstream[];
  stored: Answer<"getWorkspaceUpstreamOrder">;
  /** Called after a refused change, because another one can have been first. */
  onRefused: () => void;
}

function OrderOfWorkspace({ workspaceId, upstreams, stored, isOpen, onRefused }: OrderProps) {
  const mayChange = useMay()("upstreams:write") && isOpen;
  const save = useSetWorkspaceUpstreamOrder();
  const { draft, isOwn, setIsOwn } = useWorkspaceDraft(upstreams, stored);
  const renderActions = useCallback(
    (upstream: Upstream, isListed: boolean) =>
      mayChange && isOwn && <ListButton {...{ upstream, isListed, draft }} />,
    [mayChange, isOwn, draft],
  );
  const upstream_ids = isOwn ? [...draft.ids] : null;
  return (
    <>
      {mayChange ? (
        <Choices
          legend="Order"
          name="upstream_order"
          value={isOwn ? "own" : "default"}
          onChange={(value) => setIsOwn(value === "own")}
          choices={[
            { value: "default", label: "Default order", hint: "Follows each change of it." },
            { value: "own", label: "Own order", hint: "Only these upstreams serve the workspace." },
          ]}
        />
      ) : (
        <p className="text-sm text-quiet">
          {isOwn
            ? "The workspace has an order of its own."
            : "The workspace follows the default order."}
        </p>
      )}
      <OrderEditor
        label="Upstreams of the workspace"
        upstreams={upstreams}
        draft={draft}
        mayChange={mayChange && isOwn}
        columns={columns}
        renderActions={renderActions}
      />
      <SaveOrder
        upstreams={upstreams}
        savedIds={stored.upstream_ids}
        draft={draft}
        requestsOf="this workspace"
        workspaceId={workspaceId}
        isBusy={save.isPending}
        error={save.error}
        onSave={() =>
          save.mutate(
            {
              params: { workspace_id: workspaceId },
              body: { upstream_ids, if_version: stored.version },
            },
            { onSuccess: draft.discard, onError: onRefused },
          )
        }
      />
    </>
  );
}

/** The stored order while a member edits it, or chooses the default order instead. */
function useWorkspaceDraft(upstreams: readonly Upstream[], stored: OrderProps["stored"]) {
  const [choice, setChoice] = useState<boolean | null>(null);
  const own = useOrderDraft(stored.upstream_ids);
  const wasOwn = !stored.is_default;
  const isOwn = choice ?? wasOwn;
  const defaultIds = useMemo(() => listDefaultIds(upstreams), [upstreams]);
  const draft: OrderDraft = {
    ids: isOwn ? own.ids : defaultIds,
    isDirty: isOwn !== wasOwn || (isOwn && own.isDirty),
    change: own.change,
    discard: () => {
      own.discard();
      setChoice(null);
    },
  };
  return { draft, isOwn, setIsOwn: setChoice };
}

interface ListButtonProps {
  upstream: Upstream;
  isListed: boolean;
  draft: OrderDraft;
}

/** Adds an upstream to the order, or takes it out. The last one stays. */
function ListButton({ upstream: { id, name }, isListed, draft }: ListButtonProps) {
  return isListed ? (
    <IconButton
      label={`Take ${name} out of the order`}
      disabled={draft.ids.length === 1}
      onClick={() => draft.change(draft.ids.filter((each) => each !== id))}
    >
      <ListMinus size={16} />
    </IconButton>
  ) : (
    <IconButton label={`Add ${name} to the order`} onClick={() => draft.change([...draft.ids, id])}>
      <ListPlus size={16} />
    </IconButton>
  );
}

const columns: Column<Upstream>[] = [
  {
    id: "name",
    header: "Upstream",
    cell: ({ name }) => <span className="font-medium break-words">{name}</span>,
  },
  {
    id: "provider",
    header: "Provider",
    from: "sm",
    isBelow: true,
    cell: ({ provider }) => providerWords[provider],
  },
];
