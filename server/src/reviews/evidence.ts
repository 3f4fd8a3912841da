import { accessReviewEvidence } from "@bursar/contract/admin/access-review-evidence.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import { assert } from "#src/lib/assert.ts";
import { findOrganizationName, findReview } from "./access-reviews.sql.ts";
import { reviewNotFound, showReview } from "./access-reviews.ts";
import { type EvidenceKey, openEvidenceKey } from "./evidence-keys.ts";
import { isSigned, signEvidence } from "./evidence-signature.ts";
import { listItems } from "./items.sql.ts";
import { toItemWire, toReviewWire } from "./to-wire.ts";

type Evidence = z.output<typeof accessReviewEvidence>;
const documentShape = accessReviewEvidence.shape.document;

const ALL = 1_000_000;

/** Returns the signed review in its current state, from one snapshot. Throws a 404. */
export function makeEvidence(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  id: string,
): Promise<Evidence> {
  return inSnapshot(deps.database, async (tx) => {
    const review = await findReview(tx, { organizationId, id });
    if (review === null) throw reviewNotFound(id);
    const key = await openEvidenceKey(tx, deps.sealingKey, organizationId);
    assert(key, "the first review creates a key");
    const nowMs = Math.floor(deps.nowMs());
    const filter = { organizationId, reviewId: id };
    const items = await listItems(tx, filter, { after: null, limit: ALL });
    // Signs exactly the fields of the response.
    const document = documentShape.parse({
      type: "access_review_evidence",
      version: 1,
      generated_at: new Date(nowMs).toISOString(),
      organization: { id: organizationId, name: await findOrganizationName(tx, organizationId) },
      review: toReviewWire(await showReview(tx, review), nowMs),
      items: items.map(toItemWire),
    });
    const { id: keyId } = key.row;
    const value = signEvidence(key.privateKey, { keyId, document });
    return { document, signature: { algorithm: "Ed25519", key_id: keyId, value } };
  });
}

export interface ClaimedEvidence {
  document: Record<string, unknown>;
  signature: { algorithm: string; key_id: string; value: string };
}

export interface EvidenceVerdict {
  /** Null: genuine. */
  reason: string | null;
  signedBy: string | null;
}

/** Returns whether this organization's server signed exactly this document. */
export async function verifyEvidence(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  { document, signature }: ClaimedEvidence,
): Promise<EvidenceVerdict> {
  const key = await openEvidenceKey(deps.database, deps.sealingKey, organizationId);
  const { algorithm, key_id: keyId, value } = signature;
  if (algorithm !== "Ed25519")
    return refuse(`The signature algorithm "${algorithm}" is unknown. Expected "Ed25519".`);
  if (key?.row.id !== keyId)
    return refuse("The document was not signed with a key of this organization.");
  const text = { keyId, document: document as JsonValue };
  if (!isSigned(key.row.public_key, text, value)) {
    return refuse("The document was changed after it was signed.");
  }
  return { reason: null, signedBy: keyId };
}

function refuse(reason: string): EvidenceVerdict {
  return { reason, signedBy: null };
}

/** Lists the organization's keys. Empty before its first review. */
export async function listEvidenceKeys(
  deps: AuditDeps,
  { caller }: Call,
): Promise<EvidenceKey["row"][]> {
  const key = await openEvidenceKey(deps.database, deps.sealingKey, caller.organizationId);
  return key === null ? [] : [key.row];
}
