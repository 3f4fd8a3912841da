import type { Job } from "#src/jobs/run-jobs.ts";
import { APPLY_ACCESS_REVIEW } from "./close-review.ts";
import { applyClosedReview, maintainReviews, type UpkeepDeps } from "./upkeep.ts";

export const KEEP_ACCESS_REVIEWS = "keep_access_reviews";

export function makeAccessReviewJobs(deps: UpkeepDeps): Record<string, Job> {
  return {
    [APPLY_ACCESS_REVIEW]: ({ organization_id: organizationId, access_review_id: id }) =>
      applyClosedReview(deps, { organizationId: String(organizationId), id: String(id) }),
    [KEEP_ACCESS_REVIEWS]: () => maintainReviews(deps),
  };
}

/** Every ten minutes. */
export const accessReviewSchedule = { [KEEP_ACCESS_REVIEWS]: "*/10 * * * *" } as const;
