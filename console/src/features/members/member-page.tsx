import { findInheritedRole, roleNames, type WorkspaceRole } from "@bursar/contract/permissions.ts";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import {
  type Member,
  type MemberWithRoles,
  useGroupsOf,
  useKeysOf,
  useMember,
} from "../../kit/members/queries.ts";
import { describeSettingRanks } from "../../kit/rank-words.ts";
import { MemberDirectories } from "../../kit/sign-in/linked-directories.tsx";
import { MarkedMoney, SimulatedPart } from "../../kit/usage/simulated.tsx";
import { useSimulatedMonth } from "../../kit/usage/simulated-month.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { useMay, useMayEverywhere, useSession } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { nanoToUsdText, toNanoUsd } from "../../ui/format.ts";
import { NameLink } from "../../ui/name-link.tsx";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import {
  ChangeRoleDialog,
  DeactivateMemberDialog,
  ReactivateMemberDialog,
  RemoveMemberDialog,
  SignOutMemberDialog,
} from "./member-dialogs.tsx";
import { MemberLaptops } from "./member-laptops.tsx";
import { MemberLimits } from "./member-limits.tsx";
import { MemberRates } from "./member-rates.tsx";
import { MemberSessions } from "./member-sessions.tsx";
import { OwnedThings } from "./owned-things.tsx";
import type { MemberGroup, MemberKey } from "./queries.ts";

type Opened = "role" | "sign_out" | "deactivate" | "reactivate" | "remove";

/** Access, groups, keys and spend of one person. */
export function MemberPage() {
  const { memberId = "" }: { memberId?: string } = useParams({ strict: false });
  const member = useMember(memberId);
  // The first part depends on the groups, and would move the others.
  const groups = useGroupsOf(memberId, useMay()("groups:read"));
  if (member.error) return <LoadError error={member.error} onRetry={() => void member.refetch()} />;
  if (!member.data || groups.isLoading) return <SkeletonRows />;
  return <MemberDetails member={member.data} />;
}

function MemberDetails({ member }: { member: MemberWithRoles }) {
  const may = useMay();
  const mayEverywhere = useMayEverywhere();
  const session = useSession();
  const [opened, setOpened] = useState<Opened | null>(null);
  const isAboveOwnRole = member.role === "owner" && session.member.role !== "owner";
  const mayWrite = may("members:write") && member.status !== "removed" && !isAboveOwnRole;
  const close = () => setOpened(null);
  return (
    <Page
      title={member.name}
      guide="people"
      above={<BackLink to="/members">Team</BackLink>}
      lead={
        <span className="flex flex-wrap items-center gap-2">
          {member.email}
          {member.status !== "active" && <Badge tone="warn">{member.status}</Badge>}
        </span>
      }
      actions={mayWrite && <Button onClick={() => setOpened("role")}>Change role…</Button>}
    >
      <Facts
        items={[
          ["Company role", roleNames[member.role]],
          ["Last active", <RelativeTime key="active" at={member.last_active_at} />],
          ["Member since", <RelativeTime key="since" at={member.created_at} />],
          ...(mayEverywhere("usage:read")
            ? ([["Usage", <UsageLink key="usage" member={member} />]] as const)
            : []),
        ]}
      />
      {may("groups:read") && <Roles member={member} />}
      {mayEverywhere("spend_limits:read") && member.status !== "removed" && (
        <MemberLimits member={member} />
      )}
      {mayEverywhere("rate_limits:read") && member.status !== "removed" && (
        <MemberRates member={member} />
      )}
      {may("api_keys:read") && <Keys member={member} />}
      {may("members:write") && <MemberLaptops member={member} />}
      <Section title="Company sign-in" lead="Directories that open this account.">
        <MemberDirectories memberId={member.id} name={member.name} mayUnlink={mayWrite} />
      </Section>
      {mayWrite && member.id !== session.member.id && <MemberSessions member={member} />}
      {mayWrite && member.id !== session.member.id && (
        <EndAccess member={member} onOpen={setOpened} />
      )}
      <OwnedThings member={member} mayHandOver={may("members:write") && !isAboveOwnRole} />
      {opened === "role" && <ChangeRoleDialog member={member} onClose={close} />}
      {opened === "sign_out" && <SignOutMemberDialog member={member} onClose={close} />}
      {opened === "deactivate" && <DeactivateMemberDialog member={member} onClose={close} />}
      {opened === "reactivate" && <ReactivateMemberDialog member={member} onClose={close} />}
      {opened === "remove" && <RemoveMemberDialog member={member} onClose={close} />}
    </Page>
  );
}

function UsageLink({ member }: { member: Member }) {
  return (
    <Link
      to="/usage"
      search={{ member: [member.id], by: "workspace", range: "month" }}
      className="link"
    >
      Usage of this month by workspace
    </Link>
  );
}

/** One role in a workspace, from one source. */
interface HeldRole {
  id: string;
  workspaceId: string | null;
  role: WorkspaceRole;
  source: ReactNode;
}

function Roles({ member }: { member: MemberWithRoles }) {
  const groups = useGroupsOf(member.id);
  if (groups.error) return <LoadError error={groups.error} onRetry={() => void groups.refetch()} />;
  if (!groups.data) return <SkeletonRows />;
  const { items } = groups.data;
  const rows = listHeldRoles(member, items);
  return (
    <>
      <Section title="Access" lead="The highest of several roles in a workspace applies.">
        {rows.length === 0 ? (
          <p className="text-quiet">No role in a workspace.</p>
        ) : (
          <Table label="Roles" columns={roleColumns} rows={rows} rowKey={(row) => row.id} />
        )}
      </Section>
      <Section title="Groups">
        {items.length === 0 ? (
          <p className="text-quiet">No groups.</p>
        ) : (
          <Facts
            items={[
              [
                "Member of",
                <span key="groups" className="flex flex-wrap gap-x-3 gap-y-1">
                  {items.map((group) => (
                    <GroupLink key={group.id} group={group} />
                  ))}
                </span>,
              ],
              ["Models of personal keys", <GroupModels key="models" groups={items} />],
            ]}
          />
        )}
      </Section>
    </>
  );
}

/** Lists of models of the groups. They add up, except beyond a list of a higher rank. */
function GroupModels({ groups }: { groups: readonly MemberGroup[] }) {
  const limited = groups.filter(({ allowed_models }) => allowed_models !== null);
  if (limited.length === 0) return "All models";
  const ranks = new Set(limited.flatMap(({ model_lists }) => model_lists.map(({ rank }) => rank)));
  return (
    <span className="grid gap-1">
      {limited.map((group) => (
        <span key={group.id}>
          {group.allowed_models?.join(", ")}{" "}
          <span className="text-sm text-quiet">
            {limited.length > 1 && `${group.name}. `}
            {describeSettingRanks(group.model_lists.map(({ rank }) => rank))}
          </span>
        </span>
      ))}
      {limited.length > 1 && ranks.size > 1 && (
        <span className="text-sm text-quiet">A list of a higher rank limits the other lists.</span>
      )}
    </span>
  );
}

function listHeldRoles(member: MemberWithRoles, groups: readonly MemberGroup[]): HeldRole[] {
  const inherited = findInheritedRole(member.role);
  return [
    ...(inherited
      ? [
          {
            id: "inherited",
            workspaceId: null,
            role: inherited,
            source: `Company role ${roleNames[member.role]}`,
          },
        ]
      : []),
    ...member.workspaces.map(({ workspace_id, workspace_role }) => ({
      id: workspace_id,
      workspaceId: workspace_id,
      role: workspace_role,
      source: "Assigned",
    })),
    ...groups.flatMap((group) =>
      group.workspaces.map(({ workspace_id, workspace_role }) => ({
        id: `${group.id} ${workspace_id}`,
        workspaceId: workspace_id,
        role: workspace_role,
        source: <GroupLink group={group} />,
      })),
    ),
  ];
}

function GroupLink({ group }: { group: MemberGroup }) {
  return (
    <Link
      to="/groups/$groupId"
      params={{ groupId: group.id }}
      className="link max-w-full truncate focus-visible:-outline-offset-2"
    >
      {group.name}
    </Link>
  );
}

const roleColumns: Column<HeldRole>[] = [
  {
    id: "workspace",
    header: "Workspace",
    cell: ({ workspaceId }) =>
      workspaceId === null ? "All workspaces" : <WorkspaceLink id={workspaceId} />,
  },
  {
    id: "role",
    header: "Role",
    // A row of fixed height does not move the next part when the names of workspaces arrive.
    from: "sm",
    isBelow: true,
    cell: ({ role }) => roleNames[role],
  },
  { id: "source", header: "Source", cell: ({ source }) => source },
];

function Keys({ member }: { member: Member }) {
  const keys = useKeysOf(member.id);
  const simulated = useSimulatedMonth("api_key", { member_id: [member.id] });
  const columns = useMemo(() => makeKeyColumns(simulated), [simulated]);
  if (keys.error) return <LoadError error={keys.error} onRetry={() => void keys.refetch()} />;
  if (!keys.data) return <SkeletonRows />;
  const { items } = keys.data;
  const spent = items.reduce((sum, key) => sum + toNanoUsd(key.spent_month_usd), 0n);
  const simulatedNano = items.reduce((sum, { id }) => sum + (simulated.get(id) ?? 0n), 0n);
  return (
    <Section
      title="Personal keys"
      lead={
        <>
          Spend of these keys this month: <Money usd={nanoToUsdText(spent)} />{" "}
          <SimulatedPart partNano={simulatedNano} sumNano={spent} />
        </>
      }
    >
      {items.length === 0 ? (
        <p className="text-quiet">No personal keys.</p>
      ) : (
        <Table
          label="Personal keys"
          columns={columns}
          rows={items}
          rowKey={(key) => key.id}
          isDimmed={(key) => key.status !== "active" || key.stopped_because !== null}
        />
      )}
    </Section>
  );
}

const makeKeyColumns = (simulated: ReadonlyMap<string, bigint>): Column<MemberKey>[] => [
  {
    id: "name",
    header: "Name",
    sortBy: (key) => key.name,
    cell: (key) => (
      <NameLink to="/api-keys/$keyId" params={{ keyId: key.id }}>
        {key.name}
      </NameLink>
    ),
  },
  {
    id: "workspace",
    header: "Workspace",
    from: "sm",
    isBelow: true,
    cell: (key) => <WorkspaceLink id={key.workspace_id} />,
  },
  {
    id: "status",
    header: "Status",
    from: "sm",
    isBelow: true,
    cell: (key) => (key.stopped_because === null ? key.status : "stopped"),
  },
  {
    id: "spent",
    header: "This month",
    isNumeric: true,
    sortBy: (key) => toNanoUsd(key.spent_month_usd),
    cell: (key) => <MarkedMoney usd={key.spent_month_usd} partNano={simulated.get(key.id) ?? 0n} />,
  },
];

function EndAccess({ member, onOpen }: { member: Member; onOpen: (opened: Opened) => void }) {
  if (member.status !== "active") return <EndedAccess onOpen={onOpen} />;
  return (
    <Section
      title="End access"
      lead="A sign-out ends sessions and laptops only. A deactivation also stops personal keys, and can be undone. A removal is permanent."
    >
      <div className="flex flex-wrap gap-2.5">
        <Button onClick={() => onOpen("sign_out")}>Sign out…</Button>
        <Button onClick={() => onOpen("deactivate")}>Deactivate member…</Button>
        <Button onClick={() => onOpen("remove")}>Remove member…</Button>
      </div>
    </Section>
  );
}

function EndedAccess({ onOpen }: { onOpen: (opened: Opened) => void }) {
  return (
    <Section
      title="Ended access"
      lead="A reactivation restores the company role, but no roles in workspaces. A removal is permanent."
    >
      <div className="flex flex-wrap gap-2.5">
        <Button onClick={() => onOpen("reactivate")}>Reactivate member…</Button>
        <Button onClick={() => onOpen("remove")}>Remove member…</Button>
      </div>
    </Section>
  );
}
