import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { Select } from "../../ui/input.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { AcknowledgeDialog } from "./acknowledge-dialog.tsx";
import { DeliveryStates } from "./delivery-states.tsx";
import { type Firing, useFirings } from "./queries.ts";
import type { FiringsSearch, FiringView } from "./search.ts";
import { alertKinds, asKind, kindWords } from "./words.ts";

/** List of firings, newest first. */
export function AlertHistoryTab() {
  const { show = "open", kind: kindText }: FiringsSearch = useSearch({ strict: false });
  const kind = asKind(kindText);
  const navigate = useNavigate();
  const may = useMay();
  const firings = useFirings(show, kind);
  const [acknowledged, setAcknowledged] = useState<Firing | null>(null);
  const columns = useMemo(() => makeColumns(may, setAcknowledged), [may]);
  const go = (search: FiringsSearch) => void navigate({ to: "/alerts", search, replace: true });
  if (firings.error && firings.items.length === 0) {
    return <LoadError error={firings.error} onRetry={firings.refetch} />;
  }
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-center gap-3">
        <Segments<FiringView>
          label="Filter"
          value={show}
          options={[
            ["open", "Open"],
            ["acknowledged", "Acknowledged"],
            ["all", "All"],
          ]}
          onChange={(view) => go({ show: view, ...(kind && { kind }) })}
        />
        <Select
          aria-label="Kind"
          className="w-56"
          value={kind ?? ""}
          onChange={({ target }) => {
            go({ show, ...(target.value !== "" && { kind: target.value }) });
          }}
        >
          <option value="">Every kind</option>
          {alertKinds.map((each) => (
            <option key={each} value={each}>
              {kindWords[each].label}
            </option>
          ))}
        </Select>
      </div>
      {firings.isPending ? (
        <SkeletonRows />
      ) : firings.items.length === 0 ? (
        <EmptyState
          title={show === "open" ? "No open alert" : "No alert has fired"}
          action={<ButtonLink to="/alerts/rules">Open rules</ButtonLink>}
        >
          An alert fires once for each scope, period and threshold. Open alerts are listed until
          they are acknowledged.
        </EmptyState>
      ) : (
        <Table
          label="Fired alerts"
          columns={columns}
          rows={firings.items}
          rowKey={({ id }) => id}
          isDimmed={({ acknowledged_at }) => show === "all" && acknowledged_at !== null}
        />
      )}
      {firings.hasOlder && (
        <Button className="mx-auto" isBusy={firings.isLoadingOlder} onClick={firings.loadOlder}>
          Load older alerts
        </Button>
      )}
      <AcknowledgeDialog firing={acknowledged} onClose={() => setAcknowledged(null)} />
    </div>
  );
}

function makeColumns(
  may: ReturnType<typeof useMay>,
  onAcknowledge: (firing: Firing) => void,
): Column<Firing>[] {
  return [
    {
      id: "title",
      header: "Alert",
      cell: (firing) => (
        <span className="grid min-w-40 gap-0.5 py-1">
          <Link
            to="/alerts/firings/$firingId"
            params={{ firingId: firing.id }}
            className="link font-medium"
          >
            {firing.title}
          </Link>
          <span className="text-xs text-quiet">
            {kindWords[firing.kind].label} · {firing.alert.name}
            {firing.kind === "spend_limit" && ` · at ${firing.threshold}`}
            <span className="sm:hidden">
              {" "}
              · <RelativeTime at={firing.fired_at} />
            </span>
          </span>
        </span>
      ),
    },
    {
      id: "scope",
      header: "Scope",
      from: "lg",
      cell: (firing) => <span className="block max-w-48 truncate">{firing.scope_name}</span>,
    },
    {
      id: "fired",
      header: "Fired",
      from: "sm",
      cell: (firing) => <RelativeTime at={firing.fired_at} />,
    },
    {
      id: "deliveries",
      header: "Notified",
      from: "sm",
      cell: (firing) => <DeliveryStates firing={firing} />,
    },
    {
      id: "state",
      header: "",
      isNumeric: true,
      cell: (firing) =>
        firing.acknowledged_at ? (
          <Badge tone="good">acknowledged</Badge>
        ) : may("alerts:write", firing.workspace_id ?? undefined) ? (
          <Button
            kind="quiet"
            aria-label={`Acknowledge: ${firing.title}`}
            onClick={() => onAcknowledge(firing)}
          >
            Acknowledge…
          </Button>
        ) : (
          <Badge tone="warn">open</Badge>
        ),
    },
  ];
}
