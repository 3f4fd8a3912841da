import { Ellipsis } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { HealthState, LastAnswer, LastFailure } from "../../kit/upstreams/health.tsx";
import { lacksCredential } from "../../kit/upstreams/lacks-credential.ts";
import { listDefaultIds } from "../../kit/upstreams/order.ts";
import { type OrderDraft, useOrderDraft } from "../../kit/upstreams/order-draft.ts";
import { OrderEditor, SaveOrder } from "../../kit/upstreams/order-editor.tsx";
import { DEFAULT_SUBJECT } from "../../kit/upstreams/order-effects.ts";
import { providerWords } from "../../kit/upstreams/provider-words.ts";
import type { Upstream } from "../../kit/upstreams/queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { IconButton } from "../../ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { Section } from "../../ui/page.tsx";
import type { Column } from "../../ui/table.tsx";
import { useSetUpstreamOrder, useUpstreamOrder } from "./queries.ts";
import { TestButton, TestDialog, type Tested } from "./test-button.tsx";

interface Actions {
  onEdit: (upstream: Upstream) => void;
  onDelete: (upstream: Upstream) => void;
}

interface UpstreamListProps extends Actions {
  upstreams: readonly Upstream[];
  mayChange: boolean;
}

/** The default order, and the upstreams outside of it. */
export function UpstreamList({ upstreams, mayChange, onEdit, onDelete }: UpstreamListProps) {
  const listedIds = useMemo(() => listDefaultIds(upstreams), [upstreams]);
  // The order and its version are of one moment.
  const { data: stored, refetch } = useUpstreamOrder();
  const savedIds = stored?.upstream_ids ?? listedIds;
  const draft = useOrderDraft(savedIds);
  const save = useSetUpstreamOrder();
  const [tested, setTested] = useState<Tested | null>(null);
  const renderActions = useCallback(
    (upstream: Upstream, isListed: boolean) =>
      mayChange && (
        <>
          <TestButton upstream={upstream} onTested={setTested} />
          <UpstreamMenu
            {...{ upstream, isListed, draft, onEdit, onDelete }}
            isOnly={upstreams.length === 1}
          />
        </>
      ),
    [mayChange, draft, onEdit, onDelete, upstreams.length],
  );
  return (
    <Section
      title="Default order"
      lead="A request goes to the next upstream if nothing of it reached the one before, or if that one answered 429 or 529. A workspace can have an order of its own."
    >
      <OrderEditor
        label="Upstreams"
        upstreams={upstreams}
        draft={draft}
        mayChange={mayChange}
        columns={columns}
        renderActions={renderActions}
      />
      <SaveOrder
        upstreams={upstreams}
        savedIds={savedIds}
        draft={draft}
        requestsOf={DEFAULT_SUBJECT}
        workspaceId={null}
        isBusy={save.isPending}
        error={save.error}
        onSave={() =>
          save.mutate(
            { body: { upstream_ids: [...draft.ids], if_version: stored?.version } },
            { onError: () => void refetch() },
          )
        }
      />
      {tested && <TestDialog tested={tested} onClose={() => setTested(null)} />}
    </Section>
  );
}

const columns: Column<Upstream>[] = [
  {
    id: "name",
    header: "Upstream",
    cell: (upstream) => (
      <span className="grid min-w-32 gap-0.5 py-1">
        <span className="font-medium break-words">{upstream.name}</span>
        <span className="max-w-72 truncate text-xs text-quiet" title={upstream.base_url}>
          {upstream.base_url}
        </span>
      </span>
    ),
  },
  {
    id: "provider",
    header: "Provider",
    from: "sm",
    isBelow: true,
    cell: ({ provider }) => providerWords[provider],
  },
  {
    id: "state",
    header: "State",
    from: "sm",
    isBelow: true,
    cell: (upstream) =>
      lacksCredential(upstream) ? (
        <Badge tone="warn">no credential</Badge>
      ) : (
        <HealthState nodes={upstream.health} />
      ),
  },
  {
    id: "failure",
    header: "Last error",
    from: "lg",
    cell: ({ health }) => <LastFailure nodes={health} />,
  },
  {
    id: "success",
    header: "Last answer",
    from: "xl",
    cell: ({ health }) => <LastAnswer nodes={health} />,
  },
  {
    id: "credential",
    header: "Credential",
    from: "xl",
    cell: (upstream) => {
      if (lacksCredential(upstream)) return <span className="text-quiet">None</span>;
      if (!upstream.has_credential) return "of the machine";
      return <code className="text-xs">{upstream.credential_hint ?? "stored"}</code>;
    },
  },
];

interface MenuProps extends Actions {
  upstream: Upstream;
  isListed: boolean;
  isOnly: boolean;
  draft: OrderDraft;
}

function UpstreamMenu({ upstream, isListed, isOnly, draft, onEdit, onDelete }: MenuProps) {
  const { id, name } = upstream;
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${name}`}>
          <Ellipsis size={16} />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => onEdit(upstream)}>Change upstream…</MenuItem>
      {isListed ? (
        !isOnly && (
          <MenuItem onSelect={() => draft.change(draft.ids.filter((each) => each !== id))}>
            Take out of the order
          </MenuItem>
        )
      ) : (
        <MenuItem onSelect={() => draft.change([...draft.ids, id])}>Add to the order</MenuItem>
      )}
      <MenuSeparator />
      <MenuItem isDanger onSelect={() => onDelete(upstream)}>
        Delete upstream…
      </MenuItem>
    </Menu>
  );
}
