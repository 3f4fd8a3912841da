import { idPrefixes } from "@bursar/contract/ids.ts";
import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { findNextStart, reminderDue } from "./access-review.rule.ts";
import {
  findActiveWorkspaceIds,
  findReview,
  hasSuccessor,
  listRecurringReviews,
  listReviewers,
  listRunningReviews,
  type ReviewRow,
} from "./access-reviews.sql.ts";
import { auditOfReview } from "./access-reviews.ts";
import { applyReview, closeOverdueReview, isDueToClose } from "./close-review.ts";
import { remindReviewers } from "./review-mail.ts";
import { findSuccessors, scopeOf } from "./reviewers.ts";
import { type ReviewDeps, startReview } from "./start-review.ts";

export interface UpkeepDeps extends ReviewDeps {
  logger: Logger;
}

const MAX_APPLIED = 20_000;

/**
 * Maintains reviews from time to time, on one node: reminders, closing, applying and series. Two runs may overlap,
 * because each message and each review is created once. A failed review is logged, does not block the others, and is
 * retried by the next run.
 */
export async function maintainReviews(deps: UpkeepDeps): Promise<void> {
  for (const review of await listRunningReviews(deps.database)) {
    await logging(deps, review, () => maintainReview(deps, review));
  }
  for (const review of await listRecurringReviews(deps.database)) {
    await logging(deps, review, () => continueSeries(deps, review));
  }
}

async function maintainReview(deps: UpkeepDeps, review: ReviewRow): Promise<void> {
  const nowMs = deps.nowMs();
  if (review.status === "open" && isDueToClose(review, nowMs)) {
    await closeOverdueReview(deps, review);
  } else if (review.status === "open") {
    const times = { beganAtMs: review.created_at.getTime(), dueAtMs: review.due_at.getTime() };
    const kind = reminderDue(times, nowMs);
    if (kind !== null) await remindReviewers(deps, review, kind);
    return;
  }
  await applyClosedReview(deps, { organizationId: review.organization_id, id: review.id });
}

/** Applies all remaining items of a closed review. */
export function applyClosedReview(
  deps: AuditDeps,
  of: { organizationId: string; id: string },
): Promise<void> {
  return applyReview(deps, of, { limit: MAX_APPLIED });
}

/** Starts the next review of the series when it is due. Missed reviews are skipped. */
async function continueSeries(deps: UpkeepDeps, last: ReviewRow): Promise<void> {
  const nowMs = deps.nowMs();
  const beginsAtMs = findLatestStart(last, nowMs);
  if (beginsAtMs === null) return;
  const { organization_id: organizationId } = last;
  const maker = {
    organizationId,
    actor: { type: "system", id: "access_reviews" },
    origin: makeSystemOrigin(deps, new Date(nowMs)),
  };
  try {
    await auditedTransactionByActor(deps, maker, async (tx) => {
      // Checks again under a lock, because the review may have been cancelled, changed or continued.
      const previous = await findReview(tx, { organizationId, id: last.id }, "for update");
      const isOver = previous === null || previous.status === "cancelled";
      if (isOver || previous.recurrence === "none" || (await hasSuccessor(tx, last.id))) {
        return { result: null, audit: "unchanged" };
      }
      return { result: null, audit: await startNext(tx, deps, previous, { beginsAtMs, nowMs }) };
    });
  } catch (error) {
    if (isUniqueViolation(error, "access_review_previous_id_key")) return;
    // The scope is empty or too large. Each run logs this until an administrator changes the review.
    if (error instanceof ApiError)
      deps.logger.warn(
        { reviewId: last.id, reason: error.message },
        "cannot start the next access review",
      );
    else throw error;
  }
}

/** Returns the latest start of the series since this review started, or null. */
function findLatestStart(review: ReviewRow, nowMs: number): number | null {
  const { first_begins_at, recurrence, begins_at } = review;
  let found: number | null = null;
  for (let afterMs = begins_at.getTime(); ; ) {
    const next = findNextStart(first_begins_at.getTime(), recurrence, afterMs);
    if (next === null || next > nowMs) return found;
    found = next;
    afterMs = next;
  }
}

async function startNext(
  tx: Tx,
  deps: UpkeepDeps,
  previous: ReviewRow,
  { beginsAtMs, nowMs }: { beginsAtMs: number; nowMs: number },
) {
  const { organization_id: organizationId } = previous;
  const ids = previous.scope_workspace_ids;
  const left = ids && (await findActiveWorkspaceIds(tx, { organizationId, ids }));
  if (left?.length === 0) {
    throw refuseField("scope", "all of its workspaces are archived.");
  }
  const now = new Date(nowMs);
  const lastsMs = previous.due_at.getTime() - previous.created_at.getTime();
  const row: ReviewRow = {
    ...previous,
    id: newId(idPrefixes.accessReview, nowMs, deps.randomBytes),
    scope_workspace_ids: left,
    status: "open",
    due_at: new Date(nowMs + lastsMs),
    begins_at: new Date(beginsAtMs),
    previous_id: previous.id,
    next_reviewer_ids: null,
    created_by_type: "system",
    created_by_id: "access_reviews",
    created_at: now,
    ended_by_type: null,
    ended_by_id: null,
    ended_at: null,
  };
  const before =
    previous.next_reviewer_ids ?? (await listReviewers(tx, [previous.id])).map(({ id }) => id);
  const scope = scopeOf(row);
  const reviewerIds = await findSuccessors(tx, organizationId, { scope, memberIds: before });
  const items = await startReview(tx, deps, row, reviewerIds);
  return auditOfReview("created", null, { ...row, reviewerIds }, { items });
}

async function logging(
  deps: UpkeepDeps,
  { id }: ReviewRow,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.logger.error({ err: error, reviewId: id }, "cannot continue an access review");
  }
}
