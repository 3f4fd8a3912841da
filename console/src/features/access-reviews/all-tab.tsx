import { accessPaths } from "@bursar/contract/access-paths.ts";
import { useMemo, useState } from "react";
import { HolderCell, LastUsed, ScopeCell } from "../../kit/access/cells.tsx";
import {
  formatAccessScope,
  formatAccessSource,
  formatGranter,
  formatHolder,
  formatHolderNote,
  pathWords,
} from "../../kit/access/words.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay, useSession } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Filter } from "../../ui/combobox.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatCount, formatPlural, formatUtcDay } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { DecideTab } from "./decide-tab.tsx";
import { Evidence } from "./evidence.tsx";
import { type Review, type ReviewItem, useReview, useReviewItems } from "./queries.ts";
import { Recommendation } from "./recommendation.tsx";
import { useReviewId } from "./review-page.tsx";
import {
  decisions,
  decisionWords,
  formatDecider,
  joinWords,
  recurrenceWords,
  resultWords,
  ruleWords,
} from "./words.ts";

/** All items of the review. Members who are only reviewers see their own items. */
export function AllTab() {
  const id = useReviewId();
  const mayRead = useMay()("access_reviews:read");
  const { data: review } = useReview(id, mayRead);
  if (!mayRead) return <DecideTab />;
  if (!review) return null;
  return (
    <div className="grid gap-9">
      <Figures review={review} />
      <Items review={review} />
      <BelowItems review={review} />
    </div>
  );
}

/** Comes with the items, which would move it. */
function BelowItems({ review }: { review: Review }) {
  const items = useReviewItems(review.id);
  if (items.isPending) return null;
  return (
    <>
      <Evidence review={review} />
      <Rules review={review} />
    </>
  );
}

function Figures({ review: { status, progress } }: { review: Review }) {
  if (status === "closed" || status === "applying") {
    return (
      <StatRow>
        <Stat label="Removed" value={formatCount(progress.removed)} />
        <Stat label="Kept" value={formatCount(progress.kept)} />
        <Stat label="Already removed" value={formatCount(progress.already_gone)} />
        <Stat label="Could not be applied" value={formatCount(progress.not_applied)} />
      </StatRow>
    );
  }
  return (
    <StatRow>
      <Stat label="To decide" value={formatCount(progress.undecided)} />
      <Stat label="Keep" value={formatCount(progress.keep)} />
      <Stat label="Remove" value={formatCount(progress.remove)} />
      <Stat label="Not sure" value={formatCount(progress.not_sure)} />
    </StatRow>
  );
}

type Answer = "undecided" | (typeof decisions)[number];
const answers: readonly Answer[] = ["undecided", ...decisions];
const results = ["removed", "not_applied", "already_gone", "kept"] as const;

function Items({ review }: { review: Review }) {
  const items = useReviewItems(review.id);
  const { member } = useSession();
  const [paths, setPaths] = useState<string[]>([]);
  const [chosen, setChosen] = useState<string[]>([]);
  const [search, setSearch] = useState("");
  const [shown, setShown] = useState<ReviewItem | null>(null);
  const hasResults = review.status === "closed" || review.status === "applying";
  const columns = useMemo(
    () => makeColumns({ review, ownId: member.id, hasResults, onOpen: setShown }),
    [review, member.id, hasResults],
  );
  if (items.error) return <LoadError error={items.error} onRetry={() => void items.refetch()} />;
  if (items.isPending) return <SkeletonRows />;
  const wanted = search.trim().toLowerCase();
  const rows = items.data.items.filter(
    (item) =>
      (paths.length === 0 || paths.includes(item.path)) &&
      (chosen.length === 0 ||
        chosen.includes((hasResults ? item.result : item.decision) ?? "undecided")) &&
      textOf(item).includes(wanted),
  );
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-center gap-2.5">
        <SearchBox
          label="Search access"
          placeholder="Search members and keys"
          value={search}
          onFind={setSearch}
        />
        <Filter
          label="Path"
          values={paths}
          onChange={setPaths}
          options={accessPaths
            .filter((path) => review.scope.paths.includes(path))
            .map((path) => ({ value: path, label: pathWords[path].label }))}
        />
        <Filter
          label={hasResults ? "Result" : "Decision"}
          values={chosen}
          onChange={setChosen}
          options={
            hasResults
              ? results.map((value) => ({ value, label: resultWords[value].label }))
              : answers.map((value) => ({ value, label: formatAnswer(value) }))
          }
        />
      </div>
      {rows.length > 0 ? (
        <Table label="Reviewed access" columns={columns} rows={rows} rowKey={(item) => item.id} />
      ) : (
        <p className="border-y border-line py-10 text-center text-quiet">No access matches.</p>
      )}
      {items.data.isCut && (
        <p className="text-sm text-quiet">
          The first {formatCount(items.data.items.length)} are listed. The CSV file contains all of
          them.
        </p>
      )}
      <ItemDrawer item={shown} review={review} onClose={() => setShown(null)} />
    </div>
  );
}

function formatAnswer(answer: Answer): string {
  return answer === "undecided" ? "No decision" : decisionWords[answer].label;
}

function textOf(item: ReviewItem): string {
  return `${formatHolder(item)} ${formatHolderNote(item)} ${formatAccessScope(item)} ${formatAccessSource(item)}`.toLowerCase();
}

function makeColumns(of: {
  review: Review;
  ownId: string;
  hasResults: boolean;
  onOpen: (item: ReviewItem) => void;
}): Column<ReviewItem>[] {
  const { review, ownId, hasResults, onOpen } = of;
  const result: Column<ReviewItem> = {
    id: "result",
    header: "Result",
    sortBy: (item) => item.result ?? "",
    cell: (item) => <ResultBadge item={item} />,
  };
  return [
    {
      id: "who",
      header: "Member or key",
      sortBy: formatHolder,
      cell: (item) => (
        <button
          type="button"
          className="rounded-sm text-left after:absolute after:inset-0"
          onClick={() => onOpen(item)}
        >
          <HolderCell access={item} />
        </button>
      ),
    },
    {
      id: "reach",
      header: "Scope",
      from: "sm",
      isBelow: true,
      sortBy: formatAccessScope,
      cell: (item) => (
        <>
          <span className="max-sm:hidden">
            <ScopeCell access={item} />
          </span>
          <span className="sm:hidden">
            {formatAccessScope(item)}, {formatAccessSource(item)}
          </span>
        </>
      ),
    },
    {
      id: "used",
      header: "Last used",
      from: "lg",
      sortBy: (item) => item.last_used_at ?? "",
      cell: (item) => (
        <span className="relative z-10">
          <LastUsed access={item} />
        </span>
      ),
    },
    {
      id: "recommendation",
      header: "Recommended",
      from: "lg",
      sortBy: (item) => item.recommendation,
      cell: (item) => <Recommendation item={item} beganAt={review.created_at} />,
    },
    {
      id: "decision",
      header: "Decision",
      ...(hasResults && { from: "sm" as const }),
      sortBy: (item) => item.decision ?? "",
      cell: (item) => <DecisionCell item={item} ownId={ownId} />,
    },
    ...(hasResults ? [result] : []),
  ];
}

function DecisionCell({ item, ownId }: { item: ReviewItem; ownId: string }) {
  if (!item.decision) return <span className="text-faint">None</span>;
  const { label, tone } = decisionWords[item.decision];
  return (
    <span className="grid justify-items-start gap-0.5">
      <span className="flex flex-wrap gap-1">
        <Badge tone={tone}>{label}</Badge>
        {item.is_self_review && <Badge tone="warn">own access</Badge>}
      </span>
      <span className="max-w-40 truncate text-xs text-quiet">by {formatDecider(item, ownId)}</span>
    </span>
  );
}

function ResultBadge({ item }: { item: ReviewItem }) {
  if (!item.result) return <span className="text-faint">Pending</span>;
  const { label, tone } = resultWords[item.result];
  return (
    <span className="grid justify-items-start gap-0.5">
      <Badge tone={tone}>{label}</Badge>
      {item.result_message && (
        <span className="max-w-56 truncate text-xs text-quiet">{item.result_message}</span>
      )}
    </span>
  );
}

function ItemDrawer(props: { item: ReviewItem | null; review: Review; onClose: () => void }) {
  const { item, review, onClose } = props;
  const { member } = useSession();
  if (!item) return null;
  return (
    <Dialog
      title={formatHolder(item)}
      description={formatHolderNote(item)}
      isOpen
      isDrawer
      onClose={onClose}
    >
      <Facts
        items={[
          ["Path", pathWords[item.path].label],
          ["Scope", formatAccessScope(item)],
          ["Source", formatAccessSource(item)],
          ["Granted", <GrantDetails key="given" item={item} />],
          ["Last used", <LastUsed key="used" access={item} />],
          ["Expires", <RelativeTime key="ends" at={item.expires_at} absent="Never" />],
          [
            "Recommended",
            <Recommendation key="recommended" item={item} beganAt={review.created_at} />,
          ],
          ["Decision", <DecisionCell key="decision" item={item} ownId={member.id} />],
          ["Reason", item.reason ?? <span className="text-faint">None</span>],
          ["Result", <ResultBadge key="result" item={item} />],
          ...(item.result_message ? ([["Result details", item.result_message]] as const) : []),
          ["Effect of removal", `${pathWords[item.path].removal}.`],
        ]}
      />
      <p className="text-sm text-quiet">State at the start of the review.</p>
    </Dialog>
  );
}

function GrantDetails({ item }: { item: ReviewItem }) {
  const granter = formatGranter(item);
  return (
    <>
      <RelativeTime at={item.granted_at} />
      {granter && ` by ${granter}`}
    </>
  );
}

function Rules({ review }: { review: Review }) {
  const days = review.auto_close_days;
  return (
    <section className="grid gap-3">
      <h2>Rules</h2>
      <Facts
        items={[
          ["Paths", joinWords(review.scope.paths.map((path) => pathWords[path].label))],
          [
            "Workspaces",
            review.scope.workspace_ids
              ? formatPlural(review.scope.workspace_ids.length, "workspace")
              : "All",
          ],
          [
            "Reviewers",
            joinWords(
              review.reviewers.map(({ name, can_decide }) =>
                can_decide ? name : `${name} (no longer allowed)`,
              ),
            ),
          ],
          ["Due", formatUtcDay(review.due_at)],
          [
            "Closes",
            days === null
              ? "Manually"
              : `Automatically, ${formatPlural(days, "day")} after the due date`,
          ],
          ["Removal recommended", `After ${formatPlural(review.inactive_days, "day")} without use`],
          ["Without a decision", ruleWords[review.if_no_answer].label],
          [
            "Repeats",
            review.next_begins_at
              ? `${recurrenceWords[review.recurrence]}, next on ${formatUtcDay(review.next_begins_at)}`
              : recurrenceWords[review.recurrence],
          ],
        ]}
      />
    </section>
  );
}
