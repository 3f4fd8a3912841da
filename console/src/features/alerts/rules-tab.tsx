import { Ellipsis, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { showToast } from "../../ui/toast.ts";
import { AlertDialog } from "./alert-dialog.tsx";
import { MuteDialog } from "./mute-dialog.tsx";
import {
  type Alert,
  type AlertScope,
  useAlerts,
  useDeleteAlert,
  useUpdateAlert,
} from "./queries.ts";
import { StoppedRule } from "./stop-consequences.tsx";
import { describeCondition, isMuted, kindWords } from "./words.ts";

type Change = { alert: Alert; change: "edit" | "mute" | "turn_off" | "delete" };

/** List of alerts with their scopes and channels. */
export function AlertRulesTab() {
  const alerts = useAlerts();
  const may = useMay();
  const [isCreating, setIsCreating] = useState(false);
  const [changed, setChanged] = useState<Change | null>(null);
  const columns = useMemo(() => makeColumns(may, setChanged), [may]);
  if (alerts.error) return <LoadError error={alerts.error} onRetry={() => void alerts.refetch()} />;
  if (alerts.isPending) return <SkeletonRows />;
  const create = may("alerts:write") && (
    <Button kind="primary" data-create onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Create alert…
    </Button>
  );
  const close = () => setChanged(null);
  return (
    <div className="grid gap-4">
      {alerts.data.items.length === 0 ? (
        <EmptyState
          title="No alert yet"
          action={create}
          code={
            <CodeBlock
              what="call"
              text={`curl "$BURSAR_URL/v1/admin/alerts" -H "x-api-key: $BURSAR_ADMIN_KEY" \\\n  -H 'content-type: application/json' -d '{"name":"Spend limits","scope":{"type":"organization"},"includes_below":true,"condition":{"kind":"spend_limit"}}'`}
            />
          }
        >
          Alerts notify you before a limit is reached, when spend is unusual, or before a key
          expires.
        </EmptyState>
      ) : (
        <>
          {create && <div className="flex justify-end">{create}</div>}
          <Table
            label="Alerts"
            columns={columns}
            rows={alerts.data.items}
            rowKey={({ id }) => id}
            isDimmed={({ is_enabled }) => !is_enabled}
          />
        </>
      )}
      {isCreating && <AlertDialog alert={null} onClose={() => setIsCreating(false)} />}
      {changed?.change === "edit" && <AlertDialog alert={changed.alert} onClose={close} />}
      {changed?.change === "mute" && <MuteDialog rules={[changed.alert]} onClose={close} />}
      {changed?.change === "turn_off" && <TurnOffDialog alert={changed.alert} onClose={close} />}
      {changed?.change === "delete" && <DeleteAlertDialog alert={changed.alert} onClose={close} />}
    </div>
  );
}

function makeColumns(
  may: ReturnType<typeof useMay>,
  onChange: (change: Change) => void,
): Column<Alert>[] {
  return [
    {
      id: "name",
      header: "Rule",
      sortBy: ({ name }) => name.toLowerCase(),
      cell: (alert) => (
        <span id={alert.id} className="grid min-w-40 scroll-mt-24 gap-0.5 py-1">
          <span className="flex flex-wrap items-center gap-2 font-medium">
            {alert.name} <AlertState alert={alert} />
          </span>
          <span className="text-xs text-quiet">{describeCondition(alert.condition)}</span>
          <span className="text-xs text-quiet sm:hidden">
            {describeScope(alert)} · {listReceivers(alert).join(", ") || "no messages"}
          </span>
        </span>
      ),
    },
    {
      id: "kind",
      header: "Kind",
      from: "lg",
      sortBy: ({ condition }) => kindWords[condition.kind].label,
      cell: ({ condition }) => kindWords[condition.kind].label,
    },
    {
      id: "scope",
      header: "Scope",
      from: "sm",
      sortBy: ({ scope_name }) => scope_name,
      cell: (alert) => (
        <span className="block max-w-36 truncate xl:max-w-56">{describeScope(alert)}</span>
      ),
    },
    {
      id: "channels",
      header: "Notifies",
      from: "sm",
      cell: (alert) => <Recipients alert={alert} />,
    },
    {
      id: "fired",
      header: "Last fired",
      from: "lg",
      sortBy: ({ last_fired_at }) => last_fired_at ?? "",
      cell: (alert) => (
        <span className="grid grid-cols-[auto] gap-0.5">
          <RelativeTime at={alert.last_fired_at} absent="Never" />
          {alert.firings_in_30_days > 0 && (
            <span className="whitespace-nowrap text-xs text-quiet">
              {formatPlural(alert.firings_in_30_days, "time")} in 30 days
            </span>
          )}
        </span>
      ),
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (alert) =>
        may("alerts:write", findWorkspaceId(alert.scope)) ? (
          <AlertMenu alert={alert} onChange={onChange} />
        ) : null,
    },
  ];
}

/** Workspace whose rights apply. Undefined: the scope does not name one. */
function findWorkspaceId(scope: AlertScope): string | undefined {
  return scope.type === "workspace" ? scope.workspace_id : undefined;
}

function describeScope({ scope, scope_name, includes_below }: Alert): string {
  switch (scope.type) {
    case "organization":
      return includes_below ? "Company and child scopes" : "The whole company";
    case "workspace":
      return includes_below ? `${scope_name} and its keys` : scope_name;
    default:
      return scopeLabel(scope.type, scope_name);
  }
}

function AlertState({ alert }: { alert: Alert }) {
  if (!alert.is_enabled) return <Badge>off</Badge>;
  return isMuted(alert) ? <Badge tone="warn">muted</Badge> : null;
}

function listReceivers({ channels, notifies_owner }: Alert): string[] {
  return [...channels.map(({ name }) => name), ...(notifies_owner ? ["the key’s owner"] : [])];
}

function Recipients({ alert }: { alert: Alert }) {
  const names = listReceivers(alert);
  const broken = alert.channels.filter(({ is_working }) => !is_working);
  if (names.length === 0) return <span className="text-quiet">None</span>;
  return (
    <span className="flex flex-wrap items-center gap-1.5">
      <span className="line-clamp-2 max-w-52" title={names.join(", ")}>
        {names.join(", ")}
      </span>
      {broken.length > 0 && <Badge tone="bad">not working</Badge>}
    </span>
  );
}

function AlertMenu({ alert, onChange }: { alert: Alert; onChange: (change: Change) => void }) {
  const update = useUpdateAlert();
  const set = (body: { is_enabled?: boolean; muted_until?: null }, done: string) =>
    update.mutate(
      { params: { alert_id: alert.id }, body },
      {
        onSuccess: () => showToast(done),
        onError: (error) => showToast(error.message),
      },
    );
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${alert.name}`}>
          <Ellipsis size={16} />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => onChange({ alert, change: "edit" })}>Change alert…</MenuItem>
      {isMuted(alert) ? (
        <MenuItem onSelect={() => set({ muted_until: null }, "Alert unmuted")}>
          Unmute alert
        </MenuItem>
      ) : (
        <MenuItem onSelect={() => onChange({ alert, change: "mute" })}>Mute alert…</MenuItem>
      )}
      {alert.is_enabled ? (
        <MenuItem onSelect={() => onChange({ alert, change: "turn_off" })}>
          Turn off alert…
        </MenuItem>
      ) : (
        <MenuItem onSelect={() => set({ is_enabled: true }, "Alert turned on")}>Turn on</MenuItem>
      )}
      <MenuSeparator />
      <MenuItem isDanger onSelect={() => onChange({ alert, change: "delete" })}>
        Delete alert…
      </MenuItem>
    </Menu>
  );
}

function TurnOffDialog({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  return (
    <ConfirmDelayedChange
      change={useUpdateAlert()}
      input={{ params: { alert_id: alert.id }, body: { is_enabled: false } }}
      action="Turn off alert"
      urgentAction="Turn off now"
      subject={alert.id}
      name={`Alert “${alert.name}”`}
      done="turned off"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{alert.name}</strong> does not fire until it is
        turned on again.
      </p>
      <StoppedRule rule={alert} />
    </ConfirmDelayedChange>
  );
}

function DeleteAlertDialog({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const remove = useDeleteAlert();
  return (
    <ConfirmDelayedChange
      change={remove}
      input={{ params: { alert_id: alert.id } }}
      action="Delete alert"
      urgentAction="Delete now"
      subject={alert.id}
      name={`Alert “${alert.name}”`}
      done="deleted"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{alert.name}</strong> is deleted. Alerts that
        have fired stay in the history.
      </p>
      <StoppedRule rule={alert} />
    </ConfirmDelayedChange>
  );
}
