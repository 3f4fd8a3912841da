import { roleNames } from "@bursar/contract/permissions.ts";
import { Outlet, useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { Ellipsis, UserPlus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import type { GuideName } from "../../guide-names.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { type Member, useMembers } from "../../kit/members/queries.ts";
import { describeInheritedRole } from "../../kit/members/role-words.ts";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { lateDialog } from "../../late-dialog.tsx";
import { useMay, useSession } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Checkbox } from "../../ui/input.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { NameLink } from "../../ui/name-link.tsx";
import { Page } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { type Tab, TabLinks } from "../../ui/tabs.tsx";
import { LeftBehind } from "./owned-things.tsx";
import { useLeftBehind } from "./queries.ts";
import type { MembersSearch } from "./search.ts";

const InviteDialog = lateDialog(
  () => import("../../kit/invites/invite-dialog.tsx"),
  "InviteDialog",
);
const memberDialogs = () => import("./member-dialogs.tsx");
const ChangeRoleDialog = lateDialog(memberDialogs, "ChangeRoleDialog");
const DeactivateMemberDialog = lateDialog(memberDialogs, "DeactivateMemberDialog");
const ReactivateMemberDialog = lateDialog(memberDialogs, "ReactivateMemberDialog");
const RemoveMemberDialog = lateDialog(memberDialogs, "RemoveMemberDialog");

/** Guides of tabs with another guide than the page. */
const guideByTab: Readonly<Record<string, GuideName>> = {
  "/groups": "groups",
  "/members/roles": "permissions",
  "/access": "access-reviews",
};

export function TeamPage() {
  const { pathname } = useLocation();
  const may = useMay();
  const [isInviting, setIsInviting] = useState(false);
  const tabs: (Tab | false)[] = [
    { label: "Members", to: "/members" },
    may("groups:read") && { label: "Groups", to: "/groups" },
    may("invites:read") && { label: "Invites", to: "/invites" },
    { label: "Roles", to: "/members/roles" },
    may("access_reviews:read") && { label: "Access", to: "/access" },
  ];
  return (
    <Page
      title="Team"
      guide={guideByTab[pathname] ?? "people"}
      lead="Members of the company and their roles."
      actions={
        may("invites:write") && (
          <Button kind="primary" data-create onClick={() => setIsInviting(true)}>
            <UserPlus size={16} /> Invite members…
          </Button>
        )
      }
    >
      <TabLinks label="Team" tabs={tabs.filter((tab) => tab !== false)} />
      <Outlet />
      {isInviting && <InviteDialog onClose={() => setIsInviting(false)} />}
    </Page>
  );
}

type Change = "role" | "deactivate" | "reactivate" | "remove";

export function MembersTab() {
  const may = useMay();
  const session = useSession();
  const [withRemoved, setWithRemoved] = useState(false);
  const navigate = useNavigate();
  const { find: search = "" }: MembersSearch = useSearch({ strict: false });
  const setSearch = (find: string) =>
    void navigate({ to: "/members", search: (before) => ({ ...before, find }), replace: true });
  const [changed, setChanged] = useState<{ member: Member; change: Change } | null>(null);
  const members = useMembers(withRemoved);
  const mayWrite = may("members:write");
  const left = useLeftBehind(mayWrite);
  const columns = useMemo(
    () =>
      makeColumns(session.member.id, (member) =>
        mayWrite ? <MemberMenu member={member} onChange={setChanged} /> : null,
      ),
    [session.member.id, mayWrite],
  );
  const view = useTableView();
  if (members.error)
    return <LoadError error={members.error} onRetry={() => void members.refetch()} />;
  if (members.isPending || left.isLoading) return <SkeletonRows />;
  const wanted = search.trim().toLowerCase();
  const rows = members.data.items.filter(({ name, email }) =>
    `${name} ${email}`.toLowerCase().includes(wanted),
  );
  const close = () => setChanged(null);
  return (
    <div className="grid gap-4">
      <LeftBehind />
      <div className="flex flex-wrap items-center gap-2.5">
        <SearchBox
          label="Search members"
          placeholder="Search name or address"
          value={search}
          onFind={setSearch}
        />
        <span className="ml-auto">
          <TableTools columns={columns} view={view} />
        </span>
      </div>
      <Table
        label="Members"
        columns={columns}
        rows={rows}
        rowKey={(member) => member.id}
        view={view}
        isDimmed={(member) => member.status !== "active"}
      />
      {rows.length === 0 && <p className="text-quiet">No member matches “{search}”.</p>}
      <Checkbox
        label="Show removed members"
        checked={withRemoved}
        onChange={(event) => setWithRemoved(event.target.checked)}
      />
      {changed?.change === "role" && <ChangeRoleDialog member={changed.member} onClose={close} />}
      {changed?.change === "deactivate" && (
        <DeactivateMemberDialog member={changed.member} onClose={close} />
      )}
      {changed?.change === "reactivate" && (
        <ReactivateMemberDialog member={changed.member} onClose={close} />
      )}
      {changed?.change === "remove" && (
        <RemoveMemberDialog member={changed.member} onClose={close} />
      )}
    </div>
  );
}

interface MemberMenuProps {
  member: Member;
  onChange: (changed: { member: Member; change: Change }) => void;
}

function MemberMenu({ member, onChange }: MemberMenuProps) {
  const session = useSession();
  const isAboveOwnRole = member.role === "owner" && session.member.role !== "owner";
  if (member.status === "removed" || isAboveOwnRole) return null;
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${member.name}`}>
          <Ellipsis size={16} />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => onChange({ member, change: "role" })}>Change role…</MenuItem>
      {member.status === "active" ? (
        <MenuItem onSelect={() => onChange({ member, change: "deactivate" })}>
          Deactivate member…
        </MenuItem>
      ) : (
        <MenuItem onSelect={() => onChange({ member, change: "reactivate" })}>
          Reactivate member…
        </MenuItem>
      )}
      <MenuSeparator />
      <MenuItem isDanger onSelect={() => onChange({ member, change: "remove" })}>
        Remove member…
      </MenuItem>
    </Menu>
  );
}

function makeColumns(ownId: string, menu: (member: Member) => ReactNode): Column<Member>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (member) => member.name,
      cell: (member) => (
        <span className="grid">
          <span className="flex items-center gap-2">
            <NameLink to="/members/$memberId" params={{ memberId: member.id }}>
              {member.name}
            </NameLink>
            {member.id === ownId && <Badge>you</Badge>}
            {member.status !== "active" && <Badge tone="warn">{member.status}</Badge>}
          </span>
          <span className="truncate text-xs text-quiet">{member.email}</span>
        </span>
      ),
    },
    {
      id: "role",
      header: "Role",
      sortBy: (member) => roleNames[member.role],
      cell: (member) => roleNames[member.role],
    },
    {
      id: "workspaces",
      header: "Workspaces",
      from: "sm",
      isBelow: true,
      sortBy: (member) => member.workspace_count,
      cell: (member) => (
        <span className="text-quiet">
          {describeInheritedRole(member.role) ??
            (member.workspace_count > 0
              ? formatPlural(member.workspace_count, "workspace")
              : "None")}
        </span>
      ),
    },
    {
      id: "active",
      header: "Last active",
      from: "sm",
      isBelow: true,
      isTime: true,
      sortBy: (member) => member.last_active_at ?? "",
      cell: (member) => <RelativeTime at={member.last_active_at} />,
    },
    {
      id: "joined",
      header: "Joined",
      isOptional: true,
      sortBy: (member) => member.created_at,
      cell: (member) => <RelativeTime at={member.created_at} />,
    },
    {
      id: "id",
      header: "Id",
      isOptional: true,
      cell: (member) => <code className="text-quiet">{member.id}</code>,
    },
    { id: "actions", header: "", isNumeric: true, cell: menu },
  ];
}
