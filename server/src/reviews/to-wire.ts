import type { accessFields } from "@bursar/contract/admin/access.ts";
import type { accessReview, accessReviewItem } from "@bursar/contract/admin/access-reviews.ts";
import type { z } from "zod";
import { findNextStart } from "./access-review.rule.ts";
import type { ShownReview } from "./access-reviews.ts";
import type { ShownItemRow } from "./items.sql.ts";

type ReviewWire = z.input<typeof accessReview>;
type ItemWire = z.input<typeof accessReviewItem>;

export function toReviewWire({ row, reviewers, progress }: ShownReview, nowMs: number): ReviewWire {
  const { access_review_id: _, ...counts } = progress;
  const next = findNextStart(
    row.first_begins_at.getTime(),
    row.status === "cancelled" ? "none" : row.recurrence,
    row.begins_at.getTime(),
  );
  return {
    id: row.id,
    type: "access_review",
    name: row.name,
    status: row.status,
    is_overdue: row.status === "open" && row.due_at.getTime() <= nowMs,
    scope: { paths: row.scope_paths, workspace_ids: row.scope_workspace_ids },
    reviewers: reviewers.map(({ id, name, email, canDecide }) => ({
      id,
      name,
      email,
      can_decide: canDecide,
    })),
    due_at: row.due_at.toISOString(),
    auto_close_days: row.auto_close_days,
    if_no_answer: row.if_no_answer,
    inactive_days: row.inactive_days,
    recurrence: row.recurrence,
    next_begins_at: next === null ? null : new Date(next).toISOString(),
    previous_review_id: row.previous_id,
    progress: counts,
    created_by: { type: toActorType(row.created_by_type), id: row.created_by_id },
    created_at: row.created_at.toISOString(),
    ended_by:
      row.ended_by_type === null || row.ended_by_id === null
        ? null
        : { type: toActorType(row.ended_by_type), id: row.ended_by_id },
    ended_at: row.ended_at?.toISOString() ?? null,
  };
}

/** Access as it was. Reviews before version 0.2 have no group. */
type Snapshot = Omit<z.input<z.ZodObject<typeof accessFields>>, "group"> &
  Partial<Pick<ItemWire, "group">>;

/** The API calls a member a `user`. */
function toActorType(type: string): string {
  return type === "member" ? "user" : type;
}

export function toItemWire(row: ShownItemRow): ItemWire {
  const snapshot = row.snapshot as Snapshot;
  return {
    id: row.id,
    type: "access_review_item",
    access_review_id: row.access_review_id,
    ...snapshot,
    group: snapshot.group ?? null,
    signals: row.signals as ItemWire["signals"],
    recommendation: row.recommendation,
    decision: row.decision,
    reason: row.reason,
    decided_by:
      row.decided_by_id === null
        ? null
        : { id: row.decided_by_id, name: row.decider_name ?? "", email: row.decider_email ?? "" },
    decided_at: row.decided_at?.toISOString() ?? null,
    is_self_review: row.is_self_review,
    result: row.result,
    result_message: row.result_message,
    applied_at: row.applied_at?.toISOString() ?? null,
  };
}
