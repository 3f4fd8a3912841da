import { findActiveMembers } from "#src/access/member-lookup.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findOwnerIds, type ReviewRow } from "./access-reviews.sql.ts";
import {
  canReview,
  type DecidableAccess,
  findDecidableAccess,
  type ReviewScope,
  toCaller,
} from "./review-rights.rule.ts";

// Rights of reviewers are read anew each time. A reviewer without the rights cannot decide.

export function scopeOf(review: ReviewRow): ReviewScope {
  return { paths: review.scope_paths, workspaceIds: review.scope_workspace_ids };
}

/** Rights of these members to decide now, by id. Omits inactive members. */
export async function findDecidable(
  db: Database | Tx,
  organizationId: string,
  memberIds: readonly string[],
): Promise<ReadonlyMap<string, DecidableAccess>> {
  const found = await findActiveMembers(db, [...new Set(memberIds)]);
  return new Map(
    found
      .filter((member) => member.organizationId === organizationId)
      .map((member) => [member.id, findDecidableAccess(toCaller(member))]),
  );
}

/** Rights of all reviewers except this one. */
export function excludeReviewer(
  decidable: ReadonlyMap<string, DecidableAccess>,
  memberId: string,
): DecidableAccess[] {
  return [...decidable].filter(([id]) => id !== memberId).map(([, own]) => own);
}

/** Throws a 404 for an unknown member, and a 400 for a member without rights in the scope. */
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
        `${id} has no right to remove any access in the scope. Choose an Owner, an Admin, or a Workspace Admin of a workspace in the scope.`,
      );
    }
  }
}

/** Returns the reviewers who still have rights, or the owners if none has. */
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
