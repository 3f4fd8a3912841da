import { roleNames } from "@bursar/contract/permissions.ts";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Ellipsis, Plus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useGroupMembers } from "../../kit/members/queries.ts";
import { describeSettingRanks } from "../../kit/rank-words.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { useMay, useMayEverywhere } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { NameLink } from "../../ui/name-link.tsx";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import {
  DeletionConsequences,
  MemberRemovalConsequences,
  RoleRemovalConsequences,
} from "./group-consequences.tsx";
import { AddMemberDialog, GroupDialog, SetRoleDialog } from "./group-dialogs.tsx";
import { GroupLimits, GroupRates } from "./group-limits.tsx";
import {
  type Group,
  type GroupMember,
  type GroupRole,
  useDeleteGroup,
  useGroup,
  useRemoveGroupMember,
  useRemoveGroupWorkspace,
} from "./queries.ts";

export function GroupPage() {
  const { groupId = "" }: { groupId?: string } = useParams({ strict: false });
  const group = useGroup(groupId);
  const may = useMay();
  const mayEverywhere = useMayEverywhere();
  const [opened, setOpened] = useState<"change" | "delete" | null>(null);
  if (group.error) return <LoadError error={group.error} onRetry={() => void group.refetch()} />;
  if (!group.data) return <SkeletonRows />;
  const { data } = group;
  const mayWrite = may("groups:write");
  const close = () => setOpened(null);
  const members = <Members group={data} mayWrite={mayWrite} />;
  const rates = mayEverywhere("rate_limits:read") ? (
    <GroupRates group={data}>{members}</GroupRates>
  ) : (
    members
  );
  return (
    <Page
      title={data.name}
      guide="groups"
      above={<BackLink to="/groups">Groups</BackLink>}
      lead={
        data.source === "scim" &&
        "Your company’s directory provides the group and its members. You can add other members here."
      }
      actions={
        mayWrite && (
          <>
            <Button onClick={() => setOpened("change")}>Change group…</Button>
            {!data.is_managed && <Button onClick={() => setOpened("delete")}>Delete group…</Button>}
          </>
        )
      }
    >
      <Facts
        items={[
          ["Members", formatPlural(data.member_count, "member")],
          ["Models of personal keys", <Models key="models" group={data} />],
          ...(mayEverywhere("usage:read")
            ? ([["Usage", <UsageLink key="usage" group={data} />]] as const)
            : []),
        ]}
      />
      <Roles group={data} mayWrite={mayWrite} />
      {mayEverywhere("spend_limits:read") ? <GroupLimits group={data}>{rates}</GroupLimits> : rates}
      {opened === "change" && <GroupDialog group={data} onClose={close} />}
      {opened === "delete" && <DeleteDialog group={data} onClose={close} />}
    </Page>
  );
}

function UsageLink({ group }: { group: Group }) {
  return (
    <Link to="/usage" search={{ group: [group.id], by: "member", range: "month" }} className="link">
      Usage of this month by member
    </Link>
  );
}

/** Models in force, and the ranks with a list. */
function Models({ group: { allowed_models: models, model_lists } }: { group: Group }) {
  if (models === null) return "Not restricted";
  return (
    <>
      {models.join(", ")}{" "}
      <span className="text-sm text-quiet">
        {describeSettingRanks(model_lists.map(({ rank }) => rank))}
      </span>
    </>
  );
}

function DeleteDialog({ group, onClose }: { group: Group; onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <ConfirmDelayedChange
      change={useDeleteGroup()}
      input={{ params: { group_id: group.id } }}
      action="Delete group"
      urgentAction="Delete now"
      subject={group.id}
      name={`Group “${group.name}”`}
      done="deleted"
      typed={group.name}
      onClose={onClose}
      onConfirmed={() => void navigate({ to: "/groups" })}
    >
      <p>
        {formatPlural(group.member_count, "member")} of{" "}
        <strong className="font-semibold text-ink">{group.name}</strong>{" "}
        {group.member_count === 1 ? "loses" : "lose"} the roles, default caps and default rates of
        the group. The members stay in the company.
      </p>
      <DeletionConsequences group={group} />
    </ConfirmDelayedChange>
  );
}

interface PartProps {
  group: Group;
  mayWrite: boolean;
}

function Roles({ group, mayWrite }: PartProps) {
  const [edited, setEdited] = useState<GroupRole | "new" | null>(null);
  const [removed, setRemoved] = useState<GroupRole | null>(null);
  const remove = useRemoveGroupWorkspace();
  const columns = useMemo<Column<GroupRole>[]>(
    () => [
      {
        id: "workspace",
        header: "Workspace",
        cell: (given) => <WorkspaceLink id={given.workspace_id} />,
      },
      { id: "role", header: "Role", cell: (given) => roleNames[given.workspace_role] },
      actionsOf(mayWrite, (given) => (
        <Menu trigger={<RowButton label="Actions for the role" />}>
          <MenuItem onSelect={() => setEdited(given)}>Change role…</MenuItem>
          <MenuItem isDanger onSelect={() => setRemoved(given)}>
            Remove role…
          </MenuItem>
        </Menu>
      )),
    ],
    [mayWrite],
  );
  return (
    <Section
      title="Workspace roles"
      lead="Each member has the highest of these roles, assigned roles and roles of other groups."
      actions={mayWrite && <AddButton label="Add role…" onClick={() => setEdited("new")} />}
    >
      {group.workspaces.length === 0 ? (
        <p className="text-quiet">No role in a workspace.</p>
      ) : (
        <Table
          label="Workspace roles"
          columns={columns}
          rows={group.workspaces}
          rowKey={(given) => given.workspace_id}
        />
      )}
      {edited !== null && (
        <SetRoleDialog
          group={group}
          role={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {removed && (
        <ConfirmDelayedChange
          change={remove}
          input={{ params: { group_id: group.id, workspace_id: removed.workspace_id } }}
          action="Remove role"
          urgentAction="Remove now"
          subject={`${group.id} ${removed.workspace_id}`}
          name={`Role of ${group.name}`}
          done="removed"
          onClose={() => setRemoved(null)}
        >
          <p>
            Members without another role lose the workspace. Their personal keys in the workspace
            stop working.
          </p>
          <RoleRemovalConsequences groupId={group.id} workspaceId={removed.workspace_id} />
        </ConfirmDelayedChange>
      )}
    </Section>
  );
}

function Members({ group, mayWrite }: PartProps) {
  const members = useGroupMembers(group.id);
  const [isAdding, setIsAdding] = useState(false);
  const [removed, setRemoved] = useState<GroupMember | null>(null);
  const remove = useRemoveGroupMember();
  const columns = useMemo(() => makeMemberColumns(mayWrite, setRemoved), [mayWrite]);
  return (
    <Section
      title="Members"
      actions={mayWrite && <AddButton label="Add member…" onClick={() => setIsAdding(true)} />}
    >
      {members.data ? (
        <Table
          label="Members of the group"
          columns={columns}
          rows={members.data.items}
          rowKey={(member) => member.member_id}
        />
      ) : (
        <SkeletonRows />
      )}
      {members.data?.items.length === 0 && <p className="text-quiet">No members yet.</p>}
      {isAdding && <AddMemberDialog group={group} onClose={() => setIsAdding(false)} />}
      {removed && (
        <ConfirmDelayedChange
          change={remove}
          input={{ params: { group_id: group.id, member_id: removed.member_id } }}
          action="Remove from group"
          urgentAction="Remove now"
          subject={`${group.id} ${removed.member_id}`}
          name={removed.name}
          done="removed from the group"
          onClose={() => setRemoved(null)}
        >
          <p>
            <strong className="font-semibold text-ink">{removed.name}</strong> loses the roles, the
            list of models, the default caps and the default rates of the group.
          </p>
          <MemberRemovalConsequences groupId={group.id} memberId={removed.member_id} />
        </ConfirmDelayedChange>
      )}
    </Section>
  );
}

const sources = { direct: null, claims: "from sign-in", scim: "from directory" } as const;

function makeMemberColumns(
  mayWrite: boolean,
  onRemove: (member: GroupMember) => void,
): Column<GroupMember>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (member) => member.name,
      cell: (member) => (
        <span className="grid">
          <span className="flex items-center gap-2">
            <NameLink to="/members/$memberId" params={{ memberId: member.member_id }}>
              {member.name}
            </NameLink>
            {sources[member.source] && <Badge>{sources[member.source]}</Badge>}
          </span>
          <span className="truncate text-xs text-quiet">{member.email}</span>
        </span>
      ),
    },
    {
      id: "since",
      header: "Since",
      from: "sm",
      isBelow: true,
      isTime: true,
      sortBy: (member) => member.created_at,
      cell: (member) => <RelativeTime at={member.created_at} />,
    },
    actionsOf(mayWrite, (member) =>
      member.source === "direct" ? (
        <Menu trigger={<RowButton label={`Actions for ${member.name}`} />}>
          <MenuItem isDanger onSelect={() => onRemove(member)}>
            Remove from group…
          </MenuItem>
        </Menu>
      ) : null,
    ),
  ];
}

function actionsOf<Row extends object>(
  mayWrite: boolean,
  menu: (row: Row) => ReactNode,
): Column<Row> {
  return {
    id: "actions",
    header: "",
    isNumeric: true,
    cell: (row) => (mayWrite ? menu(row) : null),
  };
}

function AddButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button onClick={onClick}>
      <Plus size={16} /> {label}
    </Button>
  );
}

function RowButton({ label, ...trigger }: { label: string }) {
  return (
    <IconButton label={label} {...trigger}>
      <Ellipsis size={16} />
    </IconButton>
  );
}
