import { billedMeasures } from "@bursar/contract/usage-shape.ts";
import { Link } from "@tanstack/react-router";
import { type ReactNode, Suspense } from "react";
import {
  describeStatus,
  describeUncertainCost,
  formatCaller,
  formatDuration,
} from "../../kit/requests/words.ts";
import { listTags } from "../../kit/tags/tag-lines.ts";
import type { ReportSearch } from "../../kit/usage/search.ts";
import { isSimulated } from "../../kit/usage/simulated.tsx";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { lazyPart } from "../../load-part.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatCount, formatExactTime, formatPlural } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { CutSection } from "./cut-section.tsx";
import { DecidedCost } from "./decided-cost.tsx";
import { type RequestDetail, useRequest } from "./queries.ts";

const ServedUpstream = lazyPart(() => import("./served-upstream.tsx"), "ServedUpstream");

interface DrawerProps {
  id: string | undefined;
  isOpen: boolean;
  onClose: () => void;
  onFilter: (changed: ReportSearch) => void;
}

/** One request with its timing, usage, cost and owner. Never has prompts or responses. */
export function RequestDrawer({ id, isOpen, onClose, onFilter }: DrawerProps) {
  return (
    <Dialog
      title="Request"
      description={id && <Id text={id} what="request id" />}
      isOpen={isOpen}
      onClose={onClose}
      isDrawer
    >
      {id !== undefined && <Loaded id={id} onFilter={onFilter} />}
    </Dialog>
  );
}

function Loaded({ id, onFilter }: { id: string; onFilter: DrawerProps["onFilter"] }) {
  const request = useRequest(id);
  if (request.error) {
    return <ErrorState error={request.error} onRetry={() => void request.refetch()} />;
  }
  if (!request.data) return <SkeletonRows />;
  const { data } = request;
  return (
    <>
      <Outcome request={data} />
      <CutSection request={data} />
      <Timing request={data} />
      <CostTable request={data} />
      <DecidedCost request={data} />
      <RequestFacts request={data} />
      <ClaimedFacts request={data} onFilter={onFilter} />
      <p className="text-sm text-quiet">Bursar does not store prompts or responses.</p>
      <div className="flex flex-wrap gap-2.5">
        {!data.is_playground && (
          <Button onClick={() => onFilter({ key: [data.api_key_id] })}>
            All requests of this key
          </Button>
        )}
        <Button onClick={() => onFilter({ model: [data.model] })}>
          All requests of this model
        </Button>
        <Button onClick={() => onFilter({ status: [data.status] })}>
          All requests with this status
        </Button>
      </div>
    </>
  );
}

interface Detail {
  request: RequestDetail;
}

function Outcome({ request }: Detail) {
  const { http_status, is_estimated, is_unpriced, doubt, has_unbilled_parts } = request;
  const status = describeStatus(request);
  const uncertain = describeUncertainCost(request);
  return (
    <div className="grid gap-1.5 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={status.tone}>{status.label}</Badge>
        <span className="text-quiet">
          {http_status === null ? "No status sent" : `HTTP ${http_status}`}
        </span>
        {is_estimated && <Badge tone="warn">estimated</Badge>}
        {doubt !== null && <Badge tone="warn">doubtful cost</Badge>}
        {is_unpriced && <Badge tone="warn">no price</Badge>}
        {has_unbilled_parts && <Badge tone="warn">unbilled parts</Badge>}
        {isSimulated(request) && <Badge>simulated</Badge>}
      </p>
      <p className="text-quiet">{status.sentence}</p>
      {uncertain !== null && <p className="text-quiet">{uncertain}</p>}
      {has_unbilled_parts && (
        <p className="text-warn">
          Features that are billed by time could run. The cost does not include them.
        </p>
      )}
      {isSimulated(request) && (
        <p className="text-quiet">The simulator answered. No provider bills this cost.</p>
      )}
      {is_unpriced && (
        <p className="text-warn">
          The model has no price. The cost is estimated at the highest rate.
        </p>
      )}
    </div>
  );
}

/** Shortest time for a rate of tokens. Rates of shorter times would be noise. */
const MEASURABLE_MS = 100;

function Timing({ request }: Detail) {
  const { latency_ms, first_byte_ms, output_tokens, is_stream } = request;
  const waitMs = first_byte_ms ?? latency_ms;
  const share = latency_ms > 0 ? waitMs / latency_ms : 1;
  const restMs = latency_ms - waitMs;
  const perSecond = is_stream && restMs >= MEASURABLE_MS ? (output_tokens * 1_000) / restMs : null;
  return (
    <section className="grid gap-3">
      <h3>Timing</h3>
      <svg
        aria-hidden="true"
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        className="h-2 w-full overflow-hidden rounded-sm"
      >
        <rect width="100" height="4" className="fill-accent-wash" />
        <rect width={share * 100} height="4" className="fill-accent" />
      </svg>
      <Facts
        items={[
          ["Time to first byte", first_byte_ms === null ? "None" : formatDuration(first_byte_ms)],
          ["Streaming time", first_byte_ms === null ? "–" : formatDuration(restMs)],
          ["Latency", formatDuration(latency_ms)],
          ...(perSecond === null
            ? []
            : ([
                ["Output speed", `${formatCount(Math.round(perSecond))} tokens per second`],
              ] as const)),
          ["Started", formatExactTime(request.started_at)],
          ["Ended", formatExactTime(request.ended_at)],
        ]}
      />
    </section>
  );
}

/** Usage and cost by token type, exact to the nano-dollar. */
function CostTable({ request }: Detail) {
  const cell = "py-2 pl-4 text-right figures";
  return (
    <section className="grid gap-3">
      <h3>Tokens and cost</h3>
      <table aria-label="Tokens and cost" className="w-full border-collapse text-sm">
        <thead>
          <tr className="border-y border-line text-xs text-quiet">
            <th scope="col" className="py-2 text-left font-medium">
              Kind
            </th>
            <th scope="col" className={`${cell} font-medium`}>
              Units
            </th>
            <th scope="col" className={`${cell} font-medium`}>
              Cost
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {billedMeasures.map(({ part, title, column }) => (
            <tr key={part}>
              <th scope="row" className="py-2 text-left font-normal">
                {title}
              </th>
              <td className={cell}>{formatCount(request[column])}</td>
              <td className={cell}>${request.cost_breakdown_usd[part]}</td>
            </tr>
          ))}
        </tbody>
        <tfoot className="border-y border-line font-medium">
          <tr>
            <th scope="row" className="py-2 text-left font-medium">
              Total
            </th>
            <td className={cell}>{formatPlural(request.total_tokens, "token")}</td>
            <td className={cell}>${request.cost_usd}</td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
}

function RequestFacts({ request }: Detail) {
  const may = useMay();
  const { api_key_id, workspace_id, member_id, is_playground } = request;
  const memberName = request.member_name ?? request.member_email ?? member_id;
  const items: (readonly [string, ReactNode])[] = [
    [
      "Key",
      !is_playground && may("api_keys:read", workspace_id) ? (
        <Link key="key" to="/api-keys/$keyId" params={{ keyId: api_key_id }} className="link">
          {formatCaller(request)}
        </Link>
      ) : (
        formatCaller(request)
      ),
    ],
    ["Workspace", <WorkspaceLink key="workspace" id={workspace_id} />],
    [
      "Member",
      member_id === null ? (
        "None (workspace key)"
      ) : may("members:read") ? (
        <Link key="member" to="/members" className="link">
          {memberName}
        </Link>
      ) : (
        memberName
      ),
    ],
    ["Groups", request.groups.map(({ id, name }) => name ?? id).join(", ") || "None"],
    ["Tags", listTags(request.tags).join(", ") || "None"],
    ["Client", request.client],
    [
      "Model",
      request.requested_model === request.model
        ? request.model
        : `${request.model}, requested as ${request.requested_model}`,
    ],
    ["Stream", request.is_stream ? "Yes" : "No"],
    ["Service tier", request.service_tier],
    ["Context window", request.context_window],
    ["Geography", request.inference_geo],
    ["Speed", request.speed],
    [
      "Upstream",
      <Suspense key="served" fallback="…">
        <ServedUpstream request={request} />
      </Suspense>,
    ],
    [
      "Upstream id",
      request.upstream_request_id === null ? (
        "None"
      ) : (
        <Id key="upstream" text={request.upstream_request_id} what="upstream id" />
      ),
    ],
    ["Node", request.node_id],
  ];
  return (
    <section className="grid gap-3">
      <h3>Details</h3>
      <Facts items={items} />
    </section>
  );
}

/** Labels of Claude Code, which any client can send. */
function ClaimedFacts({ request, onFilter }: Detail & Pick<DrawerProps, "onFilter">) {
  const { claimed } = request;
  if (claimed === null) return null;
  const { agent_session_id: session, prompt_id: prompt, request_class } = claimed;
  return (
    <section className="grid gap-3">
      <h3 className="flex items-center gap-2">
        Agent <Badge>claimed</Badge>
      </h3>
      <p className="text-sm text-quiet">The client sent these labels. They are not verified.</p>
      <Facts
        items={[
          ["Agent session", <Id key="session" text={session} what="agent session" />],
          ["Prompt", prompt === null ? "None" : <Id key="prompt" text={prompt} what="prompt id" />],
          ["Agent", claimed.agent_id ?? "Main agent"],
          ["Parent agent", claimed.parent_agent_id ?? "None"],
          ["Class", request_class ?? "None"],
        ]}
      />
      <div className="flex flex-wrap gap-2.5">
        <ButtonLink to="/claude-code/agent-sessions" search={toSessionSearch(request, session)}>
          Cost of this agent session
        </ButtonLink>
        <Button onClick={() => onFilter({ session })}>All requests of this agent session</Button>
        {prompt !== null && (
          <Button onClick={() => onFilter({ session, prompt })}>All requests of this prompt</Button>
        )}
      </div>
    </section>
  );
}

function toSessionSearch({ member_id, api_key_id }: RequestDetail, open: string) {
  return member_id === null ? { open, key: api_key_id } : { open, member: member_id };
}

function Id({ text, what }: { text: string; what: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-2">
      <code className="min-w-0 break-all">{text}</code>
      <CopyIconButton text={text} what={what} />
    </span>
  );
}
