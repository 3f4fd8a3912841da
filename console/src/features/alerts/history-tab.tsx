import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { Select } from "../../ui/input.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { AcknowledgeGroupsDialog } from "./acknowledge-dialog.tsx";
import type { GroupAction } from "./group-action.ts";
import { GroupDrawer } from "./group-drawer.tsx";
import { GroupTable } from "./group-table.tsx";
import { MuteDialog } from "./mute-dialog.tsx";
import { type AlertKind, useGroups } from "./queries.ts";
import type { FiringsSearch, FiringView } from "./search.ts";
import { alertKinds, asKind, kindWords } from "./words.ts";

/** List of fired alerts, grouped by kind and scope. The newest or the most severe comes first. */
export function AlertHistoryTab() {
  const { show = "open", kind: kindText, order }: FiringsSearch = useSearch({ strict: false });
  const kind = asKind(kindText);
  const groups = useGroups(show, { kind, order });
  const navigate = useNavigate();
  const go = (changed: FiringsSearch) => {
    const search = { show, ...(kind && { kind }), ...(order && { order }), ...changed };
    void navigate({ to: "/alerts", search, replace: true });
  };
  const [action, setAction] = useState<GroupAction | null>(null);
  const close = () => setAction(null);
  if (groups.error && groups.items.length === 0) {
    return <LoadError error={groups.error} onRetry={groups.refetch} />;
  }
  return (
    <div className="grid gap-4">
      <HistoryFilters show={show} kind={kind} onChange={go} />
      {groups.isPending ? (
        <SkeletonRows />
      ) : groups.items.length === 0 ? (
        <NoGroups show={show} />
      ) : (
        <GroupTable
          groups={groups.items}
          show={show}
          order={order}
          onOrder={(next) => go({ order: next })}
          onAction={setAction}
        />
      )}
      {groups.hasOlder && (
        <Button className="mx-auto" isBusy={groups.isLoadingOlder} onClick={groups.loadOlder}>
          Load older alerts
        </Button>
      )}
      {action?.kind === "acknowledge" && (
        <AcknowledgeGroupsDialog groups={action.groups} onClose={close} />
      )}
      {action?.kind === "mute" && (
        <MuteDialog
          rules={action.group.alerts.filter(({ is_deleted }) => !is_deleted)}
          periodEndsAt={action.group.period_ends_at}
          onClose={close}
        />
      )}
      {action?.kind === "list" && <GroupDrawer group={action.group} view={show} onClose={close} />}
    </div>
  );
}

const views = [
  ["open", "Open"],
  ["ended", "Ended"],
  ["acknowledged", "Acknowledged"],
  ["all", "All"],
] as const;

interface FiltersProps {
  show: FiringView;
  kind: AlertKind | undefined;
  onChange: (changed: FiringsSearch) => void;
}

function HistoryFilters({ show, kind, onChange }: FiltersProps) {
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Segments<FiringView>
        label="Filter"
        value={show}
        options={views}
        onChange={(view) => onChange({ show: view })}
      />
      <Select
        aria-label="Kind"
        className="w-56"
        value={kind ?? ""}
        onChange={({ target }) => onChange({ kind: target.value || undefined })}
      >
        <option value="">Every kind</option>
        {alertKinds.map((each) => (
          <option key={each} value={each}>
            {kindWords[each].label}
          </option>
        ))}
      </Select>
    </div>
  );
}

const emptyTitles: Record<FiringView, string> = {
  open: "No open alert",
  ended: "No ended alert",
  acknowledged: "No acknowledged alert",
  all: "No alert has fired",
};

function NoGroups({ show }: { show: FiringView }) {
  return (
    <EmptyState
      title={emptyTitles[show]}
      action={<ButtonLink to="/alerts/rules">Open rules</ButtonLink>}
    >
      {show === "ended"
        ? "Ended alerts are not acknowledged, and their cause is over."
        : "An alert fires once for each scope, period and threshold. Open alerts are listed until they are acknowledged, or until their cause is over."}
    </EmptyState>
  );
}
