import type { Input } from "../../api-client.ts";

/** Query for the reviews of a reviewer. Ended ones too, because the page of a review shows what was decided. */
export const assignedReviewsQuery = {
  statuses: ["open", "applying", "closed", "cancelled"],
} satisfies Input<"listAssignedAccessReviews">["query"];
