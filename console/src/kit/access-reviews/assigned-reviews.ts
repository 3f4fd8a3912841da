import { useList } from "../../queries.ts";

/** Open reviews that are assigned to this member. */
export const useAssignedReviews = ({ isEnabled = true } = {}) =>
  useList("listAssignedAccessReviews", {}, { isEnabled });
