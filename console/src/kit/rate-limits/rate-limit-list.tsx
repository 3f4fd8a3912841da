import { Ellipsis, Plus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { formatCount } from "../../ui/format.ts";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { showToast } from "../../ui/toast.ts";
import { LoadError } from "../error-pages.tsx";
import { NewLimitButton, SearchedLimits } from "../limits/searched-limits.tsx";
import { scopeRank, useScopeNames } from "../scopes/scope-names.ts";
import { type RateLimit, type Scope, useRateLimits, useRemoveRateLimit } from "./queries.ts";
import { SetRateLimitDialog } from "./set-rate-limit.tsx";
import { effectWords, meters, meterWords, perMinuteOf, rateWords } from "./words.ts";

interface RateLimitListProps {
  workspaceId?: string;
  /** Its heading has the button that sets a limit. */
  isHeaded?: boolean;
}

/** What may be sent per minute: by the company, or by one workspace and its keys. */
export function RateLimitList({ workspaceId, isHeaded = false }: RateLimitListProps) {
  const limits = useRateLimits(workspaceId);
  const may = useMay();
  const nameOf = useScopeNames(limits.data?.items);
  const [edited, setEdited] = useState<RateLimit | "new" | null>(null);
  const [removed, setRemoved] = useState<RateLimit | null>(null);
  const mayChange = may("rate_limits:write", workspaceId);
  const rows = useNamed(limits.data?.items, nameOf);
  const columns = useMemo(
    () => makeColumns(mayChange ? { onEdit: setEdited, onRemove: setRemoved } : null),
    [mayChange],
  );
  if (limits.error) return <LoadError error={limits.error} onRetry={() => void limits.refetch()} />;
  if (limits.isPending) return <SkeletonRows rows={3} />;
  const create = mayChange && (
    <Button kind="primary" data-create onClick={() => setEdited("new")}>
      <Plus size={16} /> Set rate limit…
    </Button>
  );
  return (
    <div className="grid gap-4">
      <SearchedLimits
        what="rate limit"
        rows={rows}
        nameOf={({ name }) => name}
        create={!isHeaded && create}
        empty={
          <EmptyState
            title="No rate limit is set"
            action={create}
            code={<CodeBlock what="command" text="./bursar rate-limits set --help" />}
          >
            A rate limit keeps one program from taking all that the upstream gives: so many requests
            and tokens per minute for the company, a workspace or a single key. {effectWords}
          </EmptyState>
        }
        note={`${effectWords} Where several apply to a request, all must have room for it: its key’s, its workspace’s and the company’s, for its model and for all models.`}
      >
        {(found) => (
          <Table
            label="Rate limits"
            columns={columns}
            rows={found}
            rowKey={({ limit }) => limit.id}
          />
        )}
      </SearchedLimits>
      {edited !== null && (
        <SetRateLimitDialog
          limit={edited === "new" ? null : edited}
          workspaceId={workspaceId}
          nameOf={nameOf}
          onClose={() => setEdited(null)}
        />
      )}
      <RemoveDialog limit={removed} nameOf={nameOf} onClose={() => setRemoved(null)} />
    </div>
  );
}

/** For the heading of a list; an empty one has a button of its own. */
export function NewRateLimit({ workspaceId }: { workspaceId: string }) {
  const limits = useRateLimits(workspaceId);
  const may = useMay();
  const nameOf = useScopeNames(limits.data?.items);
  if (!may("rate_limits:write", workspaceId) || limits.data?.items.length === 0) return null;
  return (
    <NewLimitButton what="rate limit">
      {(onClose) => (
        <SetRateLimitDialog
          limit={null}
          workspaceId={workspaceId}
          nameOf={nameOf}
          onClose={onClose}
        />
      )}
    </NewLimitButton>
  );
}

interface NamedLimit {
  limit: RateLimit;
  name: string;
}

/** The widest first, each with what it is called. */
function useNamed(
  limits: readonly RateLimit[] | undefined,
  nameOf: (scope: Scope) => string,
): NamedLimit[] {
  return (limits ?? [])
    .map((limit) => ({ limit, name: nameOf(limit.scope) }))
    .toSorted(
      (a, b) =>
        scopeRank(a.limit.scope) - scopeRank(b.limit.scope) ||
        a.name.localeCompare(b.name) ||
        groupRank(a.limit) - groupRank(b.limit) ||
        a.limit.model_group_name.localeCompare(b.limit.model_group_name),
    );
}

/** What is for every model comes before what is for some. */
function groupRank({ models }: RateLimit): number {
  return models === null ? 0 : 1;
}

interface Actions {
  onEdit: (limit: RateLimit) => void;
  onRemove: (limit: RateLimit) => void;
}

function makeColumns(actions: Actions | null): Column<NamedLimit>[] {
  return [
    {
      id: "name",
      header: "Limit of",
      cell: ({ limit, name }) => <LimitName limit={limit}>{name}</LimitName>,
    },
    ...rateColumns(({ limit }: NamedLimit) => limit),
    ...(actions ? [actionsColumn(actions)] : []),
  ];
}

/** Whose limit, for which models; on a telephone, where its columns have no room, all of it. */
export function LimitName({ limit, children }: { limit: RateLimit; children: ReactNode }) {
  return (
    <span className="grid sm:max-w-56">
      <span className="truncate font-medium">{children}</span>
      <span className="truncate text-xs text-quiet" title={limit.models?.join(", ")}>
        {limit.model_group_name}
      </span>
      <span className="text-xs sm:hidden">{rateWords(limit)}</span>
      {limit.blocks_now && (
        <span className="sm:hidden">
          <Now limit={limit} />
        </span>
      )}
    </span>
  );
}

/** What each kind is limited to, and whether a request of this moment is taken. */
export function rateColumns<Row extends object>(of: (row: Row) => RateLimit): Column<Row>[] {
  const kinds = meters.map(
    (meter): Column<Row> => ({
      id: meter,
      header: meterWords[meter].label,
      isNumeric: true,
      from: "sm",
      cell: (row) => <PerMinute perMinute={perMinuteOf(of(row), meter)} />,
    }),
  );
  return [
    ...kinds,
    { id: "now", header: "Now", from: "sm", cell: (row) => <Now limit={of(row)} /> },
  ];
}

function PerMinute({ perMinute }: { perMinute: number | null }) {
  if (perMinute === null) return <span className="text-faint">–</span>;
  return (
    <span className="figures whitespace-nowrap">
      {formatCount(perMinute)}
      <span className="text-faint"> / min</span>
    </span>
  );
}

/** Whether a request of this moment is taken. */
function Now({ limit }: { limit: Pick<RateLimit, "blocks_now" | "free_at"> }) {
  if (!limit.blocks_now) return <span className="text-quiet">Has room</span>;
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2">
      <Badge tone="warn">Refuses</Badge>
      {limit.free_at && (
        <span className="text-quiet">
          free <RelativeTime at={limit.free_at} />
        </span>
      )}
    </span>
  );
}

function actionsColumn({ onEdit, onRemove }: Actions): Column<NamedLimit> {
  return {
    id: "actions",
    header: "",
    isNumeric: true,
    cell: ({ limit, name }) => (
      <Menu
        trigger={
          <IconButton label={`Actions for the rate limit of ${name}, ${limit.model_group_name}`}>
            <Ellipsis size={16} />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => onEdit(limit)}>Change rate limit…</MenuItem>
        <MenuItem onSelect={() => onRemove(limit)} isDanger>
          Remove rate limit…
        </MenuItem>
      </Menu>
    ),
  };
}

interface RemoveProps {
  limit: RateLimit | null;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}

function RemoveDialog({ limit, nameOf, onClose }: RemoveProps) {
  const remove = useRemoveRateLimit();
  return (
    <ConfirmDialog
      title="Remove rate limit"
      action="Remove rate limit"
      isOpen={limit !== null}
      onClose={onClose}
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        limit &&
        remove.mutate(
          { params: { rate_limit_id: limit.id } },
          {
            onSuccess: () => {
              showToast("Rate limit removed");
              onClose();
            },
          },
        )
      }
    >
      {limit && (
        <p>
          Within a second, {nameOf(limit.scope)} may send more than {rateWords(limit)} (
          {limit.model_group_name}). Other limits stay.
        </p>
      )}
    </ConfirmDialog>
  );
}
