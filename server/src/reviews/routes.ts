import { type accessRoutes, listAccess as listAccessRoute } from "@bursar/contract/admin/access.ts";
import type { accessReviewEvidenceRoutes } from "@bursar/contract/admin/access-review-evidence.ts";
import {
  type accessReviewRoutes,
  listAccessReviews as listAccessReviewsRoute,
  listAssignedAccessReviews,
} from "@bursar/contract/admin/access-reviews.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { mediaTypeOf } from "#src/lib/csv.ts";
import { listAccess, readAccess, toAccessGrantWire } from "./access-list.ts";
import {
  cancelAccessReview,
  createReview,
  getAccessReview,
  listAccessReviews,
  type ShownReview,
  updateAccessReview,
} from "./access-reviews.ts";
import { listAssignedItems, listAssignedReviews, listItems, readItems } from "./assigned.ts";
import { closeAccessReview } from "./close-review.ts";
import { decide, type Outcome } from "./decide.ts";
import { listEvidenceKeys, makeEvidence, verifyEvidence } from "./evidence.ts";
import { toPem } from "./evidence-signature.ts";
import { accessFile, itemsCsv } from "./export.ts";
import { previewAccessReview } from "./preview-review.ts";
import type { ReviewDeps } from "./start-review.ts";
import { toItemWire, toReviewWire } from "./to-wire.ts";

export function makeAccessHandlers(
  deps: ReviewDeps,
): HandlersFor<(typeof accessRoutes)[number], Call> {
  return {
    listAccess: pagedList(
      listAccessRoute,
      (call, { query }, page) => listAccess(deps, call, query, page),
      toAccessGrantWire,
    ),
    exportAccess: async (call, { query: { format, ...filters } }) => {
      const pages = await readAccess(deps, call, filters);
      return {
        mediaType: mediaTypeOf(format),
        fileName: `access-${today(deps)}.${format}`,
        pieces: accessFile(format, pages),
      };
    },
  };
}

export function makeAccessReviewHandlers(
  deps: ReviewDeps,
): HandlersFor<
  (typeof accessReviewRoutes)[number] | (typeof accessReviewEvidenceRoutes)[number],
  Call
> {
  const toWire = (shown: ShownReview) => toReviewWire(shown, deps.nowMs());
  return {
    createAccessReview: async (call, { body }) => toWire(await createReview(deps, call, body)),
    previewAccessReview: async (call, { body }) => ({
      type: "access_review_preview",
      ...(await previewAccessReview(deps, call, body)),
    }),
    listAccessReviews: pagedList(
      listAccessReviewsRoute,
      (call, { query }, page) => listAccessReviews(deps, call, query, page),
      toWire,
    ),
    getAccessReview: async (call, { params }) =>
      toWire(await getAccessReview(deps, call, params.access_review_id)),
    updateAccessReview: async (call, { params, body }) =>
      toWire(await updateAccessReview(deps, call, params.access_review_id, body)),
    closeAccessReview: async (call, { params }) =>
      toWire(await closeAccessReview(deps, call, params.access_review_id)),
    cancelAccessReview: async (call, { params }) =>
      toWire(await cancelAccessReview(deps, call, params.access_review_id)),
    listAccessReviewItems: async (call, { params, query }) => {
      const page = await listItems(deps, call, params.access_review_id, query);
      return { data: page.rows.map(toItemWire), next_page: page.nextPage };
    },
    exportAccessReviewItems: async (call, { params }) => ({
      mediaType: "text/csv",
      fileName: `access-review-${today(deps)}.csv`,
      pieces: itemsCsv(await readItems(deps, call, params.access_review_id)),
    }),

    listAssignedAccessReviews: pagedList(
      listAssignedAccessReviews,
      (call, { query }, page) => listAssignedReviews(deps, call, query, page),
      (row) => ({ ...toWire(row), assigned: row.assigned }),
    ),
    listAssignedAccessReviewItems: async (call, { query }) => {
      const page = await listAssignedItems(deps, call, query);
      const data = page.rows.map(({ row, needsOtherReviewer }) => ({
        ...toItemWire(row),
        is_own: row.member_id === call.caller.id,
        needs_another_reviewer: needsOtherReviewer,
      }));
      return { data, next_page: page.nextPage };
    },
    decideAccessReviewItems: async (call, { params: { access_review_id }, body }) => {
      const { results, progress } = await decide(deps, call, access_review_id, body);
      return {
        type: "access_review_decisions",
        access_review_id,
        results: results.map(({ itemId, outcome }) => ({
          item_id: itemId,
          outcome,
          message: messages[outcome],
        })),
        progress,
      };
    },

    getAccessReviewEvidence: (call, { params }) =>
      makeEvidence(deps, call, params.access_review_id),
    verifyAccessReviewEvidence: async (call, { body }) => {
      const { reason, signedBy } = await verifyEvidence(deps, call, body);
      return {
        type: "access_review_verification",
        is_genuine: reason === null,
        reason,
        signed_by: signedBy,
      };
    },
    listEvidenceKeys: async (call) => ({
      data: (await listEvidenceKeys(deps, call)).map((row) => ({
        id: row.id,
        type: "evidence_key",
        algorithm: "Ed25519",
        public_key_pem: toPem(row.public_key),
        created_at: row.created_at.toISOString(),
      })),
    }),
  };
}

const messages: Readonly<Record<Outcome, string | null>> = {
  decided: null,
  unchanged: null,
  already_decided:
    "Another reviewer has made a different decision. Send override: true to replace it.",
  needs_another_reviewer: "This is your own access. Another reviewer must decide about it.",
  not_allowed: "Your role does not allow you to remove this access.",
  not_found: "This review has no such entry.",
};

function today(deps: ReviewDeps): string {
  return new Date(deps.nowMs()).toISOString().slice(0, 10);
}
