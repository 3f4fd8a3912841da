import { useNavigate, useSearch } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { EndLaptopDialog } from "../../kit/laptops/end-laptop-dialog.tsx";
import { formatClient } from "../../kit/laptops/laptop-list.tsx";
import type { Laptop } from "../../kit/laptops/queries.ts";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { useList } from "../../queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { ButtonLink, IconButton } from "../../ui/button.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { NameLink } from "../../ui/name-link.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import type { LaptopsSearch } from "./search.ts";

/** Laptops of all members. The address has the search and the state. */
export function LaptopsTab() {
  const { find = "", status = "active" }: LaptopsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (changed: LaptopsSearch) =>
    void navigate({
      to: "/claude-code/laptops",
      search: (before: object) => ({ ...before, ...changed }),
      replace: true,
    } as never);
  const laptops = useList("listLaptops", { query: { status } }, { isPreviousShown: true });
  const [ended, setEnded] = useState<Laptop | null>(null);
  // Rows of the previous state are shown while the others load.
  const shown = laptops.data?.items[0]?.status ?? status;
  const columns = useMemo(() => makeColumns(shown, setEnded), [shown]);
  const view = useTableView();
  if (laptops.error) {
    return <LoadError error={laptops.error} onRetry={() => void laptops.refetch()} />;
  }
  if (!laptops.data) return <SkeletonRows />;
  const { items, isCut } = laptops.data;
  const rows = items.filter((laptop) => isMatch(laptop, find.trim().toLowerCase()));
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-center gap-2.5">
        <SearchBox
          label="Search laptops"
          placeholder="Search laptop or member"
          value={find}
          onFind={(text) => change({ find: text || undefined })}
        />
        <Segments
          label="State"
          value={status}
          options={[
            ["active", "Active"],
            ["ended", "Ended"],
          ]}
          onChange={(value) => change({ status: value })}
        />
        <span className="ml-auto">
          <TableTools columns={columns} view={view} />
        </span>
      </div>
      {items.length === 0 ? (
        status === "active" ? (
          <NoLaptops />
        ) : (
          <NoEndedLaptops />
        )
      ) : (
        <Table label="Laptops" columns={columns} rows={rows} rowKey={({ id }) => id} view={view} />
      )}
      {items.length > 0 && rows.length === 0 && (
        <p className="text-quiet">No laptop matches “{find}”.</p>
      )}
      {isCut && <p className="text-sm text-quiet">The newest {items.length} laptops are listed.</p>}
      {ended && <EndLaptopDialog laptop={ended} onClose={() => setEnded(null)} />}
    </div>
  );
}

function NoLaptops() {
  return (
    <EmptyState
      title="No laptop is signed in"
      action={<ButtonLink to="/connect">Show how to connect</ButtonLink>}
    >
      A laptop is a sign-in of Claude Code on one machine, with the account of its member.
    </EmptyState>
  );
}

function isMatch({ name, member }: Laptop, wanted: string): boolean {
  return `${name} ${member.name} ${member.email}`.toLowerCase().includes(wanted);
}

interface MenuProps {
  laptop: Laptop;
  onEnd: (laptop: Laptop) => void;
}

function LaptopMenu({ laptop, onEnd }: MenuProps) {
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${laptop.name}`}>
          <Ellipsis size={16} />
        </IconButton>
      }
    >
      <MenuItem isDanger onSelect={() => onEnd(laptop)}>
        End laptop…
      </MenuItem>
    </Menu>
  );
}

function NoEndedLaptops() {
  return (
    <EmptyState title="No laptop has ended">
      Ended laptops are listed here with the reason. Their key and its usage stay.
    </EmptyState>
  );
}

const endWords: Readonly<Record<NonNullable<Laptop["end_reason"]>, string>> = {
  ended: "by the member",
  ended_by_admin: "by an administrator",
  signed_out: "signed out",
  replayed: "copied token",
  restored: "restored backup",
};

function makeColumns(status: Laptop["status"], onEnd: (laptop: Laptop) => void): Column<Laptop>[] {
  return [
    {
      id: "name",
      header: "Laptop",
      sortBy: ({ name }) => name,
      cell: (laptop) => (
        <span className="grid">
          <span className="truncate font-medium">{laptop.name}</span>
          <span className="truncate text-xs text-quiet">{formatClient(laptop)}</span>
        </span>
      ),
    },
    {
      id: "member",
      header: "Member",
      from: "sm",
      isBelow: true,
      sortBy: ({ member }) => member.name,
      cell: ({ member }) => (
        <NameLink to="/members/$memberId" params={{ memberId: member.id }}>
          {member.name}
        </NameLink>
      ),
    },
    {
      id: "workspace",
      header: "Workspace",
      from: "lg",
      cell: ({ workspace_id }) => <WorkspaceLink id={workspace_id} />,
    },
    {
      id: "used",
      header: "Last used",
      from: "sm",
      isBelow: true,
      isTime: true,
      sortBy: ({ last_used }) => last_used?.at ?? "",
      cell: ({ last_used }) => <RelativeTime at={last_used?.at ?? null} />,
    },
    {
      id: "created",
      header: "Signed in",
      from: "lg",
      sortBy: ({ created_at }) => created_at,
      cell: ({ created_at }) => <RelativeTime at={created_at} />,
    },
    status === "active"
      ? {
          id: "actions",
          header: "",
          isNumeric: true,
          cell: (laptop) => <LaptopMenu laptop={laptop} onEnd={onEnd} />,
        }
      : {
          id: "ended",
          header: "Ended",
          sortBy: ({ expires_at }) => expires_at ?? "",
          cell: ({ expires_at, end_reason }) => (
            <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <RelativeTime at={expires_at} />
              <Badge>{end_reason === null ? "by time" : endWords[end_reason]}</Badge>
            </span>
          ),
        },
  ];
}
