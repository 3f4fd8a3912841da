import { Link } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useMemo } from "react";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { formatDaysIn, formatPlural } from "../../ui/format.ts";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { useSelection } from "../../ui/selection.ts";
import { SelectionBar } from "../../ui/selection-bar.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import type { GroupAction } from "./group-action.ts";
import type { Group } from "./queries.ts";
import type { FiringView } from "./search.ts";
import { isMuted, kindWords, severities } from "./words.ts";

const keyOf = ({ id }: Group) => id;

/** Table of alert groups. Selected groups are acknowledged together. */
export function GroupTable(props: {
  groups: readonly Group[];
  show: FiringView;
  /** Undefined: the newest first. */
  order: "severity" | undefined;
  onOrder: (order: "severity" | undefined) => void;
  onAction: (action: GroupAction) => void;
}) {
  const { groups, show, order, onOrder, onAction } = props;
  const may = useMay();
  const selection = useSelection(groups, keyOf);
  const columns = useMemo(() => makeColumns(may, onAction), [may, onAction]);
  const chosen = groups.filter((group) => selection.selected.has(group.id) && isOpen(group, may));
  const canAcknowledge = groups.some((group) => isOpen(group, may));
  return (
    <>
      <Table
        label="Fired alerts"
        columns={columns}
        rows={groups}
        rowKey={keyOf}
        rowName={({ title }) => title}
        // The server orders the groups, also those that are not loaded. Each order has one direction.
        view={{
          sort: { id: order ?? "last", isDescending: true },
          onSort: ({ id }) => onOrder(id === "severity" ? id : undefined),
          columns: null,
        }}
        selection={canAcknowledge ? selection : undefined}
        isDimmed={({ open_firings }) => show === "all" && open_firings === 0}
      />
      <SelectionBar selection={selection}>
        <Button
          disabled={chosen.length === 0}
          onClick={() => onAction({ kind: "acknowledge", groups: chosen })}
        >
          Acknowledge…
        </Button>
      </SelectionBar>
    </>
  );
}

type May = ReturnType<typeof useMay>;

/** True if the group has an open firing that this member can acknowledge. */
function isOpen(group: Group, may: May): boolean {
  return group.open_firings > 0 && may("alerts:write", group.workspace_id ?? undefined);
}

function makeColumns(may: May, onAction: (action: GroupAction) => void): Column<Group>[] {
  return [
    {
      id: "title",
      header: "Alert",
      isSentence: true,
      cell: (group) => <GroupTitle group={group} onAction={onAction} />,
    },
    {
      id: "severity",
      header: "Severity",
      from: "sm",
      sortBy: ({ severity }) => severities[severity].rank,
      cell: ({ severity }) => <Badge tone={severities[severity].tone}>{severity}</Badge>,
    },
    {
      id: "scope",
      header: "Scope",
      from: "xl",
      cell: ({ scope, scope_name }) => (
        <span className="block max-w-36 truncate min-[1400px]:max-w-48">
          {scopeLabel(scope.type, scope_name)}
        </span>
      ),
    },
    {
      id: "first",
      header: "First fired",
      from: "xl",
      cell: ({ first_fired_at }) => <RelativeTime at={first_fired_at} />,
    },
    {
      id: "last",
      header: "Last fired",
      from: "sm",
      sortBy: ({ last_fired_at }) => last_fired_at,
      cell: ({ last_fired_at }) => <RelativeTime at={last_fired_at} />,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (group) => <GroupActions group={group} may={may} onAction={onAction} />,
    },
  ];
}

interface GroupPart {
  group: Group;
  onAction: (action: GroupAction) => void;
}

function GroupTitle({ group, onAction }: GroupPart) {
  return (
    <span className="grid min-w-40 gap-0.5 py-1">
      <Link
        to="/alerts/firings/$firingId"
        params={{ firingId: group.newest_firing_id }}
        className="link font-medium"
      >
        {formatDaysIn(group.title)}
      </Link>
      <span className="flex flex-wrap items-center gap-x-2 gap-y-0.5 text-xs text-quiet">
        {group.severity === "critical" && (
          <span className="sm:hidden">
            <Badge tone="bad">critical</Badge>
          </span>
        )}
        <MutedRules rules={group.alerts} />
        <span>{describeRules(group)}</span>
        {group.firings > 1 && (
          <button
            type="button"
            className="link target"
            aria-label={`Show ${formatPlural(group.firings, "firing")}: ${group.title}`}
            onClick={() => onAction({ kind: "list", group })}
          >
            {formatPlural(group.firings, "firing")}
          </button>
        )}
        <span className="sm:hidden">
          <RelativeTime at={group.last_fired_at} />
        </span>
      </span>
    </span>
  );
}

/** Kind and rules. A rule with the name of its kind is named once. */
function describeRules({ kind, alerts }: Group): string {
  const { label } = kindWords[kind];
  const names = alerts.map(({ name }) => name).join(", ");
  return names === label ? label : `${label} · ${names}`;
}

function MutedRules({ rules }: { rules: Group["alerts"] }) {
  const muted = rules.filter(isMuted).length;
  if (muted === 0) return null;
  return (
    <Badge tone="warn">
      {muted === rules.length ? "muted" : `${muted} of ${rules.length} rules muted`}
    </Badge>
  );
}

function GroupActions({ group, may, onAction }: GroupPart & { may: May }) {
  if (!may("alerts:write", group.workspace_id ?? undefined)) {
    return group.open_firings > 0 ? (
      <Badge tone="warn">open</Badge>
    ) : (
      <Badge tone="good">acknowledged</Badge>
    );
  }
  const canMute = group.alerts.some(({ is_deleted }) => !is_deleted);
  return (
    <span className="inline-flex items-center gap-1">
      {group.open_firings > 0 ? (
        <Button
          kind="quiet"
          className="max-sm:hidden"
          aria-label={`Acknowledge: ${group.title}`}
          onClick={() => onAction({ kind: "acknowledge", groups: [group] })}
        >
          Acknowledge…
        </Button>
      ) : (
        <Badge tone="good">acknowledged</Badge>
      )}
      <Menu
        trigger={
          <IconButton label={`Actions for: ${group.title}`}>
            <Ellipsis size={16} />
          </IconButton>
        }
      >
        {group.open_firings > 0 && (
          <MenuItem onSelect={() => onAction({ kind: "acknowledge", groups: [group] })}>
            Acknowledge…
          </MenuItem>
        )}
        <MenuItem onSelect={() => onAction({ kind: "list", group })}>Show firings…</MenuItem>
        {canMute && (
          <MenuItem onSelect={() => onAction({ kind: "mute", group })}>Mute rule…</MenuItem>
        )}
      </Menu>
    </span>
  );
}
