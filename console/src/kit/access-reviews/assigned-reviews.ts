import { useList } from "../../queries.ts";

/** Reviews that one is asked to do; open ones. */
export const useAssignedReviews = ({ isEnabled = true } = {}) =>
  useList("listAssignedAccessReviews", {}, { isEnabled });
