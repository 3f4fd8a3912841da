import { type OrganizationRole, roleNames } from "@bursar/contract/permissions.ts";
import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useRecentRequests } from "../../kit/consequences/recent-requests.ts";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { useActiveLaptops } from "../../kit/laptops/queries.ts";
import { findStoppedKeys } from "../../kit/members/member-access.ts";
import {
  type Member,
  useGroupsOf,
  useKeysOf,
  useMember,
  useMembers,
} from "../../kit/members/queries.ts";
import { findAssignableRoles, roleHints } from "../../kit/members/role-words.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useMay, useSession } from "../../session.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Choices } from "../../ui/input.tsx";
import { describeEnding, describeSignOut } from "./end-effects.ts";
import {
  useDeactivateMember,
  useMemberSessions,
  useOwnedThings,
  useReactivateMember,
  useRemovalPreview,
  useRemoveMember,
  useRoleSetters,
  useSignOutMember,
  useUpdateMember,
} from "./queries.ts";
import { describeReactivation } from "./reactivation-effects.ts";
import { describeRoleChange } from "./role-effects.ts";

interface MemberDialogProps {
  member: Member;
  onClose: () => void;
}

export function ChangeRoleDialog({ member, onClose }: MemberDialogProps) {
  const session = useSession();
  const defaultValues: { role: OrganizationRole } = { role: member.role };
  const changeForm = useChangeForm(useUpdateMember(), {
    defaultValues,
    toInput: (body) => ({ params: { member_id: member.id }, body }),
    toast: (_, values) => `${member.name} is now ${roleNames[values.role]}`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const role = form.watch("role");
  const setters = useRoleSetters(member.id);
  return (
    <Dialog
      title="Change role"
      description={`${member.name}. The role applies from the next request.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Change role" isDisabled={role === member.role}>
        <Choices
          legend="Company role"
          name="role"
          value={role}
          onChange={(value) => form.setValue("role", value)}
          choices={findAssignableRoles(session.member.role).map((value) => ({
            value,
            label: roleNames[value],
            hint: roleHints[value],
          }))}
        />
        <RoleConsequences member={member} role={role} />
        {setters.length > 0 && role !== "owner" && (
          <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
            Claims of {setters.join(" and ")} set the role again at the member’s next sign-in there.
            Change the role at the provider to keep it.
          </p>
        )}
      </DialogForm>
    </Dialog>
  );
}

/** Rights that the member gains and loses, and personal keys that stop. */
function RoleConsequences({ member, role }: { member: Member; role: OrganizationRole }) {
  const isOwn = useSession().member.id === member.id;
  const may = useMay();
  const isChanged = role !== member.role;
  const members = useMembers(false, isChanged && member.role === "owner");
  const whole = useMember(member.id, isChanged);
  const groups = useGroupsOf(member.id, isChanged && may("groups:read"));
  const keys = useKeysOf(member.id, isChanged && may("api_keys:read"));
  const access = {
    role: member.role,
    assigned: (whole.data?.workspaces ?? []).map(({ workspace_id }) => workspace_id),
    groups: groups.data?.items ?? [],
  };
  const owners = members.data?.items.filter(
    (each) => each.role === "owner" && each.status === "active",
  );
  const sentences = describeRoleChange({
    before: member.role,
    after: role,
    isSelf: isOwn,
    activeOwners: owners?.length,
    stoppedKeys:
      whole.data &&
      groups.data &&
      keys.data &&
      findStoppedKeys(keys.data.items, { before: access, after: { ...access, role } }),
  });
  return <Consequences sentences={sentences} counts={[members, whole, groups, keys]} />;
}

/** Sessions, laptops, keys, roles and invites that end with a member's access. */
function Endings({ member }: { member: Member }) {
  const preview = useRemovalPreview(member.id);
  const sessions = useMemberSessions(member.id);
  const laptops = useActiveLaptops({ member_id: member.id });
  const owned = useOwnedThings(member.id);
  const recent = useRecentRequests(
    { member_id: [member.id] },
    { isEnabled: (preview.data?.api_keys.length ?? 0) > 0 },
  );
  const refusal = preview.data?.refusal ?? null;
  if (refusal !== null) return <p className="font-medium text-warn">{refusal}</p>;
  return (
    <Consequences
      sentences={describeEnding({
        preview: preview.data,
        sessions: sessions.data?.data.length,
        laptops: laptops.data?.items.length,
        requests: recent.requests,
        ownedThings: owned.data?.data.length,
      })}
      counts={[preview, sessions, laptops, owned, recent]}
    />
  );
}

export function SignOutMemberDialog({ member, onClose }: MemberDialogProps) {
  const sessions = useMemberSessions(member.id);
  const laptops = useActiveLaptops({ member_id: member.id });
  return (
    <ConfirmChange
      change={useSignOutMember()}
      input={{ params: { member_id: member.id } }}
      action="Sign out"
      toast={`${member.name} signed out`}
      onClose={onClose}
    >
      <p>
        All sessions and laptops of{" "}
        <strong className="font-semibold text-ink">{member.name}</strong> end. Roles and personal
        keys stay, and the member can sign in again.
      </p>
      <Consequences
        sentences={describeSignOut({
          sessions: sessions.data?.data.length,
          laptops: laptops.data?.items.length,
        })}
        counts={[sessions, laptops]}
      />
    </ConfirmChange>
  );
}

export function DeactivateMemberDialog({ member, onClose }: MemberDialogProps) {
  const deactivate = useDeactivateMember();
  return (
    <ConfirmDelayedChange
      change={deactivate}
      input={{ params: { member_id: member.id } }}
      action="Deactivate member"
      urgentAction="Deactivate now"
      subject={member.id}
      name={member.name}
      done="deactivated"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{member.name}</strong> cannot sign in until the
        account is reactivated. Workspace roles and groups are not restored.
      </p>
      <Endings member={member} />
    </ConfirmDelayedChange>
  );
}

export function ReactivateMemberDialog({ member, onClose }: MemberDialogProps) {
  const may = useMay();
  const keys = useKeysOf(member.id, may("api_keys:read"));
  return (
    <ConfirmChange
      change={useReactivateMember()}
      input={{ params: { member_id: member.id } }}
      action="Reactivate member"
      toast={`${member.name} reactivated`}
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{member.name}</strong> gets the company role
        back. Roles in workspaces and groups are not restored, except groups that a directory
        provides.
      </p>
      <Consequences
        sentences={describeReactivation({ role: member.role, keys: keys.data?.items })}
        counts={[keys]}
      />
    </ConfirmChange>
  );
}

export function RemoveMemberDialog({ member, onClose }: MemberDialogProps) {
  const remove = useRemoveMember();
  return (
    <ConfirmDelayedChange
      change={remove}
      input={{ params: { member_id: member.id } }}
      action="Remove member"
      urgentAction="Remove now"
      subject={member.id}
      name={member.name}
      done="removed"
      typed={member.email}
      onClose={onClose}
    >
      <p>
        This cannot be undone. Name and address of{" "}
        <strong className="font-semibold text-ink">{member.name}</strong> stay in the audit log and
        in reports.
      </p>
      <Endings member={member} />
    </ConfirmDelayedChange>
  );
}
