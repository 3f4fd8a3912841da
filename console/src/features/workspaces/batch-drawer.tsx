import { Link } from "@tanstack/react-router";
import { useUpstreams } from "../../kit/upstreams/queries.ts";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatCount, toNanoUsd } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { BatchStatus } from "./batch-status.tsx";
import { isAbandonable, isCancelable, statusWords } from "./batch-words.ts";
import type { MessageBatch } from "./queries.ts";

interface DrawerProps {
  /** Undefined: closed. */
  id: string | undefined;
  isOpen: boolean;
  onClose: () => void;
  actions: BatchActions;
}

/** Actions on one batch. Null: the member has no right to it. */
export interface BatchActions {
  cancel: ((batch: MessageBatch) => void) | null;
  abandon: ((batch: MessageBatch) => void) | null;
}

/** One message batch with its counts and amounts. Requests and results are for keys of the workspace alone. */
export function BatchDrawer({ id, isOpen, onClose, actions }: DrawerProps) {
  return (
    <Dialog
      title="Message batch"
      description="Requests and results are never shown here. A key of the workspace reads them."
      isOpen={isOpen}
      onClose={onClose}
      isDrawer
    >
      {id !== undefined && <Loaded id={id} actions={actions} />}
    </Dialog>
  );
}

const REFRESH_MS = 5_000;
const RESULTS_MS = 29 * 86_400_000;

function Loaded({ id, actions: { cancel, abandon } }: { id: string; actions: BatchActions }) {
  const found = useApi(
    "getStoredBatch",
    { params: { message_batch_id: id } },
    { everyMs: REFRESH_MS },
  );
  if (found.error) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <SkeletonRows />;
  const batch = found.data;
  const { upstream_batch_id } = batch;
  return (
    <>
      <BatchFacts batch={batch} />
      <div className="flex flex-wrap gap-2.5">
        {upstream_batch_id !== null && (
          <ButtonLink to="/requests" search={{ upstream: upstream_batch_id }}>
            Recorded requests
          </ButtonLink>
        )}
        {cancel !== null && isCancelable(batch) && (
          <Button onClick={() => cancel(batch)}>Cancel batch…</Button>
        )}
        {abandon !== null && isAbandonable(batch) && (
          <Button onClick={() => abandon(batch)}>Abandon batch…</Button>
        )}
      </div>
    </>
  );
}

function BatchFacts({ batch }: { batch: MessageBatch }) {
  const may = useMay();
  const { api_key_id, api_key_name, workspace_id, request_counts: counts } = batch;
  const key = api_key_name ?? api_key_id;
  return (
    <Facts
      items={[
        [
          "Status",
          <span key="status" className="grid justify-items-start gap-1">
            <BatchStatus batch={batch} />
            <span className="text-quiet">{statusWords[batch.status].meaning}</span>
          </span>,
        ],
        ["Id for clients", <Id key="client" text={batch.upstream_batch_id} />],
        ["Id here", <Id key="id" text={batch.id} />],
        [
          "Requests",
          <span key="requests" className="grid">
            {formatCount(batch.request_count)}, {formatCount(batch.recorded_requests)} recorded
            {counts && <span className="text-quiet">{listCounts(counts)}</span>}
          </span>,
        ],
        ["Cost", <Amount key="cost" usd={batch.cost_usd} />],
        ["Highest cost", <Amount key="hold" usd={batch.hold_usd} />],
        ["Held now", <Amount key="held" usd={batch.held_usd} />],
        ["Unresolved", <Amount key="unresolved" usd={batch.unresolved_usd} />],
        [
          "API key",
          may("api_keys:read", workspace_id) ? (
            <Link key="key" to="/api-keys/$keyId" params={{ keyId: api_key_id }} className="link">
              {key}
            </Link>
          ) : (
            key
          ),
        ],
        ["Upstream", <Upstream key="upstream" batch={batch} />],
        ["Created", <RelativeTime key="created" at={batch.created_at} />],
        ["Ended", <RelativeTime key="ended" at={batch.ended_at} />],
        batch.ended_at === null
          ? ["Expires", <RelativeTime key="expires" at={batch.expires_at} />]
          : ["Results until", <RelativeTime key="results" at={findResultsEnd(batch.created_at)} />],
      ]}
    />
  );
}

/** Claude keeps results for 29 days from the creation of a batch. */
function findResultsEnd(createdAt: string): string {
  return new Date(Date.parse(createdAt) + RESULTS_MS).toISOString();
}

function Id({ text }: { text: string | null }) {
  if (text === null) return <span className="text-faint">none yet</span>;
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <code className="min-w-0 break-all">{text}</code>
      <CopyIconButton text={text} what="id" />
    </span>
  );
}

function Amount({ usd }: { usd: string }) {
  return toNanoUsd(usd) === 0n ? <span className="text-faint">–</span> : <Money usd={usd} />;
}

type Counts = NonNullable<MessageBatch["request_counts"]>;

/** Counts that are not 0, as the upstream has reported last. */
function listCounts(counts: Counts): string {
  const words = ["processing", "succeeded", "errored", "canceled", "expired"] as const;
  return words
    .filter((word) => counts[word] > 0)
    .map((word) => `${formatCount(counts[word])} ${word}`)
    .join(", ");
}

function Upstream({ batch }: { batch: MessageBatch }) {
  const { upstream_id: id, is_simulated } = batch;
  const upstreams = useUpstreams(useMay()("upstreams:read") && id !== null);
  if (id === null) return is_simulated ? "Simulator" : "The server’s environment";
  const name = upstreams.data?.items.find((upstream) => upstream.id === id)?.name;
  return name ?? <code>{id}</code>;
}
