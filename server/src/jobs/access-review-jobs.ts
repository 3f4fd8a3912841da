import { APPLY_ACCESS_REVIEW } from "#src/features/access-reviews/close-review.ts";
import {
  applyClosedReview,
  keepReviews,
  type UpkeepDeps,
} from "#src/features/access-reviews/upkeep.ts";
import type { Job } from "./run-jobs.ts";

export const KEEP_ACCESS_REVIEWS = "keep_access_reviews";

export function makeAccessReviewJobs(deps: UpkeepDeps): Record<string, Job> {
  return {
    [APPLY_ACCESS_REVIEW]: ({ organization_id: organizationId, access_review_id: id }) =>
      applyClosedReview(deps, { organizationId: String(organizationId), id: String(id) }),
    [KEEP_ACCESS_REVIEWS]: () => keepReviews(deps),
  };
}

/** Every ten minutes. */
export const accessReviewSchedule = { [KEEP_ACCESS_REVIEWS]: "*/10 * * * *" } as const;
