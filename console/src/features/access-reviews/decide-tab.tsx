import { accessPaths } from "@bursar/contract/access-paths.ts";
import { useMemo, useRef, useState } from "react";
import {
  formatAccessScope,
  formatAccessSource,
  formatHolder,
  formatHolderNote,
  pathWords,
} from "../../kit/access/words.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Filter } from "../../ui/combobox.tsx";
import { formatCount } from "../../ui/format.ts";
import { SearchBox } from "../../ui/search-box.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { AcceptDialog } from "./accept-dialog.tsx";
import { DecideRow, type Entry, rowId } from "./decide-row.tsx";
import { ProgressBar } from "./progress-bar.tsx";
import {
  type AssignedItem,
  type AssignedReview,
  useAssignedItems,
  useAssignedReview,
} from "./queries.ts";
import { useReviewId } from "./review-page.tsx";
import { useDecideKeys } from "./use-decide-keys.ts";
import { type LocalDecision, useDecisions } from "./use-decisions.ts";
import { type Decision, decisionWords } from "./words.ts";

/** Assigned items, with keyboard shortcuts for decisions. */
export function DecideTab() {
  const id = useReviewId();
  const assigned = useAssignedReview(id);
  const items = useAssignedItems(id);
  if (assigned.isPending) return <SkeletonRows />;
  if (!assigned.review) {
    return <p className="text-quiet">You are not a reviewer of this review.</p>;
  }
  if (assigned.review.status !== "open") {
    return <p className="text-quiet">This review has ended. Decisions can no longer be changed.</p>;
  }
  if (items.error) return <LoadError error={items.error} onRetry={() => void items.refetch()} />;
  if (items.isPending) return <SkeletonRows />;
  if (items.data.items.length === 0) {
    return <p className="text-quiet">You cannot decide on any access in this review.</p>;
  }
  return <DecideList review={assigned.review} items={items.data.items} />;
}

const views = [
  ["open", "To decide"],
  ["remove", "Removals"],
  ["decided", "Decided"],
  ["all", "All"],
] as const;
type View = (typeof views)[number][0];

/** Rows in the page at first. Moving down adds more. */
const PAGE_SIZE = 100;
const ROWS_AHEAD = 15;

function DecideList({ review, items }: { review: AssignedReview; items: AssignedItem[] }) {
  const { member } = useSession();
  const { locals, decide, retry, error, hasUnsent } = useDecisions(review.id);
  const entries = useMemo(
    () => items.map((item) => toEntry(item, locals.get(item.id), member.id)),
    [items, locals, member.id],
  );
  const filters = useFilters(entries);
  const { shown } = filters;
  const [rows, setRows] = useState(PAGE_SIZE);
  const [currentId, setCurrentId] = useState<string | null>(null);
  const [openReasonId, setOpenReasonId] = useState<string | null>(null);
  const [requested, setRequested] = useState<{ id: string; decision: Decision } | null>(null);
  const [announcement, setAnnouncement] = useState("");
  const current = shown.find(({ item }) => item.id === currentId);

  const decideEntry = (entry: Entry, decision: Decision) => {
    const { item, other } = entry;
    if (item.needs_another_reviewer)
      return setAnnouncement("Another reviewer decides on this access.");
    if (other && other.decision !== decision) return setRequested({ id: item.id, decision });
    setRequested(null);
    setAnnouncement(`${decisionWords[decision].label}: ${formatHolder(item)}`);
    // A reason belongs to one decision only.
    const reason = entry.decision === decision ? entry.reason : null;
    decide(item.id, { decision, reason, isOverride: false });
  };
  const move = (by: 1 | -1) => {
    const at = current ? shown.indexOf(current) + by : by === 1 ? 0 : shown.length - 1;
    const next = shown[Math.min(Math.max(at, 0), Math.min(shown.length, rows) - 1)];
    if (!next) return;
    const row = document.getElementById(rowId(next.item));
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
    if (at + ROWS_AHEAD > rows) setRows(rows + PAGE_SIZE);
  };
  useDecideKeys({
    onMove: move,
    onDecide: (decision) => current && decideEntry(current, decision),
    onReason: () => current?.decision && !current.other && setOpenReasonId(current.item.id),
  });
  return (
    <div className="grid gap-4">
      <UnsavedGuard isDirty={hasUnsent && error !== null} />
      <ProgressHeader review={review} entries={entries} hasUnsent={hasUnsent} />
      <FilterBar {...filters} review={review} />
      {error && (
        <div className="grid gap-2">
          <FormError error={error} />
          {hasUnsent && (
            <div>
              <Button onClick={retry}>Send decisions again</Button>
            </div>
          )}
        </div>
      )}
      <p aria-live="polite" className="sr-only">
        {announcement}
      </p>
      {shown.length === 0 ? (
        <p className="border-y border-line py-10 text-center text-quiet">
          {filters.view === "open" && filters.find === "" && filters.paths.length === 0
            ? "All access is decided. You can change your decisions until the review is closed."
            : "No access matches."}
        </p>
      ) : (
        <ol aria-label="Access to decide" className="divide-y divide-line border-y border-line">
          {shown.slice(0, rows).map((entry) => (
            <DecideRow
              key={entry.item.id}
              entry={entry}
              beganAt={review.created_at}
              isCurrent={entry.item.id === currentId}
              isReasonOpen={entry.item.id === openReasonId}
              requestedDecision={requested?.id === entry.item.id ? requested.decision : null}
              onFocus={() => setCurrentId(entry.item.id)}
              onDecide={(decision) => decideEntry(entry, decision)}
              onConfirm={(newDecision) => {
                setRequested(null);
                decide(entry.item.id, newDecision);
              }}
              onToggleReason={(isOn) => {
                setOpenReasonId(isOn ? entry.item.id : null);
                if (!isOn) document.getElementById(rowId(entry.item))?.focus();
              }}
            />
          ))}
        </ol>
      )}
      {shown.length > rows && (
        <Button className="mx-auto" onClick={() => setRows(rows + PAGE_SIZE)}>
          Show more of {formatCount(shown.length)}
        </Button>
      )}
    </div>
  );
}

function toEntry(item: AssignedItem, local: LocalDecision | undefined, ownId: string): Entry {
  if (local && local.state !== "refused") {
    return { item, local, decision: local.decision, reason: local.reason, other: null };
  }
  const { decision, reason, decided_by } = item;
  const isByOther = decision !== null && decided_by !== null && decided_by.id !== ownId;
  const other = isByOther ? { name: decided_by.name, decision } : null;
  return { item, local, decision, reason, other };
}

interface Filters {
  view: View;
  paths: string[];
  find: string;
  shown: Entry[];
  setView: (view: View) => void;
  setPaths: (paths: string[]) => void;
  setFind: (find: string) => void;
}

/** Filters the entries. Shown entries stay until the filters change, also after a decision, so that rows do not move. */
function useFilters(entries: readonly Entry[]): Filters {
  const [view, setView] = useState<View>("open");
  const [paths, setPaths] = useState<string[]>([]);
  const [find, setFind] = useState("");
  const key = JSON.stringify([view, paths, find]);
  const shownBefore = useRef({ key, ids: new Set<string>() });
  if (shownBefore.current.key !== key) shownBefore.current = { key, ids: new Set() };
  const { ids } = shownBefore.current;
  const shown = entries.filter(
    (entry) => ids.has(entry.item.id) || matches(entry, view, paths, find),
  );
  for (const { item } of shown) ids.add(item.id);
  return { view, paths, find, shown, setView, setPaths, setFind };
}

function matches({ item, decision }: Entry, view: View, paths: string[], find: string): boolean {
  const isOpen = decision === null && !item.needs_another_reviewer;
  const isInView =
    view === "all" ||
    (view === "open" && isOpen) ||
    (view === "decided" && decision !== null) ||
    (view === "remove" && item.recommendation === "remove");
  const text = `${formatHolder(item)} ${formatHolderNote(item)} ${formatAccessScope(item)} ${formatAccessSource(item)}`;
  return (
    isInView &&
    (paths.length === 0 || paths.includes(item.path)) &&
    text.toLowerCase().includes(find.trim().toLowerCase())
  );
}

function FilterBar(props: Filters & { review: AssignedReview }) {
  const { view, paths, find, setView, setPaths, setFind, review } = props;
  return (
    <div className="flex flex-wrap items-center gap-2.5">
      <Segments label="Filter" value={view} options={views} onChange={setView} />
      <Filter
        label="Path"
        values={paths}
        onChange={setPaths}
        options={accessPaths
          .filter((path) => review.scope.paths.includes(path))
          .map((path) => ({ value: path, label: pathWords[path].label }))}
      />
      <SearchBox
        label="Search access"
        placeholder="Search members and keys"
        value={find}
        onFind={setFind}
      />
    </div>
  );
}

const keyHelp = [
  ["J", "K", "move"],
  ["Y", "keep"],
  ["N", "remove"],
  ["U", "not sure"],
  ["R", "reason"],
] as const;

function ProgressHeader(props: {
  review: AssignedReview;
  entries: readonly Entry[];
  hasUnsent: boolean;
}) {
  const { review, entries, hasUnsent } = props;
  const [isAccepting, setIsAccepting] = useState(false);
  const own = entries.filter(({ item }) => !item.needs_another_reviewer);
  const open = own.filter(({ decision }) => decision === null);
  return (
    <div className="flex flex-wrap items-center gap-x-8 gap-y-3">
      <div className="min-w-48 flex-1">
        <ProgressBar done={own.length - open.length} of={own.length} what="decided" />
      </div>
      <p className="hidden flex-wrap gap-x-3 text-xs text-quiet lg:flex">
        {keyHelp.map((parts) => (
          <span key={parts[0]} className="flex items-center gap-1">
            {parts.slice(0, -1).map((key) => (
              <kbd key={key} className="rounded-sm border border-line bg-raised px-1.5 leading-5">
                {key}
              </kbd>
            ))}
            {parts.at(-1)}
          </span>
        ))}
      </p>
      <Button disabled={open.length === 0 || hasUnsent} onClick={() => setIsAccepting(true)}>
        Accept recommendations…
      </Button>
      {isAccepting && (
        <AcceptDialog
          reviewId={review.id}
          open={open.map(({ item }) => item)}
          onClose={() => setIsAccepting(false)}
        />
      )}
    </div>
  );
}
