import { useEffect, useRef } from "react";
import { type ItemOf, queryClient, useApi, useChange, useList } from "../../queries.ts";
import { assignedReviewsQuery } from "./assigned-query.ts";

export type Review = ItemOf<"listAccessReviews">;
export type AssignedReview = ItemOf<"listAssignedAccessReviews">;
export type ReviewItem = ItemOf<"listAccessReviewItems">;
export type AssignedItem = ItemOf<"listAssignedAccessReviewItems">;

const APPLYING_MS = 1_000;

export const useReviews = (isEnabled: boolean) => useList("listAccessReviews", {}, { isEnabled });

/** The review with the member's assigned counts. Null: not a reviewer. */
export function useAssignedReview(id: string) {
  const reviews = useList("listAssignedAccessReviews", { query: assignedReviewsQuery });
  return { ...reviews, review: reviews.data?.items.find((review) => review.id === id) ?? null };
}

/** Polls the review while its decisions are applied. */
export function useReview(id: string, isEnabled: boolean) {
  const params = { access_review_id: id };
  const isApplying =
    useApi("getAccessReview", { params }, { isEnabled }).data?.status === "applying";
  return useApi(
    "getAccessReview",
    { params },
    { isEnabled, everyMs: isApplying ? APPLYING_MS : null },
  );
}

export const useReviewItems = (id: string, isEnabled = true) =>
  useList("listAccessReviewItems", { params: { access_review_id: id } }, { isEnabled });
export const useAssignedItems = (id: string) =>
  useList("listAssignedAccessReviewItems", { query: { access_review_id: id } });

/** Queries that a change of a review invalidates. */
const staleReviews = [
  "listAccessReviews",
  "getAccessReview",
  "listAccessReviewItems",
  "listAssignedAccessReviews",
  "listAssignedAccessReviewItems",
] as const;
/** Queries that a closed review invalidates, since it removes access. */
const staleAccess = [
  ...staleReviews,
  "listAccess",
  "listMembers",
  "listWorkspaceMembers",
  "listApiKeys",
  "getApiKey",
  "listAdminKeys",
  "getKeyHygiene",
] as const;

/** Invalidates queries of reviews and of access once the decisions are applied. */
export function useRefreshWhenApplied(status: Review["status"] | undefined): void {
  const before = useRef(status);
  useEffect(() => {
    if (before.current === "applying" && status === "closed") {
      for (const stale of staleAccess) void queryClient.invalidateQueries({ queryKey: [stale] });
    }
    before.current = status;
  }, [status]);
}

export const usePreview = (input: Parameters<typeof useApi<"previewAccessReview">>[1]) =>
  useApi("previewAccessReview", input);
export const useCreateReview = () => useChange("createAccessReview", staleReviews);
export const useUpdateReview = () => useChange("updateAccessReview", staleReviews);
export const useCloseReview = () => useChange("closeAccessReview", staleAccess);
export const useCancelReview = () => useChange("cancelAccessReview", staleReviews);
export const useDecide = () => useChange("decideAccessReviewItems", staleReviews);
