import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useMemo, useState } from "react";
import { download } from "../../api-client.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { useSaveFile } from "../../kit/use-save-file.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatExactTime, formatMoment, nameTimeZone } from "../../ui/format.ts";
import { Page } from "../../ui/page.tsx";
import { EmptyState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { ActorName, AuditFilters, EventDrawer } from "./components.tsx";
import { describeEvent, type NameOf } from "./describe-event.ts";
import { type AuditEvent, useAuditEvents, useSubjectNames } from "./queries.ts";
import { type AuditSearch, toQuery } from "./search.ts";
import { ChainState } from "./state.tsx";

/** List of audit events. The address has the filters, so that a view can be shared. */
export function AuditLogPage() {
  const search: AuditSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const query = useMemo(() => toQuery(search), [search]);
  const events = useAuditEvents(query);
  const [shown, setShown] = useState<AuditEvent | null>(null);
  const nameOf = useSubjectNames(events.items);
  const columns = useMemo(() => makeColumns(setShown, nameOf), [nameOf]);
  const view = useTableView();
  const change = (changed: AuditSearch) =>
    void navigate({ to: "/audit-log", search: { ...search, ...changed }, replace: true });
  const clear = () => void navigate({ to: "/audit-log", search: {}, replace: true });
  if (events.error && events.items.length === 0) {
    return <LoadError error={events.error} onRetry={events.refetch} />;
  }
  return (
    <Page
      title="Audit log"
      guide="audit-log"
      lead="All changes and refusals, recorded in the transaction of the change. Events cannot be changed."
      actions={<Export query={query} />}
    >
      <ChainState />
      <div className="grid gap-4">
        <AuditFilters search={search} onChange={change} onClear={clear}>
          <TableTools columns={columns} view={view} />
        </AuditFilters>
        {events.isPending ? (
          <SkeletonRows />
        ) : events.items.length === 0 ? (
          <EmptyState
            title="No event matches"
            action={<Button onClick={clear}>Show all events</Button>}
            code={<CodeBlock text="./bursar audit export --format csv" what="command" />}
          >
            An event appears here as soon as a change is made.
          </EmptyState>
        ) : (
          <Table
            label="Audit events"
            columns={columns}
            rows={events.items}
            rowKey={(event) => event.id}
            view={view}
          />
        )}
        {events.hasOlder && (
          <Button className="mx-auto" isBusy={events.isLoadingOlder} onClick={events.loadOlder}>
            Load older events
          </Button>
        )}
      </div>
      <EventDrawer
        event={shown}
        onClose={() => setShown(null)}
        onFilter={(changed) => {
          setShown(null);
          change(changed);
        }}
      />
    </Page>
  );
}

/** Exports all filtered events, including those that are not loaded. */
function Export({ query }: { query: Record<string, string> }) {
  const { busy, error, save: saveAs } = useSaveFile<"csv" | "jsonl">();
  const save = (format: "csv" | "jsonl") =>
    saveAs(format, () => download("exportAuditEvents", { query: { ...query, format } }));
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

function makeColumns(onOpen: (event: AuditEvent) => void, nameOf: NameOf): Column<AuditEvent>[] {
  return [
    {
      id: "time",
      header: `Time, ${nameTimeZone()}`,
      cell: ({ created_at }) => (
        <time
          dateTime={created_at}
          title={formatExactTime(created_at)}
          className="figures whitespace-nowrap"
        >
          {formatMoment(created_at, true)}
        </time>
      ),
    },
    {
      id: "actor",
      header: "Actor",
      from: "sm",
      isBelow: true,
      cell: (event) => (
        <span className="block max-w-52 truncate">
          <ActorName event={event} />
        </span>
      ),
    },
    {
      id: "event",
      header: "Event",
      cell: (event) => (
        <button
          type="button"
          className="w-fit rounded-sm text-left font-medium after:absolute after:inset-0"
          onClick={() => onOpen(event)}
        >
          <code className="max-sm:wrap-anywhere">{event.event}</code>
        </button>
      ),
    },
    {
      id: "change",
      header: "Change",
      from: "xl",
      isBelow: true,
      isSentence: true,
      cell: (event) => describeEvent(event, nameOf),
    },
    {
      id: "workspace",
      header: "Workspace",
      from: "sm",
      isOptional: true,
      cell: ({ workspace_id: id }) => (id === null ? "–" : (nameOf(id) ?? id)),
    },
    {
      id: "object",
      header: "Object id",
      isOptional: true,
      cell: (event) => <code className="text-quiet">{event.subject.id}</code>,
    },
    {
      id: "address",
      header: "Address",
      from: "xl",
      cell: (event) => <code className="text-quiet">{event.ip_address ?? "–"}</code>,
    },
  ];
}
