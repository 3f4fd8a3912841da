import type { Listed } from "../admin.ts";
import type { Sample, Samples } from "./sample.ts";
import { newReview, REVIEWS, renamed } from "./subjects.ts";

/** Creates a review by the caller, and a decision on an item. */
const createReviewOfCaller: Sample["prepareCaller"] = async (
  client,
  { workspace_id },
  operator,
) => {
  const session = await client.get<{ member: { id: string } }>("/v1/admin/session");
  const review = await operator.post<{ id: string }>(
    REVIEWS,
    newReview(workspace_id, session.body.member.id),
  );
  const items = await operator.get<Listed<{ id: string; member: { id: string } }>>(
    `${REVIEWS}/${review.body.id}/items`,
  );
  const item = items.body.data.find(({ member }) => member.id !== session.body.member.id);
  return {
    ids: { access_review_id: review.body.id },
    body: { decisions: [{ item_id: item?.id, decision: "keep" }] },
  };
};

/** Whether the person may remove the items of the sample's review. */
const canReviewWorkspaces: Sample["isVisible"] = ({ role, workspaceRole }) =>
  role === "owner" || role === "admin" || workspaceRole === "workspace_admin";

export const reviewSamples = {
  listAccess: {},
  exportAccess: { query: "format=jsonl" },
  createAccessReview: {
    needs: ["member_id"],
    body: ({ workspace_id, reviewer_id }) => newReview(workspace_id, reviewer_id),
  },
  previewAccessReview: {
    body: ({ workspace_id }) => ({
      scope: { paths: ["workspace_role"], workspace_ids: [workspace_id] },
    }),
  },
  listAccessReviews: {},
  getAccessReview: {},
  updateAccessReview: renamed,
  closeAccessReview: {},
  cancelAccessReview: {},
  listAccessReviewItems: {},
  exportAccessReviewItems: {},
  listAssignedAccessReviews: {},
  listAssignedAccessReviewItems: {},
  decideAccessReviewItems: {
    body: () => ({ decisions: [{ item_id: "reviewitem_unknown", decision: "keep" }] }),
    needs: ["workspace_id", "member_id"],
    prepareCaller: createReviewOfCaller,
    callerIds: ["access_review_id"],
    isVisible: canReviewWorkspaces,
  },
  getAccessReviewEvidence: {},
  verifyAccessReviewEvidence: {
    body: () => ({
      document: {},
      signature: { algorithm: "Ed25519", key_id: "evkey_0", value: "AAAA" },
    }),
  },
  listEvidenceKeys: {},
} satisfies Samples;
