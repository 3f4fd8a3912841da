import { Ellipsis, Plus } from "lucide-react";
import { useState } from "react";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { formatPlural, formatUsd, toUsdText } from "../../ui/format.ts";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SpendBar } from "../../ui/spend-bar.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { LoadError } from "../error-pages.tsx";
import { NewLimitButton, SearchedLimits } from "../limits/searched-limits.tsx";
import type { Scope } from "../scopes/scope.ts";
import { byScope, useScopeNames } from "../scopes/scope-names.ts";
import { type SpendLimit, useRemoveLimit, useSpendLimits } from "./queries.ts";
import { SetLimitDialog } from "./set-spend-limit.tsx";
import { enforcementWords, periodWords } from "./words.ts";

const DRAWN_AT_ONCE = 50;

interface LimitListProps {
  workspaceId?: string;
  /** Its heading has the button that sets a limit. */
  isHeaded?: boolean;
}

/** Limits of the company, or of one workspace and its keys, each with how much of it is used. */
export function LimitList({ workspaceId, isHeaded = false }: LimitListProps) {
  const limits = useSpendLimits(workspaceId);
  const may = useMay();
  const nameOf = useScopeNames(limits.data?.items);
  const [edited, setEdited] = useState<SpendLimit | "new" | null>(null);
  const [removed, setRemoved] = useState<SpendLimit | null>(null);
  const [drawn, setDrawn] = useState(DRAWN_AT_ONCE);
  if (limits.error) return <LoadError error={limits.error} onRetry={() => void limits.refetch()} />;
  if (limits.isPending) return <SkeletonRows rows={3} />;
  const mayChange = may("spend_limits:write", workspaceId);
  const sorted = [...limits.data.items].sort(byScope);
  const create = mayChange && (
    <Button kind="primary" data-create onClick={() => setEdited("new")}>
      <Plus size={16} /> Set limit…
    </Button>
  );
  return (
    <div className="grid gap-4">
      <SearchedLimits
        what="limit"
        rows={sorted}
        nameOf={({ scope }) => nameOf(scope)}
        create={!isHeaded && create}
        empty={
          <EmptyState
            title="No limit is set"
            action={create}
            code={
              <CodeBlock
                what="call"
                text={`curl "$BURSAR_URL/v1/admin/workspaces/limits" -H "x-api-key: $BURSAR_ADMIN_KEY" \\\n  -H 'content-type: application/json' -d '{"workspace_id":"${workspaceId ?? "wksp_…"}","monthly_limit_usd":100.00}'`}
              />
            }
          >
            A limit stops spend before it surprises: for the company, a workspace or a single key,
            per day, week or month.
          </EmptyState>
        }
        note="Where several limits apply to a request, all of them must allow it: its key’s, its workspace’s and the company’s."
      >
        {(found) => (
          <>
            <ul className="divide-y divide-line border-y border-line">
              {found.slice(0, drawn).map((limit) => (
                <LimitRow
                  key={limit.id}
                  limit={limit}
                  name={nameOf(limit.scope)}
                  onEdit={mayChange ? () => setEdited(limit) : undefined}
                  onRemove={() => setRemoved(limit)}
                />
              ))}
            </ul>
            {found.length > drawn && (
              <Button className="mx-auto" onClick={() => setDrawn(drawn + DRAWN_AT_ONCE)}>
                Show more of {formatPlural(found.length, "limit")}
              </Button>
            )}
          </>
        )}
      </SearchedLimits>
      {edited !== null && (
        <SetLimitDialog
          limit={edited === "new" ? null : edited}
          workspaceId={workspaceId}
          nameOf={nameOf}
          onClose={() => setEdited(null)}
        />
      )}
      <RemoveLimitDialog limit={removed} nameOf={nameOf} onClose={() => setRemoved(null)} />
    </div>
  );
}

/** For the heading of a list; an empty one has a button of its own. */
export function NewLimit({ workspaceId }: { workspaceId: string }) {
  const limits = useSpendLimits(workspaceId);
  const may = useMay();
  const nameOf = useScopeNames(limits.data?.items);
  if (!may("spend_limits:write", workspaceId) || limits.data?.items.length === 0) return null;
  return (
    <NewLimitButton what="limit" isFirst>
      {(onClose) => (
        <SetLimitDialog limit={null} workspaceId={workspaceId} nameOf={nameOf} onClose={onClose} />
      )}
    </NewLimitButton>
  );
}

interface LimitRowProps {
  limit: SpendLimit;
  name: string;
  onEdit: (() => void) | undefined;
  onRemove: () => void;
}

function LimitRow({ limit, name, onEdit, onRemove }: LimitRowProps) {
  return (
    <li className="grid gap-x-6 gap-y-2 py-4 sm:grid-cols-[minmax(0,15rem)_minmax(0,1fr)_auto] sm:items-center">
      <div className="min-w-0">
        <p className="truncate font-medium">{name}</p>
        <p className="text-sm text-quiet">
          <span className="figures">{formatUsd(toUsdText(limit.limit_usd))}</span>{" "}
          {periodWords[limit.period]}
        </p>
      </div>
      <div className="grid gap-1.5">
        <SpendBar
          spentUsd={limit.spent_usd}
          heldUsd={limit.held_usd}
          unresolvedUsd={limit.unresolved_usd}
          limitUsd={toUsdText(limit.limit_usd)}
          isExplained
        />
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-quiet">
          <Badge tone={limit.enforcement === "alert_only" ? "plain" : "accent"}>
            {enforcementWords[limit.enforcement].label}
          </Badge>
          {limit.state === "activating" && (
            <span className="text-warn">Being taken up by every server</span>
          )}
          {limit.blocks_now && <Badge tone="bad">Blocks requests</Badge>}
          {Number(limit.overrun_usd) > 0 && (
            <Badge tone="bad">{formatUsd(limit.overrun_usd)} beyond the limit</Badge>
          )}
          <span>
            Starts again <RelativeTime at={limit.period_ends_at} />
          </span>
        </p>
      </div>
      {onEdit ? (
        <Menu
          trigger={
            <IconButton label={`Actions for the limit of ${name}`} className="max-sm:hidden">
              <Ellipsis size={16} />
            </IconButton>
          }
        >
          <MenuItem onSelect={onEdit}>Change limit…</MenuItem>
          <MenuItem onSelect={onRemove} isDanger>
            Remove limit…
          </MenuItem>
        </Menu>
      ) : (
        <span />
      )}
      {onEdit && (
        <p className="flex gap-4 text-sm sm:hidden">
          <button type="button" className="link" onClick={onEdit}>
            Change limit…
          </button>
          <button type="button" className="link" onClick={onRemove}>
            Remove limit…
          </button>
        </p>
      )}
    </li>
  );
}

function RemoveLimitDialog(props: {
  limit: SpendLimit | null;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}) {
  const { limit, nameOf, onClose } = props;
  const remove = useRemoveLimit();
  return (
    <ConfirmDialog
      title="Remove limit"
      action="Remove limit"
      isOpen={limit !== null}
      onClose={onClose}
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        limit &&
        remove.mutate(
          { params: { spend_limit_id: limit.id } },
          {
            onSuccess: () => {
              showToast("Limit removed");
              onClose();
            },
          },
        )
      }
    >
      {limit && (
        <p>
          {nameOf(limit.scope)} may then spend without the limit of{" "}
          {formatUsd(toUsdText(limit.limit_usd))} {periodWords[limit.period]}. Spend goes on being
          counted.
        </p>
      )}
    </ConfirmDialog>
  );
}
