import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
  auditedTransactionByActor,
  type ChangeActor,
} from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import { addJob } from "#src/db/job-queue.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { finalAnswer } from "./access-review.rule.ts";
import { findReview, finishReview, type ReviewRow, updateReview } from "./access-reviews.sql.ts";
import {
  auditOfReview,
  getAccessReview,
  getForUpdate,
  makeEndedReviewError,
  type ShownReview,
} from "./access-reviews.ts";
import { type Applied, removeAccess } from "./apply-item.ts";
import {
  type ItemRow,
  listAnswers,
  lockNextItemToApply,
  markKept,
  saveResult,
} from "./items.sql.ts";

/** Job that applies the remaining items of a closed review. Its payload names the review. */
export const APPLY_ACCESS_REVIEW = "apply_access_review";
/** Spread over more than a day, because the database may be away. */
const MAX_ATTEMPTS = 15;
/** Maximum items applied before the response, about a second. The job applies the rest. */
const MAX_APPLIED_AT_ONCE = 200;

const SYSTEM = { type: "system", id: "access_reviews" };

/**
 * Closes the review and applies its decisions. A job applies the items that exceed the response time. Repeated calls
 * continue. Throws a 404, and a 409 for a cancelled review.
 */
export async function closeAccessReview(
  deps: AuditDeps,
  call: Call,
  id: string,
): Promise<ShownReview> {
  const { caller, origin } = call;
  const by = { type: caller.kind, id: caller.id };
  await auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, caller.organizationId, id);
    if (before.status === "cancelled") throw makeEndedReviewError(before);
    if (before.status !== "open") return { result: null, audit: "unchanged" };
    return { result: null, audit: await close(tx, deps, before, by) };
  });
  const { claim: _, ...own } = origin;
  const of = { organizationId: caller.organizationId, id };
  await applyReview(deps, of, { limit: MAX_APPLIED_AT_ONCE, origin: own });
  return getAccessReview(deps, call, id);
}

/** Closes an overdue review, unless it was closed meanwhile. */
export function closeOverdueReview(deps: AuditDeps, review: ReviewRow): Promise<void> {
  const { organization_id: organizationId, id } = review;
  const maker = makerOf(deps, organizationId, SYSTEM);
  return auditedTransactionByActor(deps, maker, async (tx) => {
    const before = await getForUpdate(tx, organizationId, id);
    const isDue = before.status === "open" && isDueToClose(before, deps.nowMs());
    const audit = isDue ? await close(tx, deps, before, SYSTEM) : "unchanged";
    return { result: undefined, audit };
  });
}

const DAY_MS = 86_400_000;

/** Returns whether the review closes automatically at this time. */
export function isDueToClose(review: ReviewRow, nowMs: number): boolean {
  const { auto_close_days: days, due_at } = review;
  return days !== null && due_at.getTime() + days * DAY_MS <= nowMs;
}

async function close(
  tx: Tx,
  deps: Pick<AuditDeps, "nowMs">,
  before: ReviewRow,
  by: { type: string; id: string },
): Promise<AuditEntry> {
  const { id } = before;
  const now = new Date(deps.nowMs());
  const answers = await listAnswers(tx, id);
  const kept = answers.filter((item) => finalAnswer(item, before.if_no_answer).answer === "keep");
  await markKept(tx, { reviewId: id, ids: kept.map((item) => item.id), now });
  const toRemove = answers.length - kept.length;
  const after: ReviewRow = {
    ...before,
    status: toRemove === 0 ? "closed" : "applying",
    ended_by_type: by.type,
    ended_by_id: by.id,
    ended_at: now,
  };
  await updateReview(tx, after);
  if (toRemove > 0) await addApplyJob(tx, before);
  const unanswered = answers.filter((item) => !finalAnswer(item, before.if_no_answer).isDecided);
  return auditOfReview("closed", before, after, {
    to_keep: kept.length,
    to_remove: toRemove,
    without_answer: unanswered.length,
  });
}

function addApplyJob(tx: Tx, { organization_id, id }: ReviewRow): Promise<void> {
  return addJob(tx, {
    task: APPLY_ACCESS_REVIEW,
    payload: { organization_id, access_review_id: id },
    key: `access_review:${id}`,
    maxAttempts: MAX_ATTEMPTS,
  });
}

/**
 * Applies up to `limit` remaining items of a closed review, each in its own transaction. Several nodes may run it at
 * once and repeatedly, because each item is applied once. A failed item does not block the others. The first failure is
 * thrown at the end.
 */
export async function applyReview(
  deps: AuditDeps,
  of: { organizationId: string; id: string },
  { limit, origin }: { limit: number; origin?: Origin },
): Promise<void> {
  const review = await findReview(deps.database, of);
  if (review === null || review.status !== "applying") return;
  const failures: unknown[] = [];
  let afterPosition = -1;
  for (let applied = 0; applied < limit; applied++) {
    const position = await applyNext(deps, review, { afterPosition, origin, failures });
    if (position === null) break;
    afterPosition = position;
  }
  await finishReview(deps.database, of.id);
  if (failures.length > 0) throw failures[0];
}

/** Returns the position of the applied item, or null if none remains. */
async function applyNext(
  deps: AuditDeps,
  review: ReviewRow,
  {
    afterPosition,
    origin,
    failures,
  }: { afterPosition: number; origin: Origin | undefined; failures: unknown[] },
): Promise<number | null> {
  const { ended_by_type: type, ended_by_id: id, organization_id } = review;
  assert(type !== null && id !== null, "a closed review has a closer");
  const maker = makerOf(deps, organization_id, { type, id }, origin);
  let position: number | null = null;
  try {
    await auditedTransactionByActor(deps, maker, async (tx) => {
      const item = await lockNextItemToApply(tx, { reviewId: review.id, afterPosition });
      position = item?.position ?? null;
      if (item === null) return { result: null, audit: "unchanged" };
      const applied = await removeAccess(tx, item, {
        organizationId: organization_id,
        nowMs: deps.nowMs(),
      });
      await saveResult(tx, {
        id: item.id,
        result: applied.result,
        message: "message" in applied ? applied.message : null,
        now: new Date(deps.nowMs()),
      });
      return { result: null, audit: auditOf(applied, review, item) };
    });
  } catch (error) {
    // Without a position, the database did not return an item.
    if (position === null) throw error;
    failures.push(error);
  }
  return position;
}

/** Audit event of the removal, with its decision. */
function auditOf(applied: Applied, review: ReviewRow, item: ItemRow): AuditEntry | "unchanged" {
  if (applied.result !== "removed") return "unchanged";
  const { audit } = applied;
  const because = {
    access_review: {
      id: review.id,
      item_id: item.id,
      decided_by: item.decision === "remove" ? item.decided_by_id : null,
      reason: item.decision === "remove" ? item.reason : null,
      if_no_answer: item.decision === "remove" ? null : review.if_no_answer,
    },
  };
  return { ...audit, after: { ...audit.after, ...because } };
}

function makerOf(
  deps: AuditDeps,
  organizationId: string,
  actor: ChangeActor["actor"],
  origin?: Origin,
): ChangeActor {
  const now = new Date(deps.nowMs());
  return { organizationId, actor, origin: origin ?? makeSystemOrigin(deps, now) };
}
