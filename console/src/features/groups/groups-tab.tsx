import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { lateDialog } from "../../late-dialog.tsx";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import { NameLink } from "../../ui/name-link.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { type Group, useGroups } from "./queries.ts";

const GroupDialog = lateDialog(() => import("./group-dialogs.tsx"), "GroupDialog");

export function GroupsTab() {
  const groups = useGroups();
  const may = useMay();
  const navigate = useNavigate();
  const [isCreating, setIsCreating] = useState(false);
  if (groups.error) return <LoadError error={groups.error} onRetry={() => void groups.refetch()} />;
  if (groups.isPending) return <SkeletonRows />;
  const { items } = groups.data;
  const create = may("groups:write") && (
    <Button kind={items.length === 0 ? "primary" : "plain"} onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Create group…
    </Button>
  );
  return (
    <div className="grid gap-4">
      {items.length === 0 ? (
        <EmptyState title="No groups yet" action={create}>
          A group gives its members roles in workspaces, a list of models, limits and rates.
        </EmptyState>
      ) : (
        <>
          {create && <div className="flex justify-end">{create}</div>}
          <Table label="Groups" columns={columns} rows={items} rowKey={(group) => group.id} />
        </>
      )}
      {isCreating && (
        <GroupDialog
          group={null}
          onClose={() => setIsCreating(false)}
          onSaved={({ id }) => void navigate({ to: "/groups/$groupId", params: { groupId: id } })}
        />
      )}
    </div>
  );
}

const columns: Column<Group>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: (group) => group.name,
    cell: (group) => (
      <NameLink to="/groups/$groupId" params={{ groupId: group.id }}>
        {group.name}
      </NameLink>
    ),
  },
  {
    id: "members",
    header: "Members",
    isNumeric: true,
    sortBy: (group) => group.member_count,
    cell: (group) => group.member_count,
  },
  {
    id: "workspaces",
    header: "Workspaces",
    from: "sm",
    isBelow: true,
    sortBy: (group) => group.workspaces.length,
    cell: (group) => (
      <span className="text-quiet">
        {group.workspaces.length > 0 ? formatPlural(group.workspaces.length, "workspace") : "None"}
      </span>
    ),
  },
  {
    id: "models",
    header: "Models",
    from: "sm",
    isBelow: true,
    belowLabel: "Models",
    cell: (group) => (
      <span className="truncate text-quiet">
        {group.allowed_models?.join(", ") ?? "Not restricted"}
      </span>
    ),
  },
  {
    id: "source",
    header: "Source",
    from: "lg",
    cell: (group) => (
      <span className="text-quiet">{group.source === "scim" ? "Directory" : "Bursar"}</span>
    ),
  },
];
