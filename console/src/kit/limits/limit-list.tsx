import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatCount } from "../../ui/format.ts";
import { Select } from "../../ui/input.tsx";
import { findMatches } from "../../ui/matches.ts";
import { NarrowFilters } from "../../ui/narrow-filters.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { LoadError } from "../error-pages.tsx";
import { useScopeNames } from "../scopes/scope-names.ts";
import { LimitDialog } from "./limit-dialog.tsx";
import type { Limited, LimitKind, LimitState, LimitValues, NamedLimit } from "./limit-kind.ts";
import { listRemovableValues } from "./ranks.ts";
import { RemoveLimitDialog } from "./remove-limit-dialog.tsx";
import type { LimitsSearch } from "./search.ts";
import { useLimitRank } from "./use-limit-rank.ts";

type ScopeType = Limited["scope"]["type"];

const scopeTypes: readonly (readonly [ScopeType, string])[] = [
  ["organization", "The company"],
  ["workspace", "Workspaces"],
  ["api_key", "Keys"],
  ["member", "People"],
  ["group", "Groups"],
  ["group_member", "Default caps"],
  ["tag", "Tags"],
];

const noStates: readonly [] = [];

/** Longer lists have filters. */
const FEW = 10;

interface LimitListProps<Limit extends Limited, Values extends LimitValues> {
  kind: LimitKind<Limit, Values>;
  workspaceId?: string;
  /** The heading has the button that sets a limit. */
  isHeaded?: boolean;
}

/** Limits of the company, or of one workspace and its keys. */
export function LimitList<Limit extends Limited, Values extends LimitValues>(
  props: LimitListProps<Limit, Values>,
) {
  const { kind, workspaceId, isHeaded = false } = props;
  const { writeAction, list } = kind;
  const noun = kind.name.toLowerCase();
  const limits = list.useLimits(workspaceId);
  const may = useMay();
  const nameOf = useScopeNames(limits.data?.items);
  const [edited, setEdited] = useState<Limit | "new" | null>(null);
  const [removed, setRemoved] = useState<Limit | null>(null);
  const mayChange = may(writeAction, workspaceId);
  const ownRank = useLimitRank();
  const actions = useMemo(
    () =>
      mayChange
        ? {
            onEdit: setEdited,
            onRemove: setRemoved,
            canRemove: (limit: Limit) => listRemovableValues(limit, ownRank).length > 0,
          }
        : null,
    [mayChange, ownRank],
  );
  if (limits.error) return <LoadError error={limits.error} onRetry={() => void limits.refetch()} />;
  if (!limits.data) return <SkeletonRows rows={3} />;
  const rows = limits.data.items
    .map((limit) => ({ limit, name: nameOf(limit.scope) }))
    .sort(list.compare);
  const create = mayChange && (
    <Button kind="primary" data-create onClick={() => setEdited("new")}>
      <Plus size={16} /> Set {noun}…
    </Button>
  );
  return (
    <div className="grid gap-4">
      {rows.length === 0 ? (
        <EmptyState
          title={`No ${noun} yet`}
          action={create}
          code={<CodeBlock {...list.example(workspaceId)} />}
        >
          {list.purpose}
        </EmptyState>
      ) : (
        <SearchedLimits
          noun={noun}
          rows={rows}
          states={list.states ?? noStates}
          create={!isHeaded && create}
          note={list.note}
        >
          {(found) => <list.Rows rows={found} actions={actions} />}
        </SearchedLimits>
      )}
      {edited !== null && (
        <LimitDialog
          kind={kind}
          limit={edited === "new" ? null : edited}
          workspaceId={workspaceId}
          nameOf={nameOf}
          onClose={() => setEdited(null)}
        />
      )}
      {removed !== null && (
        <RemoveLimitDialog
          kind={kind}
          removed={{ limit: removed, name: nameOf(removed.scope) }}
          onClose={() => setRemoved(null)}
        />
      )}
    </div>
  );
}

interface SearchedLimitsProps<Limit extends Limited> {
  noun: string;
  rows: readonly NamedLimit<Limit>[];
  states: readonly LimitState<Limit>[];
  /** Button that sets another limit, if the heading has none. */
  create: ReactNode;
  /** Shown below the list. */
  note: string;
  children: (found: readonly NamedLimit<Limit>[]) => ReactNode;
}

/** Limits with their filters. The address has the filters. */
function SearchedLimits<Limit extends Limited>(props: SearchedLimitsProps<Limit>) {
  const { noun, rows, states, create, note, children } = props;
  const search: LimitsSearch = useSearch({ strict: false });
  const change = useChangeLimits();
  const { find = "" } = search;
  const type = scopeTypes.find(([each]) => each === search.scope)?.[0] ?? null;
  const state = states.find(({ id }) => id === search.state) ?? null;
  const ofType = type === null ? rows : rows.filter(({ limit }) => limit.scope.type === type);
  const inState = state === null ? ofType : ofType.filter(({ limit }) => state.includes(limit));
  const found = findMatches(inState, ({ name }) => name, find, rows.length);
  const isLong = rows.length > FEW;
  const types = scopeTypes.filter(([each]) => rows.some(({ limit }) => limit.scope.type === each));
  const hasType = (isLong && types.length > 1) || type !== null;
  const hasState = (isLong && states.length > 0) || state !== null;
  const isFiltered = find !== "" || type !== null || state !== null;
  return (
    <>
      {(create || isLong || isFiltered) && (
        <div className="flex flex-wrap items-center gap-2.5">
          {(isLong || find !== "") && (
            <SearchBox
              label={`Search ${noun}s`}
              placeholder="Search by name"
              value={find}
              onFind={(text) => change({ find: text || undefined })}
            />
          )}
          {(hasType || hasState) && (
            <NarrowFilters count={[type, state].filter(Boolean).length}>
              {hasType && (
                <Select
                  aria-label="Scope"
                  className="w-auto"
                  value={type ?? ""}
                  onChange={({ target }) => change({ scope: target.value || undefined })}
                >
                  <option value="">All scopes</option>
                  {types.map(([each, words]) => (
                    <option key={each} value={each}>
                      {words}
                    </option>
                  ))}
                </Select>
              )}
              {hasState && (
                <StateFilter
                  states={states}
                  rows={ofType}
                  value={state?.id ?? null}
                  onChange={(id) => change({ state: id ?? undefined })}
                />
              )}
            </NarrowFilters>
          )}
          {create && <span className="ml-auto">{create}</span>}
        </div>
      )}
      {found.length > 0 ? (
        children(found)
      ) : (
        <p className="border-y border-line py-10 text-center text-quiet">
          No {noun} matches.{" "}
          <button
            type="button"
            className="link"
            onClick={() => change({ find: undefined, scope: undefined, state: undefined })}
          >
            Show all {noun}s
          </button>
        </p>
      )}
      <p className="max-w-3xl text-sm text-pretty text-quiet">{note}</p>
    </>
  );
}

function useChangeLimits(): (changed: LimitsSearch) => void {
  const navigate = useNavigate();
  return (changed) =>
    void navigate({
      to: ".",
      search: (before: object) => ({ ...before, ...changed }),
      replace: true,
    } as never);
}

interface StateFilterProps<Limit extends Limited> {
  states: readonly LimitState<Limit>[];
  rows: readonly NamedLimit<Limit>[];
  value: string | null;
  onChange: (id: string | null) => void;
}

/** States with the number of limits in each. */
function StateFilter<Limit extends Limited>(props: StateFilterProps<Limit>) {
  const { states, rows, value, onChange } = props;
  const options = states.map(({ id, label, includes }) => {
    const count = rows.reduce((sum, { limit }) => sum + (includes(limit) ? 1 : 0), 0);
    return [id, `${label} (${formatCount(count)})`] as const;
  });
  return (
    <div className="max-w-full overflow-x-auto">
      <Segments
        label="State"
        value={value ?? ""}
        options={[["", "All"], ...options]}
        onChange={(id) => onChange(id === "" ? null : id)}
      />
    </div>
  );
}

interface NewLimitProps<Limit extends Limited, Values extends LimitValues> {
  kind: LimitKind<Limit, Values>;
  workspaceId: string;
  /** Button that the shortcut `c` presses. */
  isFirst?: boolean;
}

/** Button in the heading of a list, to set another limit. An empty list has its own. */
export function NewLimit<Limit extends Limited, Values extends LimitValues>(
  props: NewLimitProps<Limit, Values>,
) {
  const { kind, workspaceId, isFirst } = props;
  const limits = kind.list.useLimits(workspaceId);
  const may = useMay();
  const nameOf = useScopeNames(limits.data?.items);
  const [isOpen, setIsOpen] = useState(false);
  if (!may(kind.writeAction, workspaceId) || limits.data?.items.length === 0) return null;
  return (
    <>
      <Button data-create={isFirst || undefined} onClick={() => setIsOpen(true)}>
        <Plus size={16} /> Set {kind.name.toLowerCase()}…
      </Button>
      {isOpen && (
        <LimitDialog
          kind={kind}
          limit={null}
          workspaceId={workspaceId}
          nameOf={nameOf}
          onClose={() => setIsOpen(false)}
        />
      )}
    </>
  );
}
