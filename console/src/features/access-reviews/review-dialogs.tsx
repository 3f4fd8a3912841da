import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import {
  formatCount,
  formatIsoDay,
  formatPlural,
  formatUtcDay,
  parseDay,
} from "../../ui/format.ts";
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

/** Confirms the close, with the number of accesses that end. */
export function CloseReviewDialog({ review, isOpen, onClose }: DialogProps) {
  const close = useCloseReview();
  const { progress, if_no_answer } = review;
  const open = progress.undecided + progress.not_sure;
  const without = {
    keep: "is kept",
    remove: "is removed, except for Owners",
    as_recommended: "is kept or removed as recommended, except for Owners",
  }[if_no_answer];
  return (
    <ConfirmChange
      change={close}
      input={{ params: { access_review_id: review.id } }}
      action="Close review"
      toast={({ status, progress: { removed } }) =>
        `Review closed: ${status === "applying" ? "changes are being applied" : `${formatAccesses(removed)} removed`}`
      }
      isOpen={isOpen}
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">
          {formatAccesses(progress.to_remove)} {progress.to_remove === 1 ? "ends" : "end"}
        </strong>{" "}
        and {formatCount(progress.items - progress.to_remove)} stay. Decisions can no longer be
        changed.
      </p>
      {progress.to_remove > 0 && (
        <p>
          Members are deactivated and workspace roles are removed. Both can be restored. Keys are
          revoked permanently: programs that use them get a 401 within a second.
        </p>
      )}
      {open > 0 && (
        <p>
          {formatPlural(progress.undecided, "access has", "accesses have")} no decision
          {progress.not_sure > 0 && `, and ${formatCount(progress.not_sure)} are marked “Not sure”`}
          . Access without a decision {without}.
        </p>
      )}
    </ConfirmChange>
  );
}

export function CancelReviewDialog({ review, isOpen, onClose }: DialogProps) {
  const cancel = useCancelReview();
  return (
    <ConfirmChange
      change={cancel}
      input={{ params: { access_review_id: review.id } }}
      action="Cancel review"
      toast="Review cancelled"
      isOpen={isOpen}
      onClose={onClose}
    >
      <p>
        No access is removed. The list and the decisions stay as evidence
        {review.recurrence !== "none" && ", and the series ends"}.
      </p>
    </ConfirmChange>
  );
}

export function EndSeriesDialog({ review, isOpen, onClose }: DialogProps) {
  const update = useUpdateReview();
  return (
    <ConfirmChange
      change={update}
      input={{ params: { access_review_id: review.id }, body: { recurrence: "none" } }}
      action="End series"
      toast="Series ended"
      isOpen={isOpen}
      onClose={onClose}
    >
      <p>
        The next review
        {review.next_begins_at && ` on ${formatUtcDay(review.next_begins_at)}`} is not started.
      </p>
    </ConfirmChange>
  );
}

export function ChangeReviewDialog({ review, onClose }: Omit<DialogProps, "isOpen">) {
  const changeForm = useChangeForm(useUpdateReview(), {
    defaultValues: toValues(review),
    toInput: (values, { form: { setError } }) => {
      if (values.reviewer_ids.length === 0) {
        setError("reviewer_ids", { message: "Choose at least one reviewer." });
        return null;
      }
      const isSameDay = parseDay(values.due_at) === review.due_at.slice(0, 10);
      return {
        params: { access_review_id: review.id },
        body: {
          name: values.name,
          reviewer_ids: values.reviewer_ids,
          due_at: isSameDay ? review.due_at : toDueAt(values.due_at),
          recurrence: values.recurrence,
          if_no_answer: values.if_no_answer,
          auto_close_days: toAutoClose(values.auto_close_days),
        },
      };
    },
    toast: "Review changed",
    onSaved: onClose,
  });
  const { form } = changeForm;
  return (
    <Dialog
      title="Change review"
      description="The list of access stays as it was at the start. New reviewers get an e-mail."
      isOpen
      isWide
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Change review">
        <NameField form={form} />
        <ReviewersField form={form} />
        <div className="grid gap-5 sm:grid-cols-2">
          <DueField form={form} />
          <RecurrenceField form={form} />
        </div>
        <RuleFields form={form} />
      </DialogForm>
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
    due_at: formatIsoDay(review.due_at.slice(0, 10)),
    recurrence: review.recurrence,
    inactive_days: String(review.inactive_days),
    if_no_answer: review.if_no_answer,
    auto_close_days: review.auto_close_days === null ? "never" : String(review.auto_close_days),
  };
}
