import type { Database } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { listReviewers, listReviews } from "./access-reviews.sql.ts";
import { hasUndecided } from "./decisions.sql.ts";
import { findDecidableAccess } from "./review-rights.rule.ts";
import { excludeReviewer, findDecidable } from "./reviewers.ts";

/** Most open reviews of one reviewer that are counted. */
const MAX_COUNTED = 20;

/** Counts open reviews that wait for a decision of the caller. Keys and the operator review nothing. */
export async function countUndecidedReviews(
  database: Database,
  caller: Caller,
  now: Date,
): Promise<number> {
  if (caller.kind !== "member") return 0;
  const { organizationId, id: memberId } = caller;
  const filter = { organizationId, statuses: ["open"] as const, reviewerId: memberId, now };
  const page = { limit: MAX_COUNTED, direction: "older", from: null } as const;
  const reviews = (await listReviews(database, filter, page)).slice(0, MAX_COUNTED);
  if (reviews.length === 0) return 0;
  const reviewers = await listReviewers(
    database,
    reviews.map(({ id }) => id),
  );
  const rights = await findDecidable(
    database,
    organizationId,
    reviewers.map(({ id }) => id),
  );
  const decidable = findDecidableAccess(caller);
  let count = 0;
  for (const review of reviews) {
    const own = reviewers.filter(({ access_review_id: id }) => id === review.id);
    const others = excludeReviewer(
      new Map(
        own.flatMap(({ id }) => {
          const right = rights.get(id);
          return right === undefined ? [] : [[id, right]];
        }),
      ),
      memberId,
    );
    const of = { reviewId: review.id, memberId, decidable, others };
    if (await hasUndecided(database, of)) count += 1;
  }
  return count;
}
