import { makeSearchReader, oneOf } from "../../search-fields.ts";

export const reviewViews = ["open", "ended", "all"] as const;
export type ReviewView = (typeof reviewViews)[number];

/** Reads the address of the review list. */
export const readAccessReviewsSearch = makeSearchReader({ show: oneOf(reviewViews) });
export type AccessReviewsSearch = ReturnType<typeof readAccessReviewsSearch>;
