import { type OrganizationRole, roleNames } from "@bursar/contract/permissions.ts";
import { useState } from "react";
import type { Member } from "../../kit/members/queries.ts";
import { roleHints, rolesToGive } from "../../kit/members/role-words.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, ConfirmDialog, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Choices } from "../../ui/input.tsx";
import { FormError, Skeleton } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import {
  useDeactivateMember,
  useRemovalPreview,
  useRemoveMember,
  useUpdateMember,
} from "./queries.ts";

interface MemberDialogProps {
  member: Member;
  onClose: () => void;
}

export function ChangeRoleDialog({ member, onClose }: MemberDialogProps) {
  const session = useSession();
  const update = useUpdateMember();
  const [role, setRole] = useState<OrganizationRole>(member.role);
  return (
    <Dialog
      title="Change role"
      description={`${member.name}. It counts from the next request on.`}
      isOpen
      onClose={onClose}
    >
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          update.mutate(
            { params: { member_id: member.id }, body: { role } },
            {
              onSuccess: () => {
                showToast(`${member.name} is now ${roleNames[role]}`);
                onClose();
              },
            },
          );
        }}
      >
        <Choices
          legend="Role in the company"
          name="role"
          value={role}
          onChange={setRole}
          choices={rolesToGive(session.member.role).map((value) => ({
            value,
            label: roleNames[value],
            hint: roleHints[value],
          }))}
        />
        <FormError error={update.error} />
        <DialogActions>
          <CancelButton />
          <Button
            kind="primary"
            type="submit"
            isBusy={update.isPending}
            disabled={role === member.role}
          >
            Change role
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** What ends with the person's access, counted before it does. */
function Endings({ member }: { member: Member }) {
  const preview = useRemovalPreview(member.id);
  if (preview.error) return <FormError error={preview.error} />;
  if (!preview.data) return <Skeleton className="w-2/3" />;
  const { refusal, api_keys, workspaces, invites } = preview.data;
  if (refusal !== null) return <p className="font-medium text-warn">{refusal}</p>;
  return (
    <ul className="list-disc pl-5 text-ink">
      <li>Every session ends at once.</li>
      <li>
        {api_keys.length === 0
          ? "No personal key stops."
          : `${formatPlural(api_keys.length, "personal key")} ${api_keys.length === 1 ? "stops" : "stop"}: ${api_keys
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
      {invites.length > 0 && <li>{formatPlural(invites.length, "pending invite")} end.</li>}
    </ul>
  );
}

export function DeactivateMemberDialog({ member, onClose }: MemberDialogProps) {
  const deactivate = useDeactivateMember();
  return (
    <ConfirmDialog
      title="Deactivate member"
      action="Deactivate member"
      isOpen
      onClose={onClose}
      isBusy={deactivate.isPending}
      error={deactivate.error}
      onConfirm={() =>
        deactivate.mutate(
          { params: { member_id: member.id } },
          {
            onSuccess: () => {
              showToast(`${member.name} deactivated`);
              onClose();
            },
          },
        )
      }
    >
      <p>
        <strong className="font-semibold text-ink">{member.name}</strong> cannot sign in until
        reactivated. Roles in workspaces do not come back by themselves.
      </p>
      <Endings member={member} />
    </ConfirmDialog>
  );
}

export function RemoveMemberDialog({ member, onClose }: MemberDialogProps) {
  const remove = useRemoveMember();
  return (
    <ConfirmDialog
      title="Remove member"
      action="Remove member"
      isOpen
      onClose={onClose}
      typed={member.email}
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate(
          { params: { member_id: member.id } },
          {
            onSuccess: () => {
              showToast(`${member.name} removed`);
              onClose();
            },
          },
        )
      }
    >
      <p>
        This cannot be undone. Name and address of{" "}
        <strong className="font-semibold text-ink">{member.name}</strong> stay in the audit log and
        in reports.
      </p>
      <Endings member={member} />
    </ConfirmDialog>
  );
}
