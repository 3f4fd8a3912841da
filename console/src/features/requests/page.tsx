import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { download } from "../../api-client.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { makeRequestColumns, RequestTable } from "../../kit/requests/request-table.tsx";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { RangeBar } from "../../kit/usage/filter-bar.tsx";
import { LiveToggle, StaleBadge } from "../../kit/usage/live.tsx";
import { useReplicaNote } from "../../kit/usage/replica-note.ts";
import type { ReportSearch } from "../../kit/usage/search.ts";
import { useSaveFile } from "../../kit/use-save-file.ts";
import { lateDialog } from "../../late-dialog.tsx";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { NarrowFilters } from "../../ui/narrow-filters.tsx";
import { Page } from "../../ui/page.tsx";
import { EmptyState, FormError, SkeletonRows } from "../../ui/states.tsx";
import type { TableView } from "../../ui/table-columns.ts";
import { showToast } from "../../ui/toast.ts";
import { LogKind } from "./log-kind.tsx";
import { type RequestsQuery, toRequestsQuery } from "./log-query.ts";
import { useRequests } from "./queries.ts";
import { RefusedRequestsPage } from "./refusals.tsx";
import { countLogFilters, RequestFilters } from "./request-filters.tsx";
import { Retention } from "./retention.tsx";

const RequestDrawer = lateDialog(() => import("./request-drawer.tsx"), "RequestDrawer");

/** Request log, newest first. The address has the filters. */
export function RequestsPage() {
  const search: ReportSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const go = useCallback(
    (next: (before: ReportSearch) => object, replace: boolean) =>
      void navigate({ to: "/requests", search: next, replace } as never),
    [navigate],
  );
  const change = (changed: ReportSearch) => go((before) => ({ ...before, ...changed }), true);
  if (search.refused) {
    return (
      <RefusedRequestsPage
        search={search}
        onChange={change}
        onClear={() => go(() => ({ refused: true }), true)}
      />
    );
  }
  return <SentRequests search={search} go={go} change={change} />;
}

interface SentRequestsProps {
  search: ReportSearch;
  go: (next: (before: ReportSearch) => object, replace: boolean) => void;
  change: (changed: ReportSearch) => void;
}

function SentRequests({ search, go, change }: SentRequestsProps) {
  const open = useCallback((id: string) => go((before) => ({ ...before, open: id }), false), [go]);
  const close = () => go(({ open: _, ...before }) => before, true);
  const { open: shownId } = search;
  const query = useLogQuery(search);
  const isLive = search.live === true;
  const requests = useRequests(query, isLive);
  useLoadWhileEmpty(requests);
  const note = useReplicaNote();
  const view = useTableView();
  const columns = useMemo(() => makeRequestColumns(open), [open]);
  return (
    <Page
      title="Requests"
      guide="reports"
      lead={`${note ? `All requests to Claude. ${note}` : "All requests to Claude, listed within two seconds of their end."} Prompts and responses are never stored.`}
      actions={<Export query={query} />}
    >
      <div className="grid gap-4">
        <Retention />
        <div className="no-print flex flex-wrap items-center gap-2.5">
          <LogKind search={search} onChange={change} />
          <RangeBar search={search} onChange={change} fallback={null} />
          <LiveToggle
            isLive={isLive}
            onChange={(on) => change({ live: on || undefined, at: undefined })}
          />
          {search.at && (
            <span className="text-sm text-quiet">
              Only {search.at.replace("T", ", ")}
              {search.at.length === 13 ? ":00 to :59" : ""} UTC
            </span>
          )}
          <span className="sm:ml-auto">
            <ButtonLink to="/usage" search={toUsageSearch(search)} kind="quiet">
              View usage
            </ButtonLink>
          </span>
        </div>
        <div className="no-print flex flex-wrap items-center gap-2.5">
          <NarrowFilters count={countLogFilters(search)}>
            <RequestFilters search={search} onChange={change} />
          </NarrowFilters>
          <StaleBadge
            error={requests.items.length > 0 ? requests.error : null}
            readAt={new Date(requests.readAtMs).toISOString()}
          />
          <span className="ml-auto">
            <TableTools columns={columns} view={view} />
          </span>
        </div>
        <Requests
          requests={requests}
          view={view}
          onOpen={open}
          onClear={() => go(() => ({}), true)}
        />
      </div>
      <RequestDrawer
        id={shownId}
        isOpen={shownId !== undefined}
        onClose={close}
        onFilter={(changed) => go(({ open: _, ...before }) => ({ ...before, ...changed }), true)}
      />
    </Page>
  );
}

/** Query with a fixed start time, which changes only with the filters. A moving start would reload the log. */
function useLogQuery(search: ReportSearch): RequestsQuery {
  const { open: _, sort, columns, ...filters } = search;
  const text = JSON.stringify(filters);
  return useMemo(() => toRequestsQuery(JSON.parse(text) as ReportSearch, Date.now()), [text]);
}

function toUsageSearch({
  request,
  upstream,
  session,
  prompt,
  cost,
  doubt,
  unbilled,
  cut,
  refused,
  code,
  open,
  sort,
  columns,
  ...rest
}: ReportSearch): ReportSearch {
  return rest;
}

type Requests = ReturnType<typeof useRequests>;
const MAX_EMPTY_PAGES = 5;

/** Loads a few more pages while pages are empty, since a page of a rare filter can be empty before the end. */
function useLoadWhileEmpty({
  items,
  hasOlder,
  isLoadingOlder,
  error,
  loadOlder,
  pageCount,
}: Requests) {
  const canLoadMore = items.length === 0 && hasOlder && !isLoadingOlder && error === null;
  const load = useRef(loadOlder);
  load.current = loadOlder;
  useEffect(() => {
    if (canLoadMore && pageCount < MAX_EMPTY_PAGES) load.current();
  }, [canLoadMore, pageCount]);
}

interface RequestsProps {
  requests: Requests;
  view: TableView;
  onOpen: (id: string) => void;
  onClear: () => void;
}

function Requests({ requests, view, onOpen, onClear }: RequestsProps) {
  const { items, error, isPending, hasOlder, isLoadingOlder } = requests;
  if (error && items.length === 0) {
    return <LoadError error={error} onRetry={requests.refetch} />;
  }
  if (isPending || (items.length === 0 && isLoadingOlder)) return <SkeletonRows />;
  return (
    <>
      {items.length > 0 ? (
        <RequestTable requests={items} onOpen={onOpen} view={view} />
      ) : hasOlder ? (
        <EmptyState title="No match yet">The newest part of the log was searched.</EmptyState>
      ) : (
        <EmptyState
          title="No request matches"
          action={<Button onClick={onClear}>Show all requests</Button>}
          code={<CodeBlock text="./bursar requests list" what="command" />}
        >
          A request appears here within two seconds of its end.
        </EmptyState>
      )}
      {hasOlder && (
        <Button className="mx-auto" isBusy={isLoadingOlder} onClick={requests.loadOlder}>
          {items.length > 0 ? "Load older requests" : "Search older requests"}
        </Button>
      )}
    </>
  );
}

/** Exports all filtered requests, including those that are not loaded. */
function Export({ query }: { query: RequestsQuery }) {
  const { busy, error, save: saveAs } = useSaveFile<"csv" | "jsonl">();
  const save = async (format: "csv" | "jsonl") => {
    const load = () => download("exportRequests", { query: { ...query, format } });
    const name = await saveAs(format, load);
    if (name !== null) showToast(`Saved ${name}`);
  };
  return (
    <>
      <FormError error={error} />
      <Button isBusy={busy === "csv"} onClick={() => void save("csv")}>
        <Download size={15} /> Save as CSV
      </Button>
      <Button isBusy={busy === "jsonl"} onClick={() => void save("jsonl")}>
        <Download size={15} /> Save as JSONL
      </Button>
    </>
  );
}
