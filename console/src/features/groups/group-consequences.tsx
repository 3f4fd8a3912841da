import type { WorkspaceRole } from "@bursar/contract/permissions.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { describeStoppedPersonalKeys, findStoppedKeys } from "../../kit/members/member-access.ts";
import { useGroupsOf, useKeysOf, useMember } from "../../kit/members/queries.ts";
import { describeRights, listWorkspaceRights } from "../../kit/members/role-rights.ts";
import { useGroupRates } from "../../kit/rate-limits/queries.ts";
import { useGroupLimits } from "../../kit/spend-limits/queries.ts";
import { useList } from "../../queries.ts";
import { formatPlural } from "../../ui/format.ts";
import {
  describeGroupDeletion,
  describeMemberAddition,
  describeRoleRemoval,
} from "./group-effects.ts";
import type { Group } from "./queries.ts";

/** Roles, limits and models that end with the group. */
export function DeletionConsequences({ group }: { group: Group }) {
  const { gifts, counts } = useGifts(group);
  return (
    <Consequences sentences={describeGroupDeletion(group.member_count, gifts)} counts={counts} />
  );
}

/** Roles, limits and models that a new member gets. */
export function AdditionConsequences({ group }: { group: Group }) {
  const { gifts, counts } = useGifts(group);
  return <Consequences sentences={describeMemberAddition(gifts)} counts={counts} />;
}

function useGifts(group: Group) {
  const limits = useGroupLimits(group.id);
  const rates = useGroupRates(group.id);
  const isKnown = limits.data !== undefined && rates.data !== undefined;
  return {
    gifts: {
      workspaces: group.workspaces.length,
      hasModelList: group.allowed_models !== null,
      limits: isKnown ? limits.data.items.length + rates.data.items.length : undefined,
    },
    counts: [limits, rates],
  };
}

/** Rights that all members gain and lose with another role of the group. */
export function RoleConsequences(props: {
  group: Group;
  before: WorkspaceRole;
  after: WorkspaceRole;
}) {
  const { group, before, after } = props;
  if (before === after || group.member_count === 0) return null;
  return (
    <Consequences
      sentences={[
        `Applies to ${formatPlural(group.member_count, "member")}, unless a higher role remains.`,
        ...describeRights(listWorkspaceRights(before), listWorkspaceRights(after)),
      ]}
    />
  );
}

/** Members without another role in the workspace, and their keys that stop. */
export function RoleRemovalConsequences(props: { groupId: string; workspaceId: string }) {
  const { groupId, workspaceId } = props;
  const members = useList("listWorkspaceMembers", { params: { workspace_id: workspaceId } });
  const keys = useList("listApiKeys", {
    query: { workspace_id: workspaceId, owner_type: "member", status: "active" },
  });
  const losing = members.data?.items.filter(
    ({ given_role, inherited_from, groups }) =>
      given_role === null &&
      inherited_from === null &&
      groups.every((each) => each.group_id === groupId),
  );
  const ids = new Set(losing?.map(({ member_id }) => member_id));
  const stopped = keys.data?.items.filter(
    ({ owner, stopped_because }) =>
      owner.type === "member" && ids.has(owner.id) && stopped_because === null,
  );
  return (
    <Consequences
      sentences={describeRoleRemoval({ members: losing?.length, keys: stopped?.length })}
      counts={[members, keys]}
    />
  );
}

/** Personal keys of a member that stop without the group. */
export function MemberRemovalConsequences(props: { groupId: string; memberId: string }) {
  const { groupId, memberId } = props;
  const member = useMember(memberId);
  const groups = useGroupsOf(memberId);
  const keys = useKeysOf(memberId);
  const isKnown = member.data && groups.data && keys.data;
  const before = {
    role: member.data?.role ?? "user",
    assigned: (member.data?.workspaces ?? []).map(({ workspace_id }) => workspace_id),
    groups: groups.data?.items ?? [],
  };
  const after = { ...before, groups: before.groups.filter(({ id }) => id !== groupId) };
  return (
    <Consequences
      sentences={
        isKnown
          ? [describeStoppedPersonalKeys(findStoppedKeys(keys.data.items, { before, after }))]
          : []
      }
      counts={[member, groups, keys]}
    />
  );
}
