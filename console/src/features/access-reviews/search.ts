export const reviewViews = ["open", "ended", "all"] as const;
export type ReviewView = (typeof reviewViews)[number];

/** What of the list of reviews stands in the address. */
export interface ReviewsSearch {
  show?: ReviewView;
}

/** Reads the address; what makes no sense is as if it were not there. */
export function readReviewsSearch(raw: Record<string, unknown>): ReviewsSearch {
  const show = reviewViews.find((view) => view === raw["show"]);
  return show ? { show } : {};
}
