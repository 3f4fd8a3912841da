import { findActiveMembers } from "#src/access/member-lookup.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findOwnerIds, type ReviewRow } from "./access-reviews.sql.ts";
import {
  asCaller,
  canReview,
  type DecidableAccess,
  decidableBy,
  type ReviewScope,
} from "./review-rights.rule.ts";

// Who can review is read anew each time: a reviewer who has lost the rights decides about nothing any more.

export function scopeOf(review: ReviewRow): ReviewScope {
  return { paths: review.scope_paths, workspaceIds: review.scope_workspace_ids };
}

/** What each of these members may decide about now, by id; nobody who is not active in the organization is in it. */
export async function findDecidable(
  db: Database | Tx,
  organizationId: string,
  memberIds: readonly string[],
): Promise<ReadonlyMap<string, DecidableAccess>> {
  const found = await findActiveMembers(db, [...new Set(memberIds)]);
  return new Map(
    found
      .filter((member) => member.organizationId === organizationId)
      .map((member) => [member.id, decidableBy(asCaller(member))]),
  );
}

/** What reviewers other than this one may decide about. */
export function othersAmong(
  decidable: ReadonlyMap<string, DecidableAccess>,
  memberId: string,
): DecidableAccess[] {
  return [...decidable].filter(([id]) => id !== memberId).map(([, own]) => own);
}

/** Throws a 404 for somebody who is not there, and a 400 for who cannot decide about anything in the scope. */
export async function checkReviewers(
  tx: Tx,
  organizationId: string,
  of: { scope: ReviewScope; memberIds: readonly string[] },
): Promise<void> {
  const decidable = await findDecidable(tx, organizationId, of.memberIds);
  for (const id of of.memberIds) {
    const own = decidable.get(id);
    if (own === undefined)
      throw new ApiError(
        "resource_not_found",
        `Member not found: ${id}`,
        {},
        { resource: "member" },
      );
    if (!canReview(own, of.scope)) {
      throw refuseField(
        "reviewer_ids",
        `${id} has no right to take away anything that is reviewed here. A reviewer is an Owner or Admin, or a Workspace Admin of a workspace in the scope.`,
      );
    }
  }
}

/** Those of the reviewers who still can, or else the owners: somebody always can. */
export async function findSuccessors(
  tx: Tx,
  organizationId: string,
  of: { scope: ReviewScope; memberIds: readonly string[] },
): Promise<string[]> {
  const decidable = await findDecidable(tx, organizationId, of.memberIds);
  const able = of.memberIds.filter((id) => {
    const own = decidable.get(id);
    return own !== undefined && canReview(own, of.scope);
  });
  return able.length > 0 ? able : findOwnerIds(tx, organizationId);
}
