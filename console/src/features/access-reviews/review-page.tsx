import { Outlet, useParams } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { stateOf } from "../../kit/access-reviews/review-state.ts";
import { LoadError, NotFoundPage } from "../../kit/error-pages.tsx";
import { lateDialog } from "../../late-dialog.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { formatCount, formatDay, formatPlural, formatUtcDay } from "../../ui/format.ts";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { BackLink, Page } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Tab, TabLinks } from "../../ui/tabs.tsx";
import { useNow } from "../../ui/use-now.ts";
import { ProgressBar } from "./progress-bar.tsx";
import {
  type Review,
  useAssignedReview,
  useCloseReview,
  useRefreshWhenApplied,
  useReview,
} from "./queries.ts";
import { formatAccesses } from "./words.ts";

const dialogs = () => import("./review-dialogs.tsx");
const CancelReviewDialog = lateDialog(dialogs, "CancelReviewDialog");
const ChangeReviewDialog = lateDialog(
  () => dialogs().then(({ ChangeReviewDialog }) => ({ ChangeReviewDialog })),
  "ChangeReviewDialog",
);
const CloseReviewDialog = lateDialog(dialogs, "CloseReviewDialog");
const EndSeriesDialog = lateDialog(dialogs, "EndSeriesDialog");

export function useReviewId(): string {
  const { reviewId = "" }: { reviewId?: string } = useParams({ strict: false });
  return reviewId;
}

/** One review. Reviewers without the permission see only their own items. */
export function AccessReviewPage() {
  const id = useReviewId();
  const may = useMay();
  const mayRead = may("access_reviews:read");
  const whole = useReview(id, mayRead);
  const assigned = useAssignedReview(id);
  const nowMs = useNow();
  useRefreshWhenApplied(whole.data?.status);
  const failed = whole.error ?? (mayRead ? null : assigned.error);
  if (failed) return <LoadError error={failed} onRetry={() => void whole.refetch()} />;
  const review = whole.data ?? assigned.review;
  if (!review) return assigned.isPending || mayRead ? <SkeletonRows /> : <NotFoundPage />;
  const params = { reviewId: id };
  const tabs: (Tab | false)[] = [
    mayRead && { label: "All access", to: "/access-reviews/$reviewId", params },
    assigned.review !== null && {
      label: decideLabel(assigned.review.assigned.undecided, review.status),
      to: "/access-reviews/$reviewId/decide",
      params,
    },
  ];
  const { text, tone } = stateOf(review, nowMs);
  return (
    <Page
      title={review.name}
      guide="access-reviews"
      above={
        <p className="flex items-center gap-2 text-sm text-quiet">
          <BackLink to="/access-reviews">Access reviews</BackLink>
          <Badge tone={tone}>{text}</Badge>
        </p>
      }
      lead={<Lead review={review} />}
      actions={may("access_reviews:write") && <Actions review={review} />}
    >
      <Banner review={review} />
      <TabLinks label="Access review" tabs={tabs.filter((tab) => tab !== false)} />
      <Outlet />
    </Page>
  );
}

function decideLabel(undecided: number, status: Review["status"]): string {
  return status === "open" && undecided > 0 ? `To decide (${formatCount(undecided)})` : "To decide";
}

function Lead({ review }: { review: Review }) {
  const taken = `${formatAccesses(review.progress.items)} as of ${formatDay(review.created_at)}.`;
  if (review.status === "open") {
    return (
      <>
        {taken} Due {formatUtcDay(review.due_at)}, <RelativeTime at={review.due_at} />.
      </>
    );
  }
  const verb = review.status === "cancelled" ? "Cancelled" : "Closed";
  return (
    <>
      {taken} {verb} <RelativeTime at={review.ended_at} />.
    </>
  );
}

function Banner({ review }: { review: Review }) {
  const close = useCloseReview();
  const { progress } = review;
  if (review.status === "applying") {
    const done = progress.kept + progress.removed + progress.already_gone + progress.not_applied;
    return (
      <div role="status" className="grid gap-3 rounded-md bg-accent-wash px-4 py-3">
        <p className="text-sm">
          The decisions are being applied. The server continues when this page is closed, and after
          a restart.
        </p>
        <ProgressBar done={done} of={progress.items} what="applied" />
        <div>
          <Button
            isBusy={close.isPending}
            onClick={() => close.mutate({ params: { access_review_id: review.id } })}
          >
            Apply now
          </Button>
        </div>
      </div>
    );
  }
  if (!review.is_overdue) return null;
  return (
    <p role="status" className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
      This review was due on {formatUtcDay(review.due_at)} and {formatAccesses(progress.undecided)}{" "}
      have no decision.{" "}
      {review.auto_close_days === null
        ? "The review stays open until it is closed."
        : `The review closes automatically ${formatPlural(review.auto_close_days, "day")} after the due date.`}
    </p>
  );
}

type OpenDialog = "close" | "change" | "cancel" | "end-series";

function Actions({ review }: { review: Review }) {
  const [openDialog, setOpenDialog] = useState<OpenDialog | null>(null);
  const isOpen = review.status === "open";
  const hasNextReview = review.status === "closed" && review.next_begins_at !== null;
  const done = () => setOpenDialog(null);
  if (!isOpen && !hasNextReview) return null;
  return (
    <>
      {isOpen && (
        <Button kind="primary" onClick={() => setOpenDialog("close")}>
          Close review…
        </Button>
      )}
      <Menu
        trigger={
          <IconButton label="More actions" className="size-9">
            <Ellipsis size={17} />
          </IconButton>
        }
      >
        {isOpen ? (
          <>
            <MenuItem onSelect={() => setOpenDialog("change")}>Change review…</MenuItem>
            <MenuSeparator />
            <MenuItem isDanger onSelect={() => setOpenDialog("cancel")}>
              Cancel review…
            </MenuItem>
          </>
        ) : (
          <MenuItem onSelect={() => setOpenDialog("end-series")}>End series…</MenuItem>
        )}
      </Menu>
      <CloseReviewDialog review={review} isOpen={openDialog === "close"} onClose={done} />
      <CancelReviewDialog review={review} isOpen={openDialog === "cancel"} onClose={done} />
      <EndSeriesDialog review={review} isOpen={openDialog === "end-series"} onClose={done} />
      {openDialog === "change" && <ChangeReviewDialog review={review} onClose={done} />}
    </>
  );
}
