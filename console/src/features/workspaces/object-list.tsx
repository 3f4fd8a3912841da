import { useNavigate, useSearch } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useMemo, useState } from "react";
import { useBaseUrl } from "../../kit/code-samples/use-base-url.ts";
import { KEY_VARIABLE } from "../../kit/code-samples/variables.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { useWorkspaceId } from "../../kit/workspaces/workspace-id.ts";
import { usePages } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button, ButtonLink, IconButton } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { formatBytes, kindWords } from "./object-words.ts";
import { type StoredObject, useDeleteObject } from "./queries.ts";
import { type ObjectsSearch, objectKinds } from "./search.ts";
import { createdColumn, keyColumn } from "./stored-columns.tsx";

/** Files, skills, containers and threads of a workspace, newest first. The address has the kind. */
export function ObjectList() {
  const workspaceId = useWorkspaceId();
  const { kind = "file" }: ObjectsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const objects = usePages("listStoredObjects", { workspace_id: workspaceId, kind });
  const [deleted, setDeleted] = useState<StoredObject | null>(null);
  const may = useMay();
  const { isDeletable, one } = kindWords[kind];
  const onDelete = isDeletable && may("workspaces:write", workspaceId) ? setDeleted : null;
  const columns = useMemo(() => makeColumns(kind, onDelete), [kind, onDelete]);
  const view = useTableView();
  const { items, error } = objects;
  if (error && items.length === 0) return <LoadError error={error} onRetry={objects.refetch} />;
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-center gap-2.5">
        <Segments
          label="Kind"
          value={kind}
          options={objectKinds.map((each) => [each, kindWords[each].many] as const)}
          onChange={(value) =>
            void navigate({
              to: "/workspaces/$workspaceId/files",
              params: { workspaceId },
              search: { kind: value === "file" ? undefined : value },
              replace: true,
            } as never)
          }
        />
        <span className="ml-auto">
          <TableTools columns={columns} view={view} />
        </span>
      </div>
      {objects.isPending ? (
        <SkeletonRows />
      ) : items.length > 0 ? (
        <Table
          label={kindWords[kind].many}
          columns={columns}
          rows={items}
          rowKey={({ id }) => id}
          view={view}
        />
      ) : (
        <NoObjects kind={kind} />
      )}
      {objects.hasOlder && (
        <Button className="mx-auto" isBusy={objects.isLoadingOlder} onClick={objects.loadOlder}>
          Load older {one}s
        </Button>
      )}
      {deleted && <DeleteObjectDialog object={deleted} onClose={() => setDeleted(null)} />}
    </div>
  );
}

function NoObjects({ kind }: { kind: StoredObject["kind"] }) {
  const baseUrl = useBaseUrl();
  const { many, purpose } = kindWords[kind];
  const paths = { file: "files -F file=@report.pdf", skill: "skills -F files[]=@skill.zip" };
  const upload = kind === "file" || kind === "skill" ? paths[kind] : null;
  return (
    <EmptyState
      title={`No ${many.toLowerCase()} yet`}
      action={
        <ButtonLink to="/guides/$guide" params={{ guide: "files-and-skills" }}>
          Read the guide
        </ButtonLink>
      }
      code={
        upload && (
          <CodeBlock
            text={`curl -H "x-api-key: $${KEY_VARIABLE}" ${baseUrl}/v1/${upload}`}
            what="command"
          />
        )
      }
    >
      {purpose}
    </EmptyState>
  );
}

interface DeleteProps {
  object: StoredObject;
  onClose: () => void;
}

function DeleteObjectDialog({ object: { id, kind, name }, onClose }: DeleteProps) {
  const remove = useDeleteObject();
  const { one } = kindWords[kind];
  return (
    <ConfirmDelayedChange
      change={remove}
      input={{ params: { stored_object_id: id } }}
      action={`Delete ${one}`}
      urgentAction="Delete now"
      subject={id}
      name={`${one === "file" ? "File" : "Skill"} “${name ?? id}”`}
      done="deleted"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{name ?? id}</strong> is deleted at its upstream,
        which cannot restore it.
      </p>
      <Consequences sentences={[`Requests that name the ${one} fail from then on.`]} />
    </ConfirmDelayedChange>
  );
}

function makeColumns(
  kind: StoredObject["kind"],
  /** Null: nothing can be deleted here. */
  onDelete: ((object: StoredObject) => void) | null,
): Column<StoredObject>[] {
  const hasName = kindWords[kind].isDeletable;
  return [
    {
      id: "name",
      header: hasName ? "Name" : "Id",
      ...(hasName && { sortBy: ({ name, id }: StoredObject) => name ?? id }),
      cell: ({ name, id }) => (
        <span className="grid">
          {name !== null && <span className="truncate font-medium">{name}</span>}
          <span className="inline-flex items-center gap-1">
            <code className="max-w-48 truncate text-xs text-quiet" title={id}>
              {id}
            </code>
            <CopyIconButton text={id} what="id" />
          </span>
        </span>
      ),
    },
    ...(kind === "file" ? fileColumns : []),
    keyColumn,
    createdColumn,
    {
      id: "expires",
      header: "Expires",
      from: "lg",
      sortBy: ({ expires_at }) => expires_at ?? "",
      cell: ({ expires_at }) => <RelativeTime at={expires_at} />,
    },
    ...(onDelete === null ? [] : [makeActions(onDelete)]),
  ];
}

const fileColumns: readonly Column<StoredObject>[] = [
  {
    id: "size",
    header: "Size",
    isNumeric: true,
    sortBy: ({ size_bytes }) => size_bytes ?? 0,
    cell: ({ size_bytes }) => (
      <span className="whitespace-nowrap">
        {size_bytes === null ? "–" : formatBytes(size_bytes)}
      </span>
    ),
  },
  {
    id: "type",
    header: "Type",
    from: "xl",
    cell: ({ media_type }) => <span className="text-quiet">{media_type ?? "–"}</span>,
  },
];

function makeActions(onDelete: (object: StoredObject) => void): Column<StoredObject> {
  return {
    id: "actions",
    header: "",
    isNumeric: true,
    cell: (object) => (
      <Menu
        trigger={
          <IconButton label={`Actions for ${object.name ?? object.id}`}>
            <Ellipsis size={16} />
          </IconButton>
        }
      >
        <MenuItem isDanger onSelect={() => onDelete(object)}>
          Delete {kindWords[object.kind].one}…
        </MenuItem>
      </Menu>
    ),
  };
}
