export const reviewViews = ["open", "ended", "all"] as const;
export type ReviewView = (typeof reviewViews)[number];

/** What of the list of reviews stands in the address. */
export interface AccessReviewsSearch {
  show?: ReviewView;
}

/** Reads the address; what makes no sense is as if it were not there. */
export function readAccessReviewsSearch(raw: Record<string, unknown>): AccessReviewsSearch {
  const show = reviewViews.find((view) => view === raw["show"]);
  return show ? { show } : {};
}
