import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { MarkedMoney } from "../../kit/usage/simulated.tsx";
import { usePages } from "../../queries.ts";
import { Tokens } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatCount, toNanoUsd } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { AgentSessionDrawer } from "./agent-session-drawer.tsx";
import { type AgentSession, formatOwner } from "./agent-sessions.ts";
import type { AgentSessionsSearch } from "./search.ts";

/** Sessions of Claude Code with their cost, the newest first. The address has the search and the open session. */
export function AgentSessionsTab() {
  const search: AgentSessionsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const go = useCallback(
    (changed: AgentSessionsSearch, replace: boolean) =>
      void navigate({
        to: "/claude-code/agent-sessions",
        search: ({ sort, columns: shown }: AgentSessionsSearch) => ({
          sort,
          columns: shown,
          ...changed,
        }),
        replace,
      } as never),
    [navigate],
  );
  const { find, open, member, key } = search;
  const sessions = usePages("listAgentSessions", { agent_session_id: find });
  const columns = useMemo(
    () => makeColumns((session) => go({ find, ...toOpened(session) }, false)),
    [find, go],
  );
  const view = useTableView();
  if (sessions.error && sessions.items.length === 0) {
    return <LoadError error={sessions.error} onRetry={sessions.refetch} />;
  }
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-center gap-2.5">
        <SearchBox
          label="Find an agent session"
          placeholder="Full id of a session"
          value={find ?? ""}
          onFind={(text) => go({ find: text.trim() || undefined }, true)}
        />
        <p className="text-sm text-quiet">
          <Badge>claimed</Badge> Clients send the ids. Owners, usage and cost are verified.
        </p>
        <span className="ml-auto">
          <TableTools columns={columns} view={view} />
        </span>
      </div>
      {sessions.isPending ? (
        <SkeletonRows />
      ) : sessions.items.length === 0 ? (
        <NoSessions find={find} hasOlder={sessions.hasOlder} />
      ) : (
        <Table
          label="Agent sessions"
          columns={columns}
          rows={sessions.items}
          rowKey={({ id, member_id, api_key_id }) => `${id} ${member_id ?? api_key_id}`}
          view={view}
        />
      )}
      {sessions.hasOlder && (
        <Button className="mx-auto" isBusy={sessions.isLoadingOlder} onClick={sessions.loadOlder}>
          {sessions.items.length > 0 ? "Load older sessions" : "Search older requests"}
        </Button>
      )}
      <AgentSessionDrawer
        session={open === undefined ? null : { id: open, member, key }}
        onClose={() => go({ find }, true)}
      />
    </div>
  );
}

function toOpened({ id, member_id, api_key_id }: AgentSession): AgentSessionsSearch {
  return member_id === null
    ? { open: id, key: api_key_id ?? undefined }
    : { open: id, member: member_id };
}

interface NoSessionsProps {
  /** Id that was searched. */
  find: string | undefined;
  hasOlder: boolean;
}

function NoSessions({ find, hasOlder }: NoSessionsProps) {
  if (hasOlder) {
    return <EmptyState title="No session yet">The newest part of the log was searched.</EmptyState>;
  }
  if (find !== undefined) {
    return (
      <EmptyState title="No session has this id">
        The search needs the full id of a session.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="No agent session"
      code={<CodeBlock text="./bursar agent-sessions list" what="command" />}
    >
      A session appears here within two seconds of its first request.
    </EmptyState>
  );
}

function makeColumns(onOpen: (session: AgentSession) => void): Column<AgentSession>[] {
  return [
    {
      id: "id",
      header: "Session",
      cell: (session) => (
        <button
          type="button"
          className="link max-w-60 truncate font-mono text-xs sm:max-w-40 sm:text-sm"
          title={session.id}
          aria-label={`Session ${session.id} of ${formatOwner(session)}`}
          onClick={() => onOpen(session)}
        >
          {session.id}
        </button>
      ),
    },
    {
      id: "owner",
      header: "Owner",
      from: "sm",
      isBelow: true,
      cell: (session) => formatOwner(session),
    },
    {
      id: "models",
      header: "Models",
      from: "lg",
      cell: ({ models }) => models.map(({ model }) => model).join(", "),
    },
    {
      id: "requests",
      header: "Requests",
      isNumeric: true,
      from: "lg",
      cell: ({ requests }) => formatCount(requests),
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
      cell: ({ cost_usd, simulated_cost_usd }) => (
        <MarkedMoney usd={cost_usd} partNano={toNanoUsd(simulated_cost_usd)} />
      ),
    },
    {
      id: "last",
      header: "Last request",
      from: "sm",
      isBelow: true,
      isTime: true,
      cell: ({ last_request_at }) => <RelativeTime at={last_request_at} />,
    },
  ];
}
