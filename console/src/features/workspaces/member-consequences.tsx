import type { WorkspaceRole } from "@bursar/contract/permissions.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useRecentRequests } from "../../kit/consequences/recent-requests.ts";
import { describeRecentRequests } from "../../kit/consequences/sentences.ts";
import { describeStoppedPersonalKeys, findStoppedKeys } from "../../kit/members/member-access.ts";
import { useMember } from "../../kit/members/queries.ts";
import { describeRights, listWorkspaceRights } from "../../kit/members/role-rights.ts";
import { type ItemOf, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";

type WorkspaceMember = ItemOf<"listWorkspaceMembers">;

/** Rights that a member gains and loses with another role. A higher role from elsewhere stays in force. */
export function RoleConsequences(props: { member: WorkspaceMember; role: WorkspaceRole }) {
  const { member, role } = props;
  if (member.given_role === null || member.given_role === role) return null;
  const isHeldElsewhere = member.inherited_from !== null || member.groups.length > 0;
  return (
    <Consequences
      sentences={[
        ...describeRights(listWorkspaceRights(member.given_role), listWorkspaceRights(role)),
        ...(isHeldElsewhere ? ["A higher role from the company or a group stays in force."] : []),
      ]}
    />
  );
}

/** Personal keys in the workspace that stop without the assigned role, and their requests. */
export function RemovalConsequences({ member }: { member: WorkspaceMember }) {
  const { member_id, workspace_id, groups } = member;
  const person = useMember(member_id, useMay()("members:read"));
  const keys = useList("listApiKeys", { query: { workspace_id, owner_member_id: member_id } });
  const after = {
    role: person.data?.role ?? member.inherited_from ?? "user",
    assigned: [],
    groups: groups.map(({ group_id }) => ({ id: group_id, workspaces: [{ workspace_id }] })),
  } as const;
  const before = { ...after, assigned: [workspace_id] };
  const stopped = keys.data && findStoppedKeys(keys.data.items, { before, after });
  const recent = useRecentRequests(
    { api_key_id: stopped?.map(({ id }) => id) ?? [] },
    { isEnabled: stopped !== undefined && stopped.length > 0, workspaceId: workspace_id },
  );
  return (
    <Consequences
      sentences={[
        ...(stopped ? [describeStoppedPersonalKeys(stopped)] : []),
        ...(recent.requests === undefined ? [] : [describeRecentRequests(recent.requests)]),
      ]}
      counts={[person, keys, recent]}
    />
  );
}
