import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { ItemOf } from "../../queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { makeMomentColumns } from "./moment-columns.tsx";

export type Refusal = ItemOf<"listRecentRefusals">;

/** Table of refused requests with their causes. */
export function RefusalTable({ refusals }: { refusals: readonly Refusal[] }) {
  const columns = useMemo(makeColumns, []);
  return (
    <Table label="Refused requests" columns={columns} rows={refusals} rowKey={({ id }) => id} />
  );
}

function makeColumns(): Column<Refusal>[] {
  return [
    ...makeMomentColumns<Refusal>({ at: ({ refused_at }) => refused_at }),
    {
      id: "cause",
      header: "Cause",
      cell: (refusal) => (
        <span className="grid gap-0.5">
          <code>{refusal.error_code}</code>
          <Facts refusal={refusal} />
        </span>
      ),
    },
    {
      id: "status",
      header: "Status",
      cell: ({ http_status: status }) => (
        <Badge tone={status >= 500 ? "bad" : "warn"}>{String(status)}</Badge>
      ),
    },
    { id: "key", header: "Key", from: "sm", cell: (refusal) => <Key refusal={refusal} /> },
    {
      id: "workspace",
      header: "Workspace",
      from: "lg",
      cell: ({ workspace_name, workspace_id }) => workspace_name ?? workspace_id ?? "–",
    },
    { id: "model", header: "Model", from: "lg", cell: ({ model }) => model ?? "–" },
    { id: "address", header: "Address", from: "lg", cell: ({ address }) => address ?? "–" },
  ];
}

function Key({ refusal }: { refusal: Refusal }) {
  const { api_key_id: id, api_key_name: name, is_playground } = refusal;
  if (id === null) return <span className="text-quiet">Unknown key</span>;
  if (is_playground) return "Playground";
  return (
    <Link to="/api-keys/$keyId" params={{ keyId: id } as never} className="link">
      {name ?? id}
    </Link>
  );
}

/** The fact that explains the cause best. */
function Facts({ refusal: { facts } }: { refusal: Refusal }) {
  const text = describeFacts(facts);
  return text === null ? null : <span className="text-sm text-quiet">{text}</span>;
}

function describeFacts(facts: Refusal["facts"]): string | null {
  const { limit, rate_limit: rate, allowed_models: models, fields, header } = facts;
  if (limit) return `${limit.period} limit of $${limit.limit_usd}, $${limit.spent_usd} spent`;
  if (rate) return `${rate.per_minute} ${rate.kind.replace("_", " ")} a minute`;
  if (models) return `Allowed: ${models.join(", ")}`;
  if (fields?.length) return `Fields: ${fields.join(", ")}`;
  return header ?? null;
}
