import { type OrganizationRole, roleNames } from "@bursar/contract/permissions.ts";
import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import type { Member } from "../../kit/members/queries.ts";
import { findAssignableRoles, roleHints } from "../../kit/members/role-words.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useSession } from "../../session.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Choices } from "../../ui/input.tsx";
import { FormError, Skeleton } from "../../ui/states.tsx";
import {
  useDeactivateMember,
  useOwnedThings,
  useRemovalPreview,
  useRemoveMember,
  useRoleSetters,
  useSignOutMember,
  useUpdateMember,
} from "./queries.ts";

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

/** Preview of the keys, roles and invites that end with a member's access. */
function Endings({ member }: { member: Member }) {
  const preview = useRemovalPreview(member.id);
  const owned = useOwnedThings(member.id);
  if (preview.error) return <FormError error={preview.error} />;
  if (!preview.data || owned.isPending) return <Skeleton className="w-2/3" />;
  const things = owned.data?.data.length ?? 0;
  const { refusal, api_keys, workspaces, groups, invites } = preview.data;
  if (refusal !== null) return <p className="font-medium text-warn">{refusal}</p>;
  return (
    <ul className="list-disc pl-5 text-ink">
      <li>All sessions end immediately.</li>
      <li>
        {api_keys.length === 0
          ? "No personal key stops working."
          : `${formatPlural(api_keys.length, "personal key")} ${api_keys.length === 1 ? "stops" : "stop"} working: ${api_keys
              .slice(0, 5)
              .map(({ name }) => name)
              .join(", ")}${api_keys.length > 5 ? "…" : ""}.`}
      </li>
      {workspaces.length > 0 && (
        <li>
          Roles in {formatPlural(workspaces.length, "workspace")} end:{" "}
          {workspaces.map(({ name }) => name).join(", ")}.
        </li>
      )}
      {groups.length > 0 && (
        <li>
          {groups.length === 1 ? "The membership" : "The memberships"} in{" "}
          {formatPlural(groups.length, "group")} {groups.length === 1 ? "ends" : "end"}:{" "}
          {groups.map(({ name }) => name).join(", ")}.
        </li>
      )}
      {invites.length > 0 && <li>{formatPlural(invites.length, "pending invite")} end.</li>}
      {things > 0 && (
        <li>
          The member stays named on {formatPlural(things, "thing")}, such as reviews and channels.
          Hand them over on the member’s page.
        </li>
      )}
    </ul>
  );
}

export function SignOutMemberDialog({ member, onClose }: MemberDialogProps) {
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

export function RemoveMemberDialog({ member, onClose }: MemberDialogProps) {
  const remove = useRemoveMember();
  return (
    <ConfirmChange
      change={remove}
      input={{ params: { member_id: member.id } }}
      action="Remove member"
      toast={`${member.name} removed`}
      typed={member.email}
      onClose={onClose}
    >
      <p>
        This cannot be undone. Name and address of{" "}
        <strong className="font-semibold text-ink">{member.name}</strong> stay in the audit log and
        in reports.
      </p>
      <Endings member={member} />
    </ConfirmChange>
  );
}
