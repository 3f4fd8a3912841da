import type { AccessPath } from "@bursar/contract/access-paths.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { AccessGrant } from "./access-grants.ts";
import { recommend } from "./access-review.rule.ts";
import { type DecidableAccess, mayDecide, type ReviewScope } from "./review-rights.rule.ts";
import { findDecidable } from "./reviewers.ts";
import { checkScopeWorkspaces, factsOf, readScope } from "./start-review.ts";

interface Counts {
  items: number;
  recommended_for_removal: number;
  /** Number of items that no reviewer may decide about. */
  without_reviewer: number;
}

export interface ReviewPreview extends Counts {
  paths: (Counts & { path: AccessPath })[];
}

/**
 * Counts the items of a review of that scope now. Throws a 404 for an unknown workspace, and a 400 for a scope that is
 * too large. Unknown reviewers count as reviewers without rights. Starting the review reports them.
 */
export async function previewAccessReview(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  input: {
    scope: { paths: AccessPath[]; workspace_ids: string[] | null };
    inactive_days: number;
    reviewer_ids: string[];
  },
): Promise<ReviewPreview> {
  const { paths, workspace_ids: workspaceIds } = input.scope;
  const scope: ReviewScope = { paths: [...new Set(paths)], workspaceIds };
  const now = new Date(deps.nowMs());
  await checkScopeWorkspaces(deps.database, organizationId, workspaceIds);
  const grants = await readScope(deps.database, { organizationId, scope, now });
  const decidable = await findDecidable(deps.database, organizationId, input.reviewer_ids);
  const count = (counted: readonly AccessGrant[]) =>
    countGrants(counted, {
      reviewers: [...decidable.values()],
      nowMs: now.getTime(),
      inactiveDays: input.inactive_days,
    });
  return {
    ...count(grants),
    paths: scope.paths.map((path) => ({
      path,
      ...count(grants.filter(({ row }) => row.path === path)),
    })),
  };
}

function countGrants(
  grants: readonly AccessGrant[],
  by: { reviewers: readonly DecidableAccess[]; nowMs: number; inactiveDays: number },
): Counts {
  const isDecidable = ({ row }: AccessGrant) => {
    const access = { path: row.path, role: row.role, workspaceId: row.workspace_id };
    return by.reviewers.some((reviewer) => mayDecide(reviewer, access));
  };
  return {
    items: grants.length,
    recommended_for_removal: grants.filter((grant) => recommend(factsOf(grant), by) === "remove")
      .length,
    without_reviewer: grants.filter((grant) => !isDecidable(grant)).length,
  };
}
