import { idPrefixes } from "@bursar/contract/ids.ts";
import { workspaceNotFound } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import {
  type AccessGrant,
  type AccessGrantQuery,
  findAccessGrants,
  positionOfGrant,
} from "./access-grants.ts";
import { toAccessWire } from "./access-list.ts";
import { type AccessFacts, recommend, signalsOf } from "./access-review.rule.ts";
import {
  findActiveWorkspaceIds,
  insertReview,
  type ReviewRow,
  setReviewers,
} from "./access-reviews.sql.ts";
import { ensureEvidenceKey } from "./evidence-keys.ts";
import { insertItems, type NewItemRow } from "./items.sql.ts";
import { notifyReviewers, type ReviewMailDeps } from "./review-mail.ts";
import type { ReviewScope } from "./review-rights.rule.ts";
import { scopeOf } from "./reviewers.ts";

export interface ReviewDeps extends AuditDeps, ReviewMailDeps {}

/** Maximum entries of a review that members can handle and the console can show. */
const MAX_ITEMS = 20_000;
const READ_PAGE = 1_000;

/**
 * Stores the review with a snapshot of its scope, and notifies the reviewers. Returns the number of entries. The caller
 * has checked scope and reviewers. Throws a 400 for an empty or too large scope.
 */
export async function startReview(
  tx: Tx,
  deps: ReviewDeps,
  row: ReviewRow,
  reviewerIds: readonly string[],
): Promise<number> {
  const grants = await readScope(tx, {
    organizationId: row.organization_id,
    scope: scopeOf(row),
    now: row.created_at,
  });
  if (grants.length === 0) {
    throw refuseField("scope", "the scope has no access now, so there is nothing to review.");
  }
  await insertReview(tx, row);
  await setReviewers(tx, { reviewId: row.id, memberIds: reviewerIds });
  await insertItems(
    tx,
    grants.map((grant, position) => toItem(deps, row, grant, position)),
  );
  await ensureEvidenceKey(tx, deps, row.organization_id);
  await notifyReviewers(tx, deps, row, "asked");
  return grants.length;
}

/** Returns the scope's active workspaces. Throws a 404 if a newly chosen one does not exist. */
export async function checkScopeWorkspaces(
  db: Database | Tx,
  organizationId: string,
  ids: readonly string[] | null,
): Promise<void> {
  if (ids === null) return;
  const active = await findActiveWorkspaceIds(db, { organizationId, ids });
  const missing = ids.find((id) => !active.includes(id));
  if (missing !== undefined) throw workspaceNotFound(missing);
}

/** Reads all access in the scope at that time. Throws a 400 if one review cannot hold it. */
export async function readScope(
  db: Database | Tx,
  of: { organizationId: string; scope: ReviewScope; now: Date },
): Promise<AccessGrant[]> {
  const { scope, ...base } = of;
  const ofOrganization = scope.paths.filter(isOfOrganization);
  const inWorkspaces = scope.paths.filter((path) => !isOfOrganization(path));
  const grants: AccessGrant[] = [];
  if (ofOrganization.length > 0) await readAll(db, { ...base, paths: ofOrganization }, grants);
  if (inWorkspaces.length > 0) {
    const onlyInWorkspaces = scope.workspaceIds ?? undefined;
    await readAll(db, { ...base, paths: inWorkspaces, onlyInWorkspaces }, grants);
  }
  return grants;
}

function isOfOrganization(path: ReviewRow["scope_paths"][number]): boolean {
  return path === "organization_role" || path === "admin_key";
}

async function readAll(
  db: Database | Tx,
  query: AccessGrantQuery,
  into: AccessGrant[],
): Promise<void> {
  for (let from = null; ; ) {
    const page: AccessGrant[] = await findAccessGrants(db, query, { from, limit: READ_PAGE });
    into.push(...page);
    if (into.length > MAX_ITEMS) {
      throw refuseField(
        "scope",
        `it has more than ${MAX_ITEMS} entries. Choose fewer paths or workspaces, and create several reviews.`,
      );
    }
    const last = page.at(-1);
    if (page.length < READ_PAGE || last === undefined) return;
    from = positionOfGrant(last);
  }
}

/** Facts of an access for a recommendation. */
export function factsOf({ row, grantedAt }: AccessGrant): AccessFacts {
  return {
    path: row.path,
    role: row.role,
    grantedAtMs: grantedAt.getTime(),
    notedSinceMs: row.noted_since?.getTime() ?? null,
    lastUsedAtMs: row.last_used_at?.getTime() ?? null,
    expiresAtMs: row.expires_at?.getTime() ?? null,
  };
}

function toItem(
  deps: ReviewDeps,
  review: ReviewRow,
  grant: AccessGrant,
  position: number,
): NewItemRow {
  const { row } = grant;
  const facts = factsOf(grant);
  const nowMs = review.created_at.getTime();
  return {
    id: newId(idPrefixes.accessReviewItem, nowMs, deps.randomBytes),
    access_review_id: review.id,
    position,
    path: row.path,
    role: row.role,
    member_id: row.member_id,
    workspace_id: row.workspace_id,
    api_key_id: row.api_key_id,
    admin_key_id: row.admin_key_id,
    snapshot: toAccessWire(grant),
    signals: signalsOf(facts, nowMs),
    recommendation: recommend(facts, { nowMs, inactiveDays: review.inactive_days }),
  };
}
