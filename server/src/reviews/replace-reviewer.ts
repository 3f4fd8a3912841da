import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import {
  listReviewers,
  type ReviewRow,
  setNextReviewers,
  setReviewers,
} from "./access-reviews.sql.ts";
import { getForUpdate } from "./access-reviews.ts";
import { listItems } from "./items.sql.ts";
import { notifyReviewers, type ReviewMailDeps } from "./review-mail.ts";
import { canReview, type DecidableAccess, mayDecide } from "./review-rights.rule.ts";
import { excludeReviewer, findDecidable, scopeOf } from "./reviewers.ts";

/** Entries about one member in one review: at most one for each role and key. */
const MAX_OWN_ITEMS = 20_000;

/**
 * Replaces a reviewer of an open review, who gets an e-mail. For an ended review of a series, replaces the reviewer of the
 * next one. Returns false if `fromId` is no reviewer. Throws a 404, and a 409 for a member who cannot decide, or who
 * alone would decide about their own access.
 */
export async function replaceReviewer(
  tx: Tx,
  deps: ReviewMailDeps,
  of: { organizationId: string; id: string; fromId: string; toId: string },
): Promise<boolean> {
  const { organizationId, id, fromId, toId } = of;
  const review = await getForUpdate(tx, organizationId, id);
  const before =
    review.next_reviewer_ids ?? (await listReviewers(tx, [id])).map((reviewer) => reviewer.id);
  if (!before.includes(fromId)) return false;
  const memberIds = [...new Set(before.map((each) => (each === fromId ? toId : each)))];
  const decidable = await findDecidable(tx, organizationId, memberIds);
  const own = decidable.get(toId);
  if (own === undefined || !canReview(own, scopeOf(review))) throw lacksRight(review);
  if (review.status !== "open") {
    await setNextReviewers(tx, { organizationId, reviewId: id, memberIds });
    return true;
  }
  await checkOwnAccess(tx, review, { toId, own, others: excludeReviewer(decidable, toId) });
  await setReviewers(tx, { reviewId: id, memberIds });
  await notifyReviewers(tx, deps, review, "asked");
  return true;
}

function lacksRight({ name }: ReviewRow): ApiError {
  return new ApiError(
    "new_owner_lacks_right",
    `The new owner has no right to remove access in the scope of the access review "${name}". Choose an Owner, an Admin, or a Workspace Admin of its workspaces.`,
    {},
    { resource: "access_review" },
  );
}

/** Throws a 409 if only the new reviewer could decide about their own access. */
async function checkOwnAccess(
  tx: Tx,
  { id, name, organization_id: organizationId }: ReviewRow,
  of: { toId: string; own: DecidableAccess; others: readonly DecidableAccess[] },
): Promise<void> {
  const items = await listItems(
    tx,
    { organizationId, reviewId: id, memberId: of.toId, decisions: ["undecided"] },
    { after: null, limit: MAX_OWN_ITEMS },
  );
  const isAlone = items.some((item) => {
    const access = { path: item.path, role: item.role, workspaceId: item.workspace_id };
    return mayDecide(of.own, access) && !of.others.some((other) => mayDecide(other, access));
  });
  if (!isAlone) return;
  throw new ApiError(
    "new_owner_is_reviewed",
    `The new owner alone would decide about their own access in the access review "${name}". Add another reviewer to it first, or choose another new owner.`,
    {},
    { resource: "access_review" },
  );
}
