import { Plus } from "lucide-react";
import { useState } from "react";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { type Upstream, useUpstreamHealth } from "../../kit/upstreams/queries.ts";
import { DeletionConsequences } from "../../kit/upstreams/upstream-consequences.tsx";
import { lateDialog } from "../../late-dialog.tsx";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Page } from "../../ui/page.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { useDeleteUpstream, useUpstreamInUse } from "./queries.ts";
import { UpstreamList } from "./upstream-list.tsx";

const LateUpstreamDialog = lateDialog(() => import("./upstream-dialog.tsx"), "UpstreamDialog");

export function UpstreamsPage() {
  const upstreams = useUpstreamHealth();
  const mayChange = useMay()("upstreams:write");
  const [edited, setEdited] = useState<Upstream | "new" | null>(null);
  const [deleted, setDeleted] = useState<Upstream | null>(null);
  if (upstreams.error) {
    return <LoadError error={upstreams.error} onRetry={() => void upstreams.refetch()} />;
  }
  const items = upstreams.data?.items ?? [];
  const store = mayChange && !upstreams.isPending && (
    <Button kind="primary" data-create onClick={() => setEdited("new")}>
      <Plus size={16} /> Store upstream…
    </Button>
  );
  return (
    <Page
      title="Upstreams"
      guide="upstreams"
      lead="The addresses and credentials that Bursar calls Claude with. Programs use workspace keys and never see a credential."
      actions={items.length > 0 && store}
    >
      {upstreams.isPending ? (
        <SkeletonRows rows={3} />
      ) : items.length === 0 ? (
        <EmptyState
          title="No upstream yet"
          action={store}
          code={<CodeBlock text="ANTHROPIC_API_KEY=sk-ant-… npm start" what="command" />}
        >
          Without an upstream, the built-in simulator answers. An upstream in the server’s
          environment takes precedence over a stored one.
        </EmptyState>
      ) : (
        <>
          <UnusedNotice />
          <UpstreamList
            upstreams={items}
            mayChange={mayChange}
            onEdit={setEdited}
            onDelete={setDeleted}
          />
        </>
      )}
      {edited && (
        <LateUpstreamDialog
          upstream={edited === "new" ? null : edited}
          isOnly={items.length === 1}
          onClose={() => setEdited(null)}
        />
      )}
      {deleted && (
        <DeleteUpstreamDialog
          upstream={deleted}
          upstreams={items}
          onClose={() => setDeleted(null)}
        />
      )}
    </Page>
  );
}

/** Warns that the environment of the server replaces all stored upstreams. */
function UnusedNotice() {
  if (useUpstreamInUse().data?.upstream.source !== "environment") return null;
  return (
    <p role="status" className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
      This server uses the upstream of its environment. Stored upstreams get no requests until the
      server starts without it.
    </p>
  );
}

interface DeleteProps {
  upstream: Upstream;
  upstreams: readonly Upstream[];
  onClose: () => void;
}

function DeleteUpstreamDialog({ upstream, upstreams, onClose }: DeleteProps) {
  return (
    <ConfirmDelayedChange
      change={useDeleteUpstream()}
      input={{ params: { upstream_id: upstream.id } }}
      action="Delete upstream"
      urgentAction="Delete now"
      subject={upstream.id}
      name={`Upstream “${upstream.name}”`}
      done="deleted"
      onClose={onClose}
      typed={upstream.name}
    >
      <DeletionConsequences upstream={upstream} upstreams={upstreams} />
    </ConfirmDelayedChange>
  );
}
