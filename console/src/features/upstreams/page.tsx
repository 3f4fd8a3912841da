import { useState } from "react";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { type Upstream, useUpstreams } from "../../kit/upstreams/queries.ts";
import { DeletionConsequences } from "../../kit/upstreams/upstream-consequences.tsx";
import { UpstreamForm } from "../../kit/upstreams/upstream-form.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { useDeleteUpstream } from "./queries.ts";

export function UpstreamsPage() {
  const upstreams = useUpstreams();
  const may = useMay();
  const [isAdding, setIsAdding] = useState(false);
  if (upstreams.error) {
    return <LoadError error={upstreams.error} onRetry={() => void upstreams.refetch()} />;
  }
  const stored = upstreams.data?.items[0];
  const mayChange = may("upstreams:write");
  return (
    <Page
      title="Upstreams"
      lead="The address and the credential that Bursar calls Claude with. Programs use workspace keys and never see the credential."
    >
      {upstreams.isPending ? (
        <SkeletonRows rows={3} />
      ) : stored ? (
        <StoredUpstream upstream={stored} mayChange={mayChange} />
      ) : isAdding ? (
        <div className="max-w-xl">
          <UpstreamForm
            upstream={null}
            onSaved={() => setIsAdding(false)}
            onCancel={() => setIsAdding(false)}
          />
        </div>
      ) : (
        <EmptyState
          title="No upstream yet"
          action={
            mayChange && (
              <Button kind="primary" data-create onClick={() => setIsAdding(true)}>
                Store upstream…
              </Button>
            )
          }
          code={<CodeBlock text="ANTHROPIC_API_KEY=sk-ant-… npm start" what="command" />}
        >
          Without an upstream, the built-in simulator answers. An upstream in the server’s
          environment takes precedence over a stored one.
        </EmptyState>
      )}
    </Page>
  );
}

function StoredUpstream({ upstream, mayChange }: { upstream: Upstream; mayChange: boolean }) {
  const [isDeleting, setIsDeleting] = useState(false);
  const remove = useDeleteUpstream();
  return (
    <div className="grid max-w-2xl gap-10">
      <Facts
        items={[
          ["Name", upstream.name],
          ["Address", <code key="address">{upstream.base_url}</code>],
          [
            "Credential",
            upstream.has_credential ? (
              <span key="credential" className="inline-flex items-center gap-2">
                <code>{upstream.credential_hint}</code> <Badge tone="good">stored, encrypted</Badge>
              </span>
            ) : (
              <Badge key="credential" tone="warn">
                none (the upstream refuses requests)
              </Badge>
            ),
          ],
          ["Changed", <RelativeTime key="changed" at={upstream.updated_at} />],
        ]}
      />
      {mayChange && (
        <>
          <Section title="Change upstream">
            <UpstreamForm key={upstream.id} upstream={upstream} />
          </Section>
          <Section
            title="Delete upstream"
            lead="Requests are then sent to the upstream of the server’s environment, or to the simulator."
          >
            <div>
              <Button onClick={() => setIsDeleting(true)}>Delete upstream…</Button>
            </div>
          </Section>
        </>
      )}
      <ConfirmDelayedChange
        change={remove}
        input={{ params: { upstream_id: upstream.id } }}
        action="Delete upstream"
        urgentAction="Delete now"
        subject={upstream.id}
        name={`Upstream “${upstream.name}”`}
        done="deleted"
        isOpen={isDeleting}
        onClose={() => setIsDeleting(false)}
        typed={upstream.name}
      >
        <DeletionConsequences />
      </ConfirmDelayedChange>
    </div>
  );
}
