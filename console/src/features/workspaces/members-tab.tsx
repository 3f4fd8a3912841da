import { roleNames, type WorkspaceRole } from "@bursar/contract/permissions.ts";
import { Ellipsis, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMembers } from "../../kit/members/queries.ts";
import { givenRoles, workspaceRoleHints } from "../../kit/members/role-words.ts";
import { type ItemOf, useChange, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { CancelButton, ConfirmDialog, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { Choices, Input } from "../../ui/input.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { showToast } from "../../ui/toast.ts";

type WorkspaceMember = ItemOf<"listWorkspaceMembers">;
const stale = ["listWorkspaceMembers", "listMembers", "listApiKeys"] as const;

/** Everybody who has a role in the workspace, given or inherited, and why. */
export function WorkspaceMembers({ workspaceId }: { workspaceId: string }) {
  const members = useList("listWorkspaceMembers", { params: { workspace_id: workspaceId } });
  const may = useMay();
  const [edited, setEdited] = useState<WorkspaceMember | "new" | null>(null);
  const [removed, setRemoved] = useState<WorkspaceMember | null>(null);
  const mayWrite = may("workspace_members:write", workspaceId);
  const columns = useMemo(() => makeColumns(mayWrite, setEdited, setRemoved), [mayWrite]);
  if (members.error)
    return <LoadError error={members.error} onRetry={() => void members.refetch()} />;
  if (members.isPending) return <SkeletonRows />;
  return (
    <div className="grid gap-4">
      {mayWrite && (
        <div className="flex justify-end">
          <Button kind="primary" data-create onClick={() => setEdited("new")}>
            <Plus size={16} /> Add member…
          </Button>
        </div>
      )}
      <Table
        label="Members of the workspace"
        columns={columns}
        rows={members.data.items}
        rowKey={(member) => member.member_id}
        isDimmed={(member) => member.given_role === null}
      />
      {edited !== null && (
        <RoleDialog
          workspaceId={workspaceId}
          member={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {removed && <RemoveDialog member={removed} onClose={() => setRemoved(null)} />}
    </div>
  );
}

interface RoleDialogProps {
  workspaceId: string;
  /** Whose role is changed; null: somebody is added. */
  member: WorkspaceMember | null;
  onClose: () => void;
}

function RoleDialog({ workspaceId, member, onClose }: RoleDialogProps) {
  const may = useMay();
  const people = useMembers(false, may("members:read"));
  const add = useChange("addWorkspaceMember", stale);
  const update = useChange("updateWorkspaceMember", stale);
  const [who, setWho] = useState<string | null>(null);
  const [role, setRole] = useState<WorkspaceRole>(member?.given_role ?? "workspace_developer");
  const save = async () => {
    if (member) {
      await update.mutateAsync({
        params: { workspace_id: workspaceId, member_id: member.member_id },
        body: { workspace_role: role },
      });
    } else {
      const body = who?.includes("@") ? { email: who } : { member_id: who ?? "" };
      await add.mutateAsync({
        params: { workspace_id: workspaceId },
        body: { ...body, workspace_role: role },
      });
    }
    showToast(member ? "Role changed" : "Member added");
    onClose();
  };
  return (
    <Dialog
      title={member ? "Change role" : "Add member"}
      description={member ? member.name : "Somebody who is in the company already."}
      isOpen
      onClose={onClose}
    >
      <form
        noValidate
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          // The error is shown from the mutation itself.
          save().catch(() => undefined);
        }}
      >
        {!member && (
          <Field label="Who">
            {(control) =>
              people.data ? (
                <Combobox
                  control={control}
                  placeholder="Name or address"
                  value={who}
                  onChange={setWho}
                  options={people.data.items
                    .filter(({ status }) => status === "active")
                    .map(({ id, name, email }) => ({ value: id, label: name, note: email }))}
                />
              ) : (
                <Input
                  {...control}
                  type="email"
                  placeholder="ada@example.com"
                  onChange={(event) => setWho(event.target.value)}
                />
              )
            }
          </Field>
        )}
        <Choices
          legend="Role in this workspace"
          name="workspace-role"
          value={role}
          onChange={setRole}
          choices={givenRoles.map((value) => ({
            value,
            label: roleNames[value],
            hint: workspaceRoleHints[value],
          }))}
        />
        <FormError error={add.error ?? update.error} />
        <DialogActions>
          <CancelButton />
          <Button
            kind="primary"
            type="submit"
            disabled={!member && who === null}
            isBusy={add.isPending || update.isPending}
          >
            {member ? "Change role" : "Add member"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function RemoveDialog({ member, onClose }: { member: WorkspaceMember; onClose: () => void }) {
  const remove = useChange("removeWorkspaceMember", stale);
  return (
    <ConfirmDialog
      title="Remove from workspace"
      action="Remove from workspace"
      isOpen
      onClose={onClose}
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate(
          { params: { workspace_id: member.workspace_id, member_id: member.member_id } },
          {
            onSuccess: () => {
              showToast(`${member.name} removed from the workspace`);
              onClose();
            },
          },
        )
      }
    >
      <p>
        <strong className="font-semibold text-ink">{member.name}</strong> loses the role that was
        given here. Their personal keys in this workspace stop working.
      </p>
    </ConfirmDialog>
  );
}

function makeColumns(
  mayWrite: boolean,
  onEdit: (member: WorkspaceMember) => void,
  onRemove: (member: WorkspaceMember) => void,
): Column<WorkspaceMember>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (member) => member.name,
      cell: (member) => (
        <span className="grid max-sm:max-w-40">
          <span className="truncate font-medium">{member.name}</span>
          <span className="truncate text-xs text-quiet" title={member.email}>
            {member.email}
          </span>
        </span>
      ),
    },
    {
      id: "role",
      header: "Role here",
      sortBy: (member) => member.workspace_role,
      cell: (member) => roleNames[member.workspace_role],
    },
    {
      id: "why",
      header: "Why",
      from: "sm",
      cell: (member) => (
        <span className="text-quiet">
          {member.inherited_from
            ? `Inherited from ${roleNames[member.inherited_from]}`
            : "Given here"}
        </span>
      ),
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (member) =>
        mayWrite && member.given_role !== null ? (
          <Menu
            trigger={
              <IconButton label={`Actions for ${member.name}`}>
                <Ellipsis size={16} />
              </IconButton>
            }
          >
            <MenuItem onSelect={() => onEdit(member)}>Change role…</MenuItem>
            <MenuItem isDanger onSelect={() => onRemove(member)}>
              Remove from workspace…
            </MenuItem>
          </Menu>
        ) : null,
    },
  ];
}
