import { accessPaths } from "@bursar/contract/access-paths.ts";
import { useNavigate } from "@tanstack/react-router";
import { type BaseSyntheticEvent, useState } from "react";
import type { Input as CallInput } from "../../api-client.ts";
import { useMembers } from "../../kit/members/queries.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { formatIsoDay, formatMonth } from "../../ui/format.ts";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { useCreateReview, usePreview } from "./queries.ts";
import {
  DueField,
  InactiveField,
  isInWorkspaces,
  NameField,
  RecurrenceField,
  ReviewersField,
  type ReviewForm,
  type ReviewValues,
  RuleFields,
  ScopeFields,
  toAutoClose,
  toDueAt,
} from "./review-fields.tsx";
import { describePlan, formatAccesses } from "./words.ts";

const DAY_MS = 86_400_000;
const DUE_DAYS = 14;

const steps = ["Scope", "Reviewers and due date", "Result", "Summary"];
const stepFields: readonly (keyof ReviewValues)[][] = [
  ["name", "paths", "workspace_ids"],
  ["reviewer_ids", "due_at"],
  ["inactive_days"],
  [],
];

/** Dialog in steps: scope, reviewers, end, and a preview before the review starts. */
export function CreateReviewDialog({ onClose }: { onClose: () => void }) {
  const [step, setStep] = useState(0);
  const create = useCreateReview();
  const navigate = useNavigate();
  const changeForm = useChangeForm(create, {
    defaultValues: useDefaults(),
    toInput: (values) => ({ body: toBody(values) }),
    toast: ({ progress }) => `Review of ${formatAccesses(progress.items)} started`,
    onSaved: ({ id }) => {
      onClose();
      void navigate({ to: "/access-reviews/$reviewId", params: { reviewId: id } });
    },
    onFieldsRefused: (refused) => {
      const found = stepFields.findIndex((names) => names.some((name) => refused.includes(name)));
      setStep(Math.max(0, found));
    },
  });
  const { form } = changeForm;
  const isLast = step === steps.length - 1;
  const next = async (event?: BaseSyntheticEvent) => {
    event?.preventDefault();
    if (await isStepFilled(form, step)) setStep(step + 1);
  };
  return (
    <Dialog
      title="Start access review"
      description={`Step ${step + 1} of ${steps.length}: ${steps[step]}`}
      isOpen
      isWide
      onClose={onClose}
    >
      <DialogForm
        form={
          isLast ? changeForm : { ...changeForm, error: null, submit: (event) => void next(event) }
        }
        action={isLast ? "Start access review" : "Next"}
        back={step > 0 && <Button onClick={() => setStep(step - 1)}>Back</Button>}
      >
        <Step step={step} form={form} />
      </DialogForm>
    </Dialog>
  );
}

function useDefaults(): ReviewValues {
  const { member } = useSession();
  const now = new Date();
  const month = formatMonth(now.toISOString());
  return {
    name: `Access review, ${month}`,
    paths: [...accessPaths],
    is_limited: false,
    workspace_ids: [],
    reviewer_ids: [member.id],
    due_at: formatIsoDay(new Date(now.getTime() + DUE_DAYS * DAY_MS).toISOString().slice(0, 10)),
    recurrence: "none",
    inactive_days: "30",
    if_no_answer: "keep",
    auto_close_days: "never",
  };
}

async function isStepFilled(form: ReviewForm, step: number): Promise<boolean> {
  const { paths, is_limited, workspace_ids, reviewer_ids, due_at } = form.getValues();
  const areFieldsValid = await form.trigger(stepFields[step] ?? [], { shouldFocus: true });
  const showError = (name: keyof ReviewValues, message: string) => {
    form.setError(name, { message });
    return false;
  };
  if (step === 0 && paths.length === 0)
    return showError("paths", "Choose at least one kind of access.");
  if (step === 0 && is_limited && paths.some(isInWorkspaces) && workspace_ids.length === 0) {
    return showError("workspace_ids", "Choose at least one workspace, or all workspaces.");
  }
  if (step === 1 && reviewer_ids.length === 0) {
    return showError("reviewer_ids", "Choose at least one reviewer.");
  }
  if (step === 1 && Date.parse(toDueAt(due_at)) <= Date.now()) {
    return showError("due_at", "Choose a day in the future.");
  }
  return areFieldsValid;
}

function Step({ step, form }: { step: number; form: ReviewForm }) {
  if (step === 0) {
    return (
      <>
        <NameField form={form} />
        <ScopeFields form={form} />
      </>
    );
  }
  if (step === 1) {
    return (
      <>
        <ReviewersField form={form} />
        <div className="grid gap-5 sm:grid-cols-2">
          <DueField form={form} />
          <RecurrenceField form={form} />
        </div>
      </>
    );
  }
  if (step === 2) {
    return (
      <>
        <InactiveField form={form} />
        <RuleFields form={form} />
      </>
    );
  }
  return <Check values={form.getValues()} />;
}

function Check({ values }: { values: ReviewValues }) {
  const { scope, inactive_days, reviewer_ids, due_at, auto_close_days } = toBody(values);
  const preview = usePreview({ body: { scope, inactive_days, reviewer_ids } });
  const members = useMembers();
  const nameOf = new Map(members.data?.items.map(({ id, name }) => [id, name]));
  if (preview.error) return <FormError error={preview.error} />;
  if (!preview.data || members.isPending) return <SkeletonRows rows={4} />;
  if (preview.data.items === 0) {
    return (
      <p role="status" className="text-quiet">
        No access matches this scope. Go back and choose a wider scope.
      </p>
    );
  }
  const sentences = describePlan(
    {
      reviewers: reviewer_ids.map((id) => nameOf.get(id) ?? id),
      dueAt: due_at,
      ifNoAnswer: values.if_no_answer,
      inactiveDays: inactive_days,
      autoCloseDays: auto_close_days,
      recurrence: values.recurrence,
    },
    preview.data,
  );
  const { without_reviewer } = preview.data;
  return (
    <div className="grid gap-4">
      <p className="font-serif text-lg font-[560]">{values.name.trim()}</p>
      <ul className="divide-y divide-line border-y border-line text-[0.9375rem]">
        {sentences.map((sentence) => (
          <li key={sentence} className="py-2.5">
            {sentence}
          </li>
        ))}
      </ul>
      {without_reviewer > 0 && (
        <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
          These reviewers cannot decide on {formatAccesses(without_reviewer)}. Add an Owner for the
          access of Owners, or an Admin for access outside the reviewers’ workspaces.
        </p>
      )}
    </div>
  );
}

function toBody(values: ReviewValues) {
  const { name, paths, is_limited, workspace_ids, reviewer_ids } = values;
  const isLimited = is_limited && paths.some(isInWorkspaces);
  return {
    name,
    scope: { paths, workspace_ids: isLimited ? workspace_ids : null },
    reviewer_ids,
    due_at: toDueAt(values.due_at),
    recurrence: values.recurrence,
    inactive_days: Number(values.inactive_days),
    if_no_answer: values.if_no_answer,
    auto_close_days: toAutoClose(values.auto_close_days),
  } satisfies CallInput<"createAccessReview">["body"];
}
