import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, X } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { issueWords } from "../../kit/api-keys/issue-words.ts";
import { needsAttention, stateOf } from "../../kit/api-keys/key-state.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { useSimulatedMonth } from "../../kit/usage/simulated-month.ts";
import { lateDialog } from "../../late-dialog.tsx";
import type { WholeList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatCount, formatPlural } from "../../ui/format.ts";
import { NarrowFilters } from "../../ui/narrow-filters.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { useSelection } from "../../ui/selection.ts";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { makeColumns } from "./key-columns.tsx";
import { countKeyFilters, KeyFilters, makeKeyFilter } from "./key-filters.tsx";
import { type NewKey, NewKeyDialog } from "./new-key-dialog.tsx";
import { type OwnerLink, OwnerLinkDialog } from "./owner-link-dialog.tsx";
import { useApiKeys } from "./queries.ts";
import type { ApiKeysSearch, KeyView } from "./search.ts";
import { SelectedKeys } from "./selected-keys.tsx";

const CreateKeyDialog = lateDialog(() => import("./create-key.tsx"), "CreateKeyDialog");
const CreateManyDialog = lateDialog(() => import("./create-many.tsx"), "CreateManyDialog");

const views: readonly (readonly [KeyView, string])[] = [
  ["working", "Working"],
  ["attention", "Need attention"],
  ["stopped", "Stopped"],
  ["all", "All"],
];
/** View that is shown only while it is selected. Links from the security settings select it. */
const tooLongView = ["beyond", "Lifetime too long"] as const;

/** List of API keys of the company or one workspace, with search, filters, selection and creation. */
export function ApiKeyList({ workspaceId }: { workspaceId?: string }) {
  const search: ApiKeysSearch = useSearch({ strict: false });
  const { issue, unused } = search;
  const keys = useApiKeys(workspaceId, { issue, unusedDays: unused });
  const may = useMay();
  const [opened, setOpened] = useState<"one" | "many" | null>(null);
  if (keys.error) return <LoadError error={keys.error} onRetry={() => void keys.refetch()} />;
  const create = may("api_keys:write", workspaceId) && (
    <span className="flex gap-2.5">
      <Button onClick={() => setOpened("many")}>Create many keys…</Button>
      <Button kind="primary" data-create onClick={() => setOpened("one")}>
        <Plus size={16} /> Create key…
      </Button>
    </span>
  );
  const isEmpty = keys.data?.items.length === 0 && issue === undefined && unused === undefined;
  return (
    <div className="grid gap-4">
      {keys.isPending ? (
        <SkeletonRows />
      ) : isEmpty ? (
        <NoKeys workspaceId={workspaceId} action={create} />
      ) : (
        <KeyTable workspaceId={workspaceId} list={keys.data} search={search} create={create} />
      )}
      <CreateDialogs workspaceId={workspaceId} opened={opened} onClose={() => setOpened(null)} />
    </div>
  );
}

function NoKeys({ workspaceId, action }: { workspaceId: string | undefined; action: ReactNode }) {
  return (
    <EmptyState
      title="No key yet"
      action={action}
      code={
        <CodeBlock
          what="command"
          text={`./bursar api-keys create --workspace ${workspaceId ?? '"My team"'} --name "First key"`}
        />
      }
    >
      Programs call Claude with a key of their workspace, and with the address of this server as the
      base URL.
    </EmptyState>
  );
}

interface KeyTableProps {
  workspaceId: string | undefined;
  list: WholeList<ApiKey>;
  search: ApiKeysSearch;
  create: ReactNode;
}

const keyOf = ({ id }: ApiKey) => id;

function KeyTable({ workspaceId, list, search, create }: KeyTableProps) {
  const may = useMay();
  const navigate = useNavigate();
  const show = (changed: ApiKeysSearch) =>
    void navigate({
      to: ".",
      search: (before: object) => ({ ...before, ...changed }),
      replace: true,
    } as never);
  const isOneWorkspace = workspaceId !== undefined;
  const hasTrends = may("usage:read", workspaceId);
  const simulated = useSimulatedMonth("api_key");
  const columns = useMemo(
    () => makeColumns({ isOneWorkspace, hasTrends, simulated }),
    [isOneWorkspace, hasTrends, simulated],
  );
  const view = useTableView();
  const rows = useShownKeys(list, search);
  const selection = useSelection(rows, keyOf);
  const selected = rows.filter(({ id }) => selection.selected.has(id));
  return (
    <>
      <div className="flex flex-wrap items-center gap-2.5">
        <SearchBox
          label="Search keys"
          placeholder="Search name, key or owner"
          value={search.find ?? ""}
          onFind={(find) => show({ find })}
        />
        <ViewChoice search={search} onChange={show} />
        <span className="ml-auto">{create}</span>
      </div>
      <div className="flex flex-wrap items-center gap-2.5">
        <NarrowFilters count={countKeyFilters(search)}>
          <KeyFilters
            search={search}
            onChange={show}
            apiKeys={list.items}
            isOneWorkspace={isOneWorkspace}
          />
        </NarrowFilters>
        <span className="ml-auto">
          <TableTools columns={columns} view={view} />
        </span>
      </div>
      {rows.length > 0 ? (
        <Table
          label="API keys"
          columns={columns}
          rows={rows}
          rowKey={keyOf}
          rowName={(key) => key.name}
          view={view}
          selection={may("api_keys:write", workspaceId) ? selection : undefined}
          isDimmed={(key) => stateOf(key) !== "active"}
        />
      ) : (
        <NoMatch onShowAll={() => show({ ...noFilters, show: "all" })} />
      )}
      {list.isCut && (
        <p className="text-sm text-quiet">
          The newest {formatCount(list.items.length)} keys are listed.
        </p>
      )}
      <SelectedKeys apiKeys={selected} selection={selection} />
    </>
  );
}

/** Keys of the view and the filters. Another order of the table keeps the list, and with it the widths of columns. */
function useShownKeys(list: WholeList<ApiKey>, search: ApiKeysSearch): readonly ApiKey[] {
  const { show, issue, find, workspaces, owners } = search;
  const permissions = search.permissions?.join(",");
  return useMemo(() => {
    const isChosen = makeKeyFilter({ workspaces, owners, permissions });
    return list.items.filter((key) => isShown(key, { show, issue, find }) && isChosen(key));
  }, [list, show, issue, find, workspaces, owners, permissions]);
}

const noFilters = {
  find: undefined,
  issue: undefined,
  unused: undefined,
  workspaces: undefined,
  owners: undefined,
  permissions: undefined,
} satisfies ApiKeysSearch;

function NoMatch({ onShowAll }: { onShowAll: () => void }) {
  return (
    <p className="border-y border-line py-10 text-center text-quiet">
      No key matches.{" "}
      <button type="button" className="link" onClick={onShowAll}>
        Show all keys
      </button>
    </p>
  );
}

interface ViewChoiceProps {
  search: ApiKeysSearch;
  onChange: (changed: ApiKeysSearch) => void;
}

/** View of the list, or the issue that a link has chosen instead. */
function ViewChoice({ search, onChange }: ViewChoiceProps) {
  const { show: view = "working", issue, unused } = search;
  const words = issue
    ? issueWords[issue].label
    : unused && `Not used for ${formatPlural(unused, "day")}`;
  if (words) {
    const clear = () => onChange({ issue: undefined, unused: undefined, show: "working" });
    return <KeyFilter words={words} onClear={clear} />;
  }
  return (
    <Segments
      label="Filter"
      value={view}
      options={view === "beyond" ? [...views, tooLongView] : views}
      onChange={(value) => onChange({ show: value })}
    />
  );
}

interface CreateDialogsProps {
  workspaceId: string | undefined;
  opened: "one" | "many" | null;
  onClose: () => void;
}

/** Dialogs that create keys, and those that show their secrets once. */
function CreateDialogs({ workspaceId, opened, onClose }: CreateDialogsProps) {
  const [made, setMade] = useState<NewKey | null>(null);
  const [link, setLink] = useState<OwnerLink | null>(null);
  return (
    <>
      {opened === "one" && (
        <CreateKeyDialog
          workspaceId={workspaceId}
          onClose={onClose}
          onCreated={(key, secret) => {
            onClose();
            setMade({ key, secret });
          }}
          onHandedOver={(handedOver) => {
            onClose();
            setLink(handedOver);
          }}
        />
      )}
      {opened === "many" && <CreateManyDialog workspaceId={workspaceId} onClose={onClose} />}
      <NewKeyDialog made={made} onDone={() => setMade(null)} />
      <OwnerLinkDialog link={link} onDone={() => setLink(null)} />
    </>
  );
}

function KeyFilter({ words, onClear }: { words: string; onClear: () => void }) {
  return (
    <button
      type="button"
      onClick={onClear}
      className="inline-flex min-h-9 items-center gap-1.5 rounded-md border border-accent/50 bg-accent-wash px-3 text-sm font-medium text-accent pointer-coarse:min-h-11"
    >
      {words}
      <X size={14} aria-hidden="true" />
      <span className="sr-only">: show all keys</span>
    </button>
  );
}

function isShown(key: ApiKey, { show = "working", issue, find = "" }: ApiKeysSearch): boolean {
  const state = stateOf(key);
  // An issue includes disabled keys, so it replaces the view.
  const view = issue ? "all" : show;
  const isInView =
    view === "all" ||
    (view === "working" && state === "active") ||
    (view === "stopped" && state !== "active") ||
    (view === "beyond" && state === "active" && key.exceeds_max_lifetime) ||
    (view === "attention" && needsAttention(key));
  const wanted = find.trim().toLowerCase();
  if (!isInView || wanted === "") return isInView;
  const owner = key.owner.type === "member" ? `${key.owner.name} ${key.owner.email}` : "";
  return `${key.name} ${key.id} ${key.partial_key_hint} ${owner}`.toLowerCase().includes(wanted);
}
