import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useAssignedReviews } from "../../kit/access-reviews/assigned-reviews.ts";
import { stateOf } from "../../kit/access-reviews/review-state.ts";
import { ReviewsToDecide } from "../../kit/access-reviews/reviews-to-decide.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { lateDialog } from "../../late-dialog.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatDay, formatUtcDay } from "../../ui/format.ts";
import { RowLink } from "../../ui/name-link.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { useNow } from "../../ui/use-now.ts";
import { ProgressBar } from "./progress-bar.tsx";
import { type Review, useReviews } from "./queries.ts";
import type { AccessReviewsSearch, ReviewView } from "./search.ts";
import { formatAccesses, joinWords } from "./words.ts";

const CreateReviewDialog = lateDialog(() => import("./create-review.tsx"), "CreateReviewDialog");

/** Assigned access reviews, and all reviews for members with the permission. */
export function AccessReviewsPage() {
  const may = useMay();
  const [isCreating, setIsCreating] = useState(false);
  const mayRead = may("access_reviews:read");
  const start = may("access_reviews:write") && (
    <Button kind="primary" data-create onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Start access review…
    </Button>
  );
  return (
    <Page
      title="Access reviews"
      guide="access-reviews"
      lead="Reviewers decide which access is still needed. Other access is removed, and signed evidence is stored."
      actions={start}
    >
      <ReviewsToDecide />
      {mayRead ? <AllReviews start={start} /> : <NoAssignedReviews />}
      {isCreating && <CreateReviewDialog onClose={() => setIsCreating(false)} />}
    </Page>
  );
}

/** Empty state for members who are only reviewers. */
function NoAssignedReviews() {
  const reviews = useAssignedReviews();
  if (reviews.error) {
    return <LoadError error={reviews.error} onRetry={() => void reviews.refetch()} />;
  }
  if (reviews.isPending) return <SkeletonRows rows={2} />;
  if (reviews.data.items.some(({ assigned }) => assigned.undecided > 0)) return null;
  return (
    <EmptyState title="No review is assigned to you">
      Reviews that an Owner or Admin assigns to you are listed here and on your overview.
    </EmptyState>
  );
}

const views: readonly (readonly [ReviewView, string])[] = [
  ["open", "Open"],
  ["ended", "Ended"],
  ["all", "All"],
];
const EXAMPLE = `./bursar access-reviews create --name "Autumn 2026" --scope '{"paths":["organization_role","member_key"]}' \\
  --reviewer-ids user_… --due-at 2026-12-15T00:00:00Z`;

function AllReviews({ start }: { start: ReactNode }) {
  const reviews = useReviews(true);
  const nowMs = useNow();
  const { show = "all" }: AccessReviewsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const columns = useMemo(() => makeColumns(nowMs), [nowMs]);
  if (reviews.error) {
    return <LoadError error={reviews.error} onRetry={() => void reviews.refetch()} />;
  }
  if (reviews.isPending) return <SkeletonRows />;
  if (reviews.data.items.length === 0) {
    return (
      <EmptyState
        title="No review yet"
        action={start}
        code={<CodeBlock text={EXAMPLE} what="command" />}
      >
        A review lists all access at its start, and asks reviewers whether each access is still
        needed.
      </EmptyState>
    );
  }
  const isRunning = ({ status }: Review) => status === "open" || status === "applying";
  const rows = reviews.data.items.filter(
    (review) => show === "all" || isRunning(review) === (show === "open"),
  );
  return (
    <Section
      title="All reviews"
      actions={
        <Segments
          label="Filter"
          value={show}
          options={views}
          onChange={(chosen) =>
            void navigate({ to: "/access-reviews", search: { show: chosen }, replace: true })
          }
        />
      }
    >
      {rows.length > 0 ? (
        <Table
          label="Access reviews"
          columns={columns}
          rows={rows}
          rowKey={(review) => review.id}
          isDimmed={({ status }) => status === "cancelled"}
        />
      ) : (
        <p className="border-y border-line py-10 text-center text-quiet">
          {show === "open" ? "No review is open." : "No review has ended yet."}
        </p>
      )}
    </Section>
  );
}

function makeColumns(nowMs: number): Column<Review>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (review) => review.name,
      cell: (review) => (
        <span className="grid">
          <RowLink to="/access-reviews/$reviewId" params={{ reviewId: review.id }}>
            {review.name}
          </RowLink>
          <span className="truncate text-xs text-quiet">
            {formatAccesses(review.progress.items)}, {formatDay(review.created_at)}
          </span>
        </span>
      ),
    },
    {
      id: "state",
      header: "State",
      sortBy: (review) => stateOf(review, nowMs).text,
      cell: (review) => {
        const { text, tone } = stateOf(review, nowMs);
        return <Badge tone={tone}>{text}</Badge>;
      },
    },
    { id: "progress", header: "Progress", from: "sm", cell: (review) => <Progress {...review} /> },
    {
      id: "reviewers",
      header: "Reviewers",
      from: "lg",
      isBelow: true,
      cell: ({ reviewers }) => (
        <span className="block max-w-48 truncate">
          {joinWords(reviewers.map(({ name }) => name))}
        </span>
      ),
    },
    {
      id: "due",
      header: "Due",
      from: "sm",
      isBelow: true,
      isTime: true,
      isNumeric: true,
      sortBy: (review) => review.due_at,
      cell: (review) => (
        <span className="relative z-10">
          {review.status === "open" ? (
            <RelativeTime at={review.due_at} />
          ) : (
            <span className="text-quiet">{formatUtcDay(review.due_at)}</span>
          )}
        </span>
      ),
    },
  ];
}

function Progress({ status, progress }: Review) {
  if (status === "open") {
    return (
      <ProgressBar done={progress.items - progress.undecided} of={progress.items} what="decided" />
    );
  }
  if (status === "cancelled") return <span className="text-quiet">No changes were made</span>;
  return (
    <span className="figures whitespace-nowrap">
      {progress.removed} removed, {progress.kept} kept
      {progress.not_applied > 0 && `, ${progress.not_applied} not applied`}
    </span>
  );
}
