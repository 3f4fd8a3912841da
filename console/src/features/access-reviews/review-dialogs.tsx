import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { formatIsoDay, formatUtcDay, parseDay } from "../../ui/format.ts";
import { describeCancellation, describeClose } from "./close-effects.ts";
import {
  type Review,
  useCancelReview,
  useCloseReview,
  useReviewItems,
  useUpdateReview,
} from "./queries.ts";
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

/** Confirms the close, with the accesses that end. */
export function CloseReviewDialog({ review, isOpen, onClose }: DialogProps) {
  const close = useCloseReview();
  const items = useReviewItems(review.id, isOpen);
  const { progress, if_no_answer } = review;
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
      <Consequences
        sentences={describeClose({ progress, if_no_answer, items: items.data?.items })}
        counts={[items]}
      />
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
      <p>No access is removed. The list stays as evidence.</p>
      <Consequences
        sentences={describeCancellation(review.progress, review.recurrence !== "none")}
      />
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
