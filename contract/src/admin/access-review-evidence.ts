import { z } from "zod";
import { timestamp } from "../fields.ts";
import { evidenceKeyId, organizationId } from "../ids.ts";
import { route } from "../route.ts";
import { accessReview, accessReviewItem, reviewParams } from "./access-reviews.ts";

const evidenceItem = z.object({ ...accessReviewItem.shape }).omit({ access_review_id: true });

export const accessReviewEvidence = z
  .object({
    document: z.object({
      type: z.literal("access_review_evidence"),
      version: z.literal(1),
      generated_at: timestamp,
      organization: z.object({ id: organizationId, name: z.string() }),
      review: accessReview,
      items: z.array(evidenceItem),
    }),
    signature: z.object({
      algorithm: z.literal("Ed25519"),
      key_id: evidenceKeyId,
      value: z.string().meta({
        description:
          "Base64 over the bytes `bursar evidence v1`, a line feed, and the canonical JSON (keys sorted, no spaces) of `{document, key_id}`.",
      }),
    }),
  })
  .meta({ id: "AccessReviewEvidence" });

export const getAccessReviewEvidence = route({
  operationId: "getAccessReviewEvidence",
  method: "GET",
  path: "/v1/admin/access_reviews/{access_review_id}/evidence",
  summary: "Get the signed evidence of an access review",
  description:
    "Returns the current review with all its items, signed. Store it as a file and verify it at any time. Verification fails if one value has changed.",
  action: "access_reviews:read",
  audited: null,
  params: reviewParams,
  response: accessReviewEvidence,
});

/** A review of the highest size fits. */
const MAX_EVIDENCE_BYTES = 64 * 1024 * 1024;

export const verifyAccessReviewEvidence = route({
  operationId: "verifyAccessReviewEvidence",
  method: "POST",
  path: "/v1/admin/access_reviews/verify",
  summary: "Verify the evidence of an access review",
  description: "Send the unchanged evidence file as the body.",
  action: "access_reviews:read",
  audited: null,
  maxBodyBytes: MAX_EVIDENCE_BYTES,
  body: z.strictObject({
    document: z.looseObject({}),
    signature: z.strictObject({ algorithm: z.string(), key_id: evidenceKeyId, value: z.string() }),
  }),
  response: z
    .object({
      type: z.literal("access_review_verification"),
      is_genuine: z.boolean(),
      reason: z
        .string()
        .nullable()
        .meta({ description: "Why it is not genuine. Null: it is genuine." }),
      signed_by: evidenceKeyId.nullable(),
    })
    .meta({ id: "AccessReviewVerification" }),
});

export const evidenceKey = z
  .object({
    id: evidenceKeyId,
    type: z.literal("evidence_key"),
    algorithm: z.literal("Ed25519"),
    public_key_pem: z.string(),
    created_at: timestamp,
  })
  .meta({ id: "EvidenceKey" });

export const listEvidenceKeys = route({
  operationId: "listEvidenceKeys",
  method: "GET",
  path: "/v1/admin/evidence_keys",
  summary: "List the public keys of evidence",
  description:
    "Verify evidence with these keys, without this server. The first access review creates the key.",
  action: "access_reviews:read",
  audited: null,
  response: z.object({ data: z.array(evidenceKey) }),
});

export const accessReviewEvidenceRoutes = [
  getAccessReviewEvidence,
  verifyAccessReviewEvidence,
  listEvidenceKeys,
] as const;
