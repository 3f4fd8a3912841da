import { useState } from "react";
import { useForm } from "react-hook-form";
import { showServerErrors } from "../../kit/server-errors.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, ConfirmDialog, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { formatCount, formatDay, formatPlural } from "../../ui/format.ts";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { type Review, useCancelReview, useCloseReview, useUpdateReview } from "./queries.ts";
import {
  DueField,
  NameField,
  RecurrenceField,
  ReviewersField,
  type ReviewValues,
  RuleFields,
  toAutoClose,
  toDueAt,
} from "./review-fields.tsx";
import { formatAccesses } from "./words.ts";

interface DialogProps {
  review: Review;
  isOpen: boolean;
  onClose: () => void;
}

/** Says how much ends, by decision and without one, before it does. */
export function CloseReviewDialog({ review, isOpen, onClose }: DialogProps) {
  const close = useCloseReview();
  const { progress, if_no_answer } = review;
  const open = progress.undecided + progress.not_sure;
  const without = {
    keep: "stays",
    remove: "goes too, Owners apart",
    as_recommended: "is done as recommended, Owners apart",
  }[if_no_answer];
  return (
    <ConfirmDialog
      title="Close review"
      action="Close review"
      isOpen={isOpen}
      onClose={onClose}
      isBusy={close.isPending}
      error={close.error}
      onConfirm={() =>
        close.mutate(
          { params: { access_review_id: review.id } },
          {
            onSuccess: ({ status, progress: { removed } }) => {
              const isGoingOn = status === "applying";
              const done = isGoingOn ? "being carried out" : `${formatAccesses(removed)} removed`;
              showToast(`Review closed: ${done}`);
              onClose();
            },
          },
        )
      }
    >
      <p>
        <strong className="font-semibold text-ink">
          {formatAccesses(progress.to_remove)} {progress.to_remove === 1 ? "ends" : "end"}
        </strong>{" "}
        and {formatCount(progress.items - progress.to_remove)} stay. Nothing can be decided any
        more.
      </p>
      {progress.to_remove > 0 && (
        <p>
          People are deactivated and roles in workspaces taken back, which can be given again. Keys
          are revoked for good: programs that use one get a 401 within a second.
        </p>
      )}
      {open > 0 && (
        <p>
          {formatPlural(progress.undecided, "access has", "accesses have")} no decision
          {progress.not_sure > 0 &&
            `, and about ${formatCount(progress.not_sure)} somebody is not sure`}
          : that {without}.
        </p>
      )}
    </ConfirmDialog>
  );
}

export function CancelReviewDialog({ review, isOpen, onClose }: DialogProps) {
  const cancel = useCancelReview();
  return (
    <ConfirmDialog
      title="Cancel review"
      action="Cancel review"
      isOpen={isOpen}
      onClose={onClose}
      isBusy={cancel.isPending}
      error={cancel.error}
      onConfirm={() =>
        cancel.mutate(
          { params: { access_review_id: review.id } },
          {
            onSuccess: () => {
              showToast("Review cancelled");
              onClose();
            },
          },
        )
      }
    >
      <p>
        Nothing is taken away, whatever was decided. What was taken down stays as evidence
        {review.recurrence !== "none" && ", and the series ends"}.
      </p>
    </ConfirmDialog>
  );
}

export function EndSeriesDialog({ review, isOpen, onClose }: DialogProps) {
  const update = useUpdateReview();
  return (
    <ConfirmDialog
      title="End the series"
      action="End the series"
      isOpen={isOpen}
      onClose={onClose}
      isBusy={update.isPending}
      error={update.error}
      onConfirm={() =>
        update.mutate(
          { params: { access_review_id: review.id }, body: { recurrence: "none" } },
          {
            onSuccess: () => {
              showToast("The series has ended");
              onClose();
            },
          },
        )
      }
    >
      <p>
        The next review would begin
        {review.next_begins_at && ` on ${formatDay(review.next_begins_at)}`}. It does not.
      </p>
    </ConfirmDialog>
  );
}

export function ChangeReviewDialog({ review, onClose }: Omit<DialogProps, "isOpen">) {
  const update = useUpdateReview();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm<ReviewValues>({ defaultValues: toValues(review) });
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    if (values.reviewer_ids.length === 0) {
      form.setError("reviewer_ids", { message: "Choose at least one reviewer." });
      return;
    }
    const isSameDay = values.due_at === review.due_at.slice(0, 10);
    try {
      await update.mutateAsync({
        params: { access_review_id: review.id },
        body: {
          name: values.name,
          reviewer_ids: values.reviewer_ids,
          due_at: isSameDay ? review.due_at : toDueAt(values.due_at),
          recurrence: values.recurrence,
          if_no_answer: values.if_no_answer,
          auto_close_days: toAutoClose(values.auto_close_days),
        },
      });
      showToast("Review changed");
      onClose();
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <Dialog
      title="Change review"
      description="What was taken down at its start stays. New reviewers are asked by mail."
      isOpen
      isWide
      onClose={onClose}
    >
      <form noValidate className="grid gap-5" onSubmit={(event) => void submit(event)}>
        <NameField form={form} />
        <ReviewersField form={form} />
        <div className="grid gap-5 sm:grid-cols-2">
          <DueField form={form} />
          <RecurrenceField form={form} />
        </div>
        <RuleFields form={form} />
        <FormError error={error} />
        <DialogActions>
          <CancelButton />
          <Button kind="primary" type="submit" isBusy={update.isPending}>
            Change review
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function toValues(review: Review): ReviewValues {
  return {
    name: review.name,
    paths: review.scope.paths,
    is_limited: review.scope.workspace_ids !== null,
    workspace_ids: review.scope.workspace_ids ?? [],
    reviewer_ids: review.reviewers.map(({ id }) => id),
    due_at: review.due_at.slice(0, 10),
    recurrence: review.recurrence,
    inactive_days: String(review.inactive_days),
    if_no_answer: review.if_no_answer,
    auto_close_days: review.auto_close_days === null ? "never" : String(review.auto_close_days),
  };
}
