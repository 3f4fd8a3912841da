import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, X } from "lucide-react";
import { useMemo, useState } from "react";
import { issueWords } from "../../kit/api-keys/issue-words.ts";
import { stateOf, toneOf, warningsOf } from "../../kit/api-keys/key-state.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatPlural, toNanoUsd } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { useNow } from "../../ui/use-now.ts";
import { CreateKeyDialog } from "./create-key.tsx";
import { type NewKey, NewKeyDialog } from "./new-key-dialog.tsx";
import { type OwnerLink, OwnerLinkDialog } from "./owner-link-dialog.tsx";
import { useApiKeys } from "./queries.ts";
import type { ApiKeysSearch, KeyView } from "./search.ts";
import { permissionWords, strongest } from "./words.ts";

const views: readonly (readonly [KeyView, string])[] = [
  ["working", "Working"],
  ["attention", "Need attention"],
  ["stopped", "Stopped"],
  ["all", "All"],
];
/** View that is shown only while it is selected. Links from the security settings select it. */
const tooLongView = ["beyond", "Lifetime too long"] as const;

/** List of API keys of the company or one workspace, with search and creation. */
export function ApiKeyList({ workspaceId }: { workspaceId?: string }) {
  const {
    show: chosen = "working",
    find: search = "",
    issue,
    unused,
  }: ApiKeysSearch = useSearch({
    strict: false,
  });
  // An issue includes disabled keys, so it replaces the view.
  const view = issue ? "all" : chosen;
  const keys = useApiKeys(workspaceId, { issue, unusedDays: unused });
  const filter = issue
    ? issueWords[issue].label
    : unused && `Not used for ${formatPlural(unused, "day")}`;
  const may = useMay();
  const nowMs = useNow();
  const navigate = useNavigate();
  const show = (changed: ApiKeysSearch) =>
    void navigate({
      to: ".",
      search: (before: object) => ({ ...before, ...changed }),
      replace: true,
    } as never);
  const [isCreating, setIsCreating] = useState(false);
  const [made, setMade] = useState<NewKey | null>(null);
  const [link, setLink] = useState<OwnerLink | null>(null);
  const columns = useMemo(() => makeColumns(workspaceId !== undefined), [workspaceId]);
  const rows = useMemo(
    () => (keys.data?.items ?? []).filter((key) => isShown(key, view, search, nowMs)),
    [keys.data, view, search, nowMs],
  );
  if (keys.error) return <LoadError error={keys.error} onRetry={() => void keys.refetch()} />;
  const create = may("api_keys:write", workspaceId) && (
    <Button kind="primary" data-create onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Create key…
    </Button>
  );
  return (
    <div className="grid gap-4">
      {keys.isPending ? (
        <SkeletonRows />
      ) : keys.data.items.length === 0 && !filter ? (
        <EmptyState
          title="No key yet"
          action={create}
          code={
            <CodeBlock
              what="command"
              text={`./bursar api-keys create --workspace ${workspaceId ?? '"My team"'} --name "First key"`}
            />
          }
        >
          Programs call Claude with a key of their workspace, and with the address of this server as
          the base URL.
        </EmptyState>
      ) : (
        <>
          <div className="flex flex-wrap items-center gap-2.5">
            <SearchBox
              label="Search keys"
              placeholder="Search name, key or owner"
              value={search}
              onFind={(find) => show({ find })}
            />
            {filter ? (
              <KeyFilter
                words={filter}
                onClear={() => show({ issue: undefined, unused: undefined, show: "working" })}
              />
            ) : (
              <Segments
                label="Filter"
                value={view}
                options={view === "beyond" ? [...views, tooLongView] : views}
                onChange={(value) => show({ show: value })}
              />
            )}
            <span className="ml-auto">{create}</span>
          </div>
          {rows.length > 0 ? (
            <Table
              label="API keys"
              columns={columns}
              rows={rows}
              rowKey={(key) => key.id}
              isDimmed={(key) => stateOf(key) !== "active"}
            />
          ) : (
            <p className="border-y border-line py-10 text-center text-quiet">
              No key matches.{" "}
              <button
                type="button"
                className="link"
                onClick={() => show({ find: "", show: "all", issue: undefined, unused: undefined })}
              >
                Show all keys
              </button>
            </p>
          )}
          {keys.data.isCut && (
            <p className="text-sm text-quiet">
              The newest {keys.data.items.length.toLocaleString("en")} keys are listed.
            </p>
          )}
        </>
      )}
      {isCreating && (
        <CreateKeyDialog
          workspaceId={workspaceId}
          onClose={() => setIsCreating(false)}
          onCreated={(key, secret) => {
            setIsCreating(false);
            setMade({ key, secret });
          }}
          onHandedOver={(handedOver) => {
            setIsCreating(false);
            setLink(handedOver);
          }}
        />
      )}
      <NewKeyDialog made={made} onDone={() => setMade(null)} />
      <OwnerLinkDialog link={link} onDone={() => setLink(null)} />
    </div>
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

function isShown(key: ApiKey, view: KeyView, search: string, nowMs: number): boolean {
  const state = stateOf(key);
  const isInView =
    view === "all" ||
    (view === "working" && state === "active") ||
    (view === "stopped" && state !== "active") ||
    (view === "beyond" && state === "active" && key.exceeds_max_lifetime) ||
    (view === "attention" && warningsOf(key, nowMs).length > 0);
  const wanted = search.trim().toLowerCase();
  if (!isInView || wanted === "") return isInView;
  const owner = key.owner.type === "member" ? `${key.owner.name} ${key.owner.email}` : "";
  return `${key.name} ${key.id} ${key.partial_key_hint} ${owner}`.toLowerCase().includes(wanted);
}

/** Badges with the state and the issues of a key. */
export function KeyBadges({ apiKey }: { apiKey: ApiKey }) {
  const nowMs = useNow();
  const state = stateOf(apiKey);
  return (
    <span className="inline-flex flex-wrap gap-1">
      <Badge tone={toneOf(state)}>{state}</Badge>
      {warningsOf(apiKey, nowMs).map(({ tone, text }) => (
        <Badge key={text} tone={tone}>
          {text}
        </Badge>
      ))}
    </span>
  );
}

function makeColumns(isOneWorkspace: boolean): Column<ApiKey>[] {
  const workspace: Column<ApiKey> = {
    id: "workspace",
    header: "Workspace",
    from: "sm",
    cell: (key) => (
      <span className="relative z-10 block max-w-44">
        <WorkspaceLink id={key.workspace_id} />
      </span>
    ),
  };
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (key) => key.name,
      cell: (key) => (
        <span className="grid min-w-28">
          <Link
            to="/api-keys/$keyId"
            params={{ keyId: key.id }}
            className="max-w-72 truncate font-medium after:absolute after:inset-0 focus-visible:outline-offset-0"
          >
            {key.name}
          </Link>
          <code className="truncate text-xs text-quiet">{key.partial_key_hint}</code>
        </span>
      ),
    },
    ...(isOneWorkspace ? [] : [workspace]),
    {
      id: "permission",
      header: "Permissions",
      from: "xl",
      sortBy: (key) => strongest(key.permissions),
      cell: (key) => permissionWords[strongest(key.permissions)].label,
    },
    {
      id: "owner",
      header: "Owner",
      from: "xl",
      sortBy: (key) => (key.owner.type === "member" ? key.owner.name : ""),
      cell: (key) =>
        key.owner.type === "member" ? (
          <span className="block max-w-36 truncate">{key.owner.name}</span>
        ) : (
          <span className="text-quiet">Workspace</span>
        ),
    },
    {
      id: "status",
      header: "Status",
      sortBy: (key) => stateOf(key),
      cell: (key) => <KeyBadges apiKey={key} />,
    },
    {
      id: "spent",
      header: "This month",
      isNumeric: true,
      from: "sm",
      sortBy: (key) => toNanoUsd(key.spent_month_usd),
      cell: (key) => <Money usd={key.spent_month_usd} />,
    },
    {
      id: "used",
      header: "Last used",
      isNumeric: true,
      from: "sm",
      sortBy: (key) => key.last_used?.at ?? "",
      cell: (key) => (
        <span className="relative z-10">
          <RelativeTime at={key.last_used?.at} />
        </span>
      ),
    },
  ];
}
