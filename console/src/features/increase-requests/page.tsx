import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { periodWords } from "../../kit/spend-limits/words.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { formatUsd } from "../../ui/format.ts";
import { BackLink, Page } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { type IncreaseRequest, useIncreaseRequests } from "./queries.ts";
import type { IncreaseRequestsSearch, RequestView } from "./search.ts";
import { describeScope, formatActor, statusTones } from "./words.ts";

/** Increase requests of the member, and those that the member can decide. */
export function IncreaseRequestsPage() {
  const { show = "pending" }: IncreaseRequestsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const may = useMay();
  const requests = useIncreaseRequests(show);
  const columns = useMemo(makeColumns, []);
  if (requests.error && requests.items.length === 0) {
    return <LoadError error={requests.error} onRetry={requests.refetch} />;
  }
  const create = may("spend_limits:request") && (
    <ButtonLink to="/increase-requests/new" kind="primary">
      Request increase
    </ButtonLink>
  );
  return (
    <Page
      title="Increase requests"
      guide="spend-limits"
      above={may("spend_limits:read") && <BackLink to="/spend-limits">Limits</BackLink>}
      lead="Requests for higher spend limits, and the decisions."
      actions={create}
    >
      <div className="grid gap-4">
        <div>
          <Segments<RequestView>
            label="Filter"
            value={show}
            options={[
              ["pending", "Pending"],
              ["all", "All"],
            ]}
            onChange={(view) =>
              void navigate({ to: "/increase-requests", search: { show: view }, replace: true })
            }
          />
        </div>
        {requests.isPending ? (
          <SkeletonRows rows={3} />
        ) : requests.items.length === 0 ? (
          <EmptyState title={show === "pending" ? "No request is pending" : "No request yet"}>
            Members who reach a limit can request a higher one. The request is sent to members who
            can set the limit.
          </EmptyState>
        ) : (
          <Table
            label="Increase requests"
            columns={columns}
            rows={requests.items}
            rowKey={({ id }) => id}
          />
        )}
        {requests.hasOlder && (
          <Button className="mx-auto" isBusy={requests.isLoadingOlder} onClick={requests.loadOlder}>
            Load older requests
          </Button>
        )}
      </div>
    </Page>
  );
}

/** Limit that the request would change: the current one, or the one that a decided request had. */
function findLimit({ status, limit_usd, limit_when_asked_usd }: IncreaseRequest): string {
  return status === "pending" && limit_usd !== null ? limit_usd : limit_when_asked_usd;
}

function makeColumns(): Column<IncreaseRequest>[] {
  return [
    {
      id: "what",
      header: "Scope",
      cell: (request) => (
        <span className="grid min-w-36 gap-0.5 py-1">
          <Link
            to="/increase-requests/$requestId"
            params={{ requestId: request.id }}
            className="link font-medium"
          >
            {scopeLabel(request.scope.type, request.scope_name)}
          </Link>
          <span className="text-xs text-quiet">{periodWords[request.period]}</span>
        </span>
      ),
    },
    {
      id: "amount",
      header: "Change",
      isNumeric: true,
      cell: (request) => (
        <span className="sm:whitespace-nowrap">
          <span className="text-quiet">{formatUsd(findLimit(request))} →</span>{" "}
          {formatUsd(request.amount_usd)}
        </span>
      ),
    },
    {
      id: "who",
      header: "Requester",
      from: "sm",
      isBelow: true,
      cell: (request) => (
        <span className="sm:grid sm:min-w-27 sm:gap-0.5">
          <span className="sm:max-w-48 sm:truncate">{formatActor(request.requester)}</span>{" "}
          <span className="text-xs text-quiet">
            <RelativeTime at={request.created_at} />
          </span>
        </span>
      ),
    },
    {
      id: "reason",
      header: "Reason",
      from: "xl",
      isBelow: true,
      isSentence: true,
      cell: (request) => (
        <span className="text-quiet xl:line-clamp-2" title={request.reason}>
          {request.reason}
        </span>
      ),
    },
    {
      id: "status",
      header: "State",
      cell: (request) => (
        <Badge tone={statusTones[request.status]}>
          <span className="sr-only">Limit of {describeScope(request)}: </span>
          {request.status}
        </Badge>
      ),
    },
  ];
}
