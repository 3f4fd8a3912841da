import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { Badge } from "../../ui/badge.tsx";
import { formatUsd, toNanoUsd, toUsdText } from "../../ui/format.ts";
import { type Column, Table } from "../../ui/table.tsx";
import { LimitLink } from "../spend-limits/limit-link.tsx";
import { makeMomentColumns } from "./moment-columns.tsx";
import { findLimitName, nameCause, type Refusal } from "./refusal-words.ts";

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
        <span className="grid gap-0.5 xl:max-w-64">
          <span title={refusal.error_code}>{nameCause(refusal.error_code)}</span>
          <Facts refusal={refusal} />
        </span>
      ),
    },
    {
      id: "status",
      header: "Status",
      from: "sm",
      cell: ({ http_status: status }) => (
        <Badge tone={status >= 500 ? "bad" : "warn"}>{String(status)}</Badge>
      ),
    },
    {
      id: "key",
      header: "Key",
      from: "sm",
      isBelow: true,
      cell: (refusal) => <Key refusal={refusal} />,
    },
    {
      id: "workspace",
      header: "Workspace",
      from: "lg",
      isBelow: true,
      cell: ({ workspace_name, workspace_id }) => (
        <span className="lg:whitespace-nowrap">{workspace_name ?? workspace_id ?? "–"}</span>
      ),
    },
    { id: "model", header: "Model", from: "lg", isBelow: true, cell: ({ model }) => model ?? "–" },
    { id: "address", header: "Address", from: "lg", cell: ({ address }) => address ?? "–" },
  ];
}

function Key({ refusal }: { refusal: Refusal }) {
  const { api_key_id: id, api_key_name: name, is_playground } = refusal;
  if (id === null) return <span className="text-quiet">Unknown key</span>;
  if (is_playground) return "Playground";
  return (
    <Link
      to="/api-keys/$keyId"
      params={{ keyId: id } as never}
      className="link xl:inline-block xl:min-w-40"
    >
      {name ?? id}
    </Link>
  );
}

/** The facts that explain the cause best. */
function Facts({ refusal }: { refusal: Refusal }) {
  const { facts } = refusal;
  if (facts.limit) return <LimitFacts refusal={refusal} limit={facts.limit} />;
  const text = describeFacts(facts);
  return text === null ? null : <span className="text-sm text-quiet">{text}</span>;
}

type Limit = NonNullable<Refusal["facts"]["limit"]>;

/** The limit that refused, its amounts, and the amount that the request needed. */
function LimitFacts({ refusal, limit }: { refusal: Refusal; limit: Limit }) {
  const { held_usd, unresolved_usd, needed_usd } = limit;
  const amounts = [
    `${formatUsd(limit.spent_usd)} spent`,
    isPositive(held_usd) && `${formatUsd(held_usd)} held`,
    isPositive(unresolved_usd) && `${formatUsd(unresolved_usd)} unresolved`,
    isPositive(needed_usd) && `${formatUsd(needed_usd)} needed`,
  ];
  return (
    <span className="grid gap-0.5 text-sm text-quiet">
      <span>
        <LimitLink
          limitId={limit.id}
          scope={limit.scope}
          scopeName={findLimitName(refusal, limit)}
          period={limit.period}
        />
        : {formatUsd(toUsdText(limit.limit_usd))}
      </span>
      <span>{amounts.filter((each) => each !== false).join(", ")}</span>
    </span>
  );
}

function isPositive(usd: string | null | undefined): usd is string {
  return typeof usd === "string" && toNanoUsd(usd) > 0n;
}

function describeFacts(facts: Refusal["facts"]): string | null {
  const { rate_limit: rate, allowed_models: models, fields, header } = facts;
  if (rate) return `${rate.per_minute} ${rate.kind.replace("_", " ")} a minute`;
  if (models) return `Allowed: ${models.join(", ")}`;
  if (fields?.length) return `Fields: ${fields.join(", ")}`;
  return header ?? null;
}
