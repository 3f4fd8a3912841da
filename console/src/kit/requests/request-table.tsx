import { useMemo } from "react";
import { Money, Tokens } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import type { TableView } from "../../ui/table-columns.ts";
import { listTags } from "../tags/tag-lines.ts";
import { isSimulated, SimulatedMark } from "../usage/simulated.tsx";
import { makeMomentColumns } from "./moment-columns.tsx";
import type { LoggedRequest } from "./queries.ts";
import { addAdjustment, describeStatus, formatCaller, formatDuration } from "./words.ts";

interface RequestTableProps {
  requests: readonly LoggedRequest[];
  /** Opens one request. */
  onOpen: (id: string) => void;
  /** Columns to hide, because all rows have the same value. */
  hides?: readonly ("key" | "workspace")[];
  /** Choices of the member. Absent: the usual columns. */
  view?: TableView | undefined;
}

/** Table of requests. A press on a row opens the request. */
export function RequestTable({ requests, onOpen, hides = noneHidden, view }: RequestTableProps) {
  const columns = useMemo(
    () => makeRequestColumns(onOpen).filter(({ id }) => !hides.some((hidden) => hidden === id)),
    [onOpen, hides],
  );
  return (
    <Table label="Requests" columns={columns} rows={requests} rowKey={({ id }) => id} view={view} />
  );
}

const noneHidden: readonly [] = [];

/** Columns of a request, with those that a member can add. */
export function makeRequestColumns(onOpen: (id: string) => void): Column<LoggedRequest>[] {
  return [
    ...makeMomentColumns<LoggedRequest>({ at: ({ started_at }) => started_at, onOpen }),
    {
      id: "key",
      header: "Key",
      from: "lg",
      isBelow: true,
      cell: (request) => <Short text={formatCaller(request)} />,
    },
    {
      id: "workspace",
      header: "Workspace",
      from: "xl",
      isBelow: true,
      cell: ({ workspace_name, workspace_id }) => <Short text={workspace_name ?? workspace_id} />,
    },
    {
      id: "model",
      header: "Model",
      from: "sm",
      isBelow: true,
      cell: ({ model }) => <ModelName model={model} />,
    },
    {
      id: "status",
      header: "Status",
      cell: (request) => <Status request={request} />,
    },
    {
      id: "tokens",
      header: "Tokens",
      isNumeric: true,
      from: "sm",
      cell: ({ total_tokens }) => <Tokens count={total_tokens} />,
    },
    {
      id: "cost",
      header: "Cost",
      isNumeric: true,
      cell: (request) => <Cost request={request} />,
    },
    {
      id: "latency",
      header: "Latency",
      isNumeric: true,
      from: "xl",
      cell: ({ latency_ms }) => (
        <span className="whitespace-nowrap">{formatDuration(latency_ms)}</span>
      ),
    },
    {
      id: "first_byte",
      header: "First byte",
      isNumeric: true,
      isOptional: true,
      cell: ({ first_byte_ms }) => (
        <span className="whitespace-nowrap">
          {first_byte_ms === null ? "–" : formatDuration(first_byte_ms)}
        </span>
      ),
    },
    {
      id: "stream",
      header: "Stream",
      isOptional: true,
      cell: ({ is_stream }) => (is_stream ? "Yes" : <span className="text-faint">No</span>),
    },
    {
      id: "member",
      header: "Member",
      isOptional: true,
      cell: ({ member_name, member_email }) => <Short text={member_name ?? member_email ?? "–"} />,
    },
    { id: "client", header: "Client", isOptional: true, cell: ({ client }) => client },
    {
      id: "tags",
      header: "Tags",
      isOptional: true,
      cell: ({ tags }) => <Short text={listTags(tags).join(", ") || "–"} />,
    },
    {
      id: "session",
      header: "Agent session",
      isOptional: true,
      cell: ({ claimed }) => <Short text={claimed?.agent_session_id ?? "–"} />,
    },
    {
      id: "upstream",
      header: "Upstream request",
      isOptional: true,
      cell: ({ upstream_request_id: id }) => (id === null ? "–" : <code>{id}</code>),
    },
  ];
}

function Cost({ request }: { request: LoggedRequest }) {
  const cost = <Money usd={addAdjustment(request)} />;
  if (!isSimulated(request)) return cost;
  return (
    <span className="inline-flex items-center gap-1.5">
      <SimulatedMark /> {cost}
    </span>
  );
}

function Status({ request }: { request: LoggedRequest }) {
  const { doubt, has_unbilled_parts, adjustment_usd } = request;
  const { tone, label, short } = describeStatus(request);
  return (
    <span title={label} className="inline-flex flex-wrap gap-1">
      <Badge tone={tone}>{short}</Badge>
      {adjustment_usd !== null ? (
        <Badge>Cost set</Badge>
      ) : (
        doubt !== null && <Badge tone="warn">Doubtful cost</Badge>
      )}
      {has_unbilled_parts && <Badge tone="warn">Unbilled parts</Badge>}
    </span>
  );
}

/** Name of a model, without its date on a narrow screen. The title has the whole name. */
function ModelName({ model }: { model: string }) {
  const [, name = model, date = ""] = /^(.+?)(-\d{8})?$/.exec(model) ?? [];
  return (
    <span className="block max-w-32 truncate lg:max-xl:max-w-28" title={model}>
      {name}
      <span className="max-sm:hidden">{date}</span>
    </span>
  );
}

function Short({ text }: { text: string }) {
  return (
    <span className="block max-w-24 truncate min-[1400px]:max-w-47" title={text}>
      {text}
    </span>
  );
}
