import { denied } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import { hasOrganizationPermission } from "#src/domain/rights.ts";
import type { Decision } from "./access-review.rule.ts";
import { findReview, listReviewers, type ReviewRow } from "./access-reviews.sql.ts";
import { makeEndedReviewError, reviewNotFound } from "./access-reviews.ts";
import {
  countProgress,
  type Progress,
  type SavedDecision,
  saveDecisions,
} from "./decisions.sql.ts";
import { type ItemRow, lockItems } from "./items.sql.ts";
import { canReview, type DecidableAccess, mayDecide } from "./review-rights.rule.ts";
import { excludeReviewer, findDecidable, scopeOf } from "./reviewers.ts";

export interface DecisionInput {
  item_id: string;
  decision: Decision;
  reason: string | null;
}

export interface Decisions {
  decisions?: DecisionInput[] | undefined;
  accept_recommendations: boolean;
  override: boolean;
}

export type Outcome =
  | "decided"
  | "unchanged"
  | "already_decided"
  | "needs_another_reviewer"
  | "not_allowed"
  | "not_found";

export interface DecisionResult {
  itemId: string;
  outcome: Outcome;
}

/** Basis of decisions. Read in the transaction, because a reviewer may have just lost a right. */
interface DecisionContext {
  review: ReviewRow;
  reviewerId: string;
  own: DecidableAccess;
  /** Access that the other reviewers may decide about. */
  others: readonly DecidableAccess[];
}

/**
 * Records a reviewer's decisions. Each item has its own outcome, and only "decided" ones change. Throws a 404 for a
 * review not assigned to the caller (a 403 if it is visible), and a 403 for lost rights. Throws a 409 for an ended
 * review, and a 400 for a body with neither or both kinds of input.
 */
export function decide(
  deps: AuditDeps,
  { caller, origin }: Call,
  reviewId: string,
  input: Decisions,
): Promise<{ results: DecisionResult[]; progress: Progress }> {
  checkInput(input);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const context = await getDecisionContext(tx, caller, reviewId);
    const asked = input.decisions ?? (await recommendationsFor(tx, context));
    const items = await lockItems(tx, { reviewId, ids: asked.map(({ item_id }) => item_id) });
    const results: DecisionResult[] = [];
    const saved: SavedDecision[] = [];
    for (const each of asked) {
      const item = items.find(({ id }) => id === each.item_id);
      const outcome = item ? judge(context, item, each, input.override) : "not_found";
      results.push({ itemId: each.item_id, outcome });
      if (outcome !== "decided" || item === undefined) continue;
      const { decision, reason } = each;
      saved.push({ id: item.id, decision, reason, isSelfReview: isOwn(context, item) });
    }
    const decidedAt = new Date(deps.nowMs());
    await saveDecisions(tx, { reviewId, memberId: caller.id, decidedAt, decisions: saved });
    const [progress] = await countProgress(tx, [reviewId]);
    return {
      result: { results, progress: progress as Progress },
      audit: saved.length === 0 ? "unchanged" : auditOf(context, items, saved),
    };
  });
}

function checkInput({ decisions, accept_recommendations }: Decisions): void {
  if ((decisions !== undefined) === accept_recommendations) {
    throw refuseFields("Expected either decisions, or accept_recommendations: true.", [
      "decisions",
      "accept_recommendations",
    ]);
  }
  const ids = decisions?.map(({ item_id }) => item_id) ?? [];
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) {
    throw refuseField("decisions", `${twice} is listed more than once.`);
  }
}

async function getDecisionContext(
  tx: Tx,
  caller: Caller,
  reviewId: string,
): Promise<DecisionContext> {
  const { organizationId } = caller;
  // This lock and the lock of closing exclude each other.
  const review = await findReview(tx, { organizationId, id: reviewId }, "for share");
  if (review === null) throw reviewNotFound(reviewId);
  const reviewers = (await listReviewers(tx, [reviewId])).map(({ id }) => id);
  if (!reviewers.includes(caller.id)) {
    if (!hasOrganizationPermission(caller, "access_reviews:read")) throw reviewNotFound(reviewId);
    throw denied("You are not a reviewer of this access review. An Owner or Admin can add you.");
  }
  const decidable = await findDecidable(tx, organizationId, reviewers);
  const own = decidable.get(caller.id);
  if (own === undefined || !canReview(own, scopeOf(review))) {
    throw denied(
      "You were asked to do this access review, but your role no longer allows you to remove any of this access. Ask an Owner or Admin.",
    );
  }
  if (review.status !== "open") throw makeEndedReviewError(review);
  return { review, reviewerId: caller.id, own, others: excludeReviewer(decidable, caller.id) };
}

/** Recommendations for all undecided items that the reviewer may decide. */
async function recommendationsFor(tx: Tx, context: DecisionContext): Promise<DecisionInput[]> {
  const items = await lockItems(tx, { reviewId: context.review.id, ids: "undecided" });
  return items
    .filter((item) => mayDecide(context.own, accessOf(item)) && !needsOtherReviewer(context, item))
    .map((item) => ({ item_id: item.id, decision: item.recommendation, reason: null }));
}

function judge(
  context: DecisionContext,
  item: ItemRow,
  { decision, reason }: DecisionInput,
  override: boolean,
): Outcome {
  if (!mayDecide(context.own, accessOf(item))) return "not_allowed";
  if (needsOtherReviewer(context, item)) return "needs_another_reviewer";
  const isOthers = item.decided_by_id !== null && item.decided_by_id !== context.reviewerId;
  if (item.decision === decision && (isOthers || item.reason === reason)) return "unchanged";
  return isOthers && !override ? "already_decided" : "decided";
}

function isOwn(context: DecisionContext, item: ItemRow): boolean {
  return item.member_id === context.reviewerId;
}

/** Returns whether another reviewer must decide, because the access is the reviewer's own. */
function needsOtherReviewer(context: DecisionContext, item: ItemRow): boolean {
  return isOwn(context, item) && context.others.some((other) => mayDecide(other, accessOf(item)));
}

function accessOf({ path, role, workspace_id }: ItemRow) {
  return { path, role, workspaceId: workspace_id };
}

const MAX_AUDITED = 500;

/** Audit payload: all decisions, or only their counts if there are very many. */
function auditOf(
  context: DecisionContext,
  items: readonly ItemRow[],
  saved: readonly SavedDecision[],
): AuditEntry {
  const before = new Map(items.map((item) => [item.id, item]));
  const count = (decision: Decision) => saved.filter((each) => each.decision === decision).length;
  const listed = saved.slice(0, MAX_AUDITED);
  return {
    event: "access_review.decided",
    subject: { type: "access_review", id: context.review.id },
    workspaceId: null,
    before: {
      decisions: listed.map(({ id }) => ({
        item_id: id,
        decision: before.get(id)?.decision ?? null,
        decided_by: before.get(id)?.decided_by_id ?? null,
      })),
    },
    after: {
      keep: count("keep"),
      remove: count("remove"),
      not_sure: count("not_sure"),
      decisions: listed.map(({ id, decision, reason, isSelfReview }) => ({
        item_id: id,
        decision,
        reason,
        is_self_review: isSelfReview,
      })),
    },
  };
}
