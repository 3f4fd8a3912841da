import { roleNames, type WorkspaceRole } from "@bursar/contract/permissions.ts";
import { Ellipsis, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMembers } from "../../kit/members/queries.ts";
import { workspaceRoleChoices } from "../../kit/members/role-words.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { type ItemOf, useChange, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { Choices, Input } from "../../ui/input.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { RemovalConsequences, RoleConsequences } from "./member-consequences.tsx";

type WorkspaceMember = ItemOf<"listWorkspaceMembers">;
const stale = ["listWorkspaceMembers", "listMembers", "listApiKeys"] as const;

/** Members with an assigned or inherited role in the workspace. */
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
        label="Workspace members"
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
  /** Member whose role changes. Null: add a member. */
  member: WorkspaceMember | null;
  onClose: () => void;
}

interface RoleValues {
  /** Id or address of the member who is added. */
  person: string | null;
  role: WorkspaceRole;
}

function RoleDialog({ workspaceId, member, onClose }: RoleDialogProps) {
  const may = useMay();
  const people = useMembers(false, may("members:read"));
  const add = useChange("addWorkspaceMember", stale);
  const update = useChange("updateWorkspaceMember", stale);
  const defaultValues: RoleValues = {
    person: null,
    role: member?.given_role ?? "workspace_developer",
  };
  const changeForm = useChangeForm(member ? update : add, {
    defaultValues,
    toInput: ({ person, role: workspace_role }) => {
      if (member) {
        return {
          params: { workspace_id: workspaceId, member_id: member.member_id },
          body: { workspace_role },
        };
      }
      const added = person?.includes("@") ? { email: person } : { member_id: person ?? "" };
      return { params: { workspace_id: workspaceId }, body: { ...added, workspace_role } };
    },
    toast: member ? "Role changed" : "Member added",
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { person, role } = form.watch();
  return (
    <Dialog
      title={member ? "Change role" : "Add member"}
      description={member ? member.name : "The person must be a member of the company."}
      isOpen
      onClose={onClose}
    >
      <DialogForm
        form={changeForm}
        action={member ? "Change role" : "Add member"}
        isDisabled={!member && person === null}
      >
        {!member && (
          <Field label="Member">
            {(control) =>
              people.data ? (
                <Combobox
                  control={control}
                  placeholder="Name or address"
                  value={person}
                  onChange={(id) => form.setValue("person", id)}
                  options={people.data.items
                    .filter(({ status }) => status === "active")
                    .map(({ id, name, email }) => ({ value: id, label: name, note: email }))}
                />
              ) : (
                <Input
                  {...control}
                  type="email"
                  placeholder="ada@example.com"
                  onChange={({ target }) => form.setValue("person", target.value)}
                />
              )
            }
          </Field>
        )}
        <Choices
          legend="Role in this workspace"
          name="workspace-role"
          value={role}
          onChange={(value) => form.setValue("role", value)}
          choices={workspaceRoleChoices}
        />
        {member && <RoleConsequences member={member} role={role} />}
      </DialogForm>
    </Dialog>
  );
}

function RemoveDialog({ member, onClose }: { member: WorkspaceMember; onClose: () => void }) {
  const remove = useChange("removeWorkspaceMember", stale);
  return (
    <ConfirmDelayedChange
      change={remove}
      input={{ params: { workspace_id: member.workspace_id, member_id: member.member_id } }}
      action="Remove from workspace"
      urgentAction="Remove now"
      subject={`${member.workspace_id} ${member.member_id}`}
      name={member.name}
      done="removed from the workspace"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{member.name}</strong> loses the assigned role.
        Without another role, personal keys in this workspace stop working.
      </p>
      <RemovalConsequences member={member} />
    </ConfirmDelayedChange>
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
        <span className="grid">
          <span className="truncate font-medium">{member.name}</span>
          <span className="truncate text-xs text-quiet" title={member.email}>
            {member.email}
          </span>
        </span>
      ),
    },
    {
      id: "role",
      header: "Workspace role",
      from: "sm",
      isBelow: true,
      sortBy: (member) => member.workspace_role,
      cell: (member) => roleNames[member.workspace_role],
    },
    {
      id: "why",
      header: "Source",
      from: "sm",
      isBelow: true,
      cell: (member) => <span className="text-quiet">{formatSource(member)}</span>,
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

/** Source of the effective role. */
function formatSource({
  inherited_from,
  given_role,
  workspace_role,
  groups,
}: WorkspaceMember): string {
  if (inherited_from) return `Inherited from ${roleNames[inherited_from]}`;
  return given_role === workspace_role ? "Assigned" : `Group ${groups[0]?.name ?? ""}`;
}
