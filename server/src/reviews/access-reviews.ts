import type { AccessPath } from "@bursar/contract/access-paths.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import type { IfNoAnswer, Recurrence } from "./access-review.rule.ts";
import {
  findReview,
  hasSuccessor,
  listReviewers,
  listReviews,
  type ReviewerRow,
  type ReviewRow,
  type ReviewStatus,
  setReviewers,
  updateReview as updateRow,
} from "./access-reviews.sql.ts";
import { countProgress, type Progress } from "./decisions.sql.ts";
import { notifyReviewers } from "./review-mail.ts";
import { canReview } from "./review-rights.rule.ts";
import { checkReviewers, findDecidable, scopeOf } from "./reviewers.ts";
import { checkScopeWorkspaces, type ReviewDeps, startReview } from "./start-review.ts";

const DAY_MS = 86_400_000;
const MAX_DUE_DAYS = 366;

/** A review with its reviewers and progress. */
export interface ShownReview {
  row: ReviewRow;
  reviewers: (ReviewerRow & { canDecide: boolean })[];
  progress: Progress;
}

export interface NewReview {
  name: string;
  scope: { paths: AccessPath[]; workspace_ids: string[] | null };
  reviewer_ids: string[];
  due_at: string;
  auto_close_days: number | null;
  if_no_answer: IfNoAnswer;
  inactive_days: number;
  recurrence: Recurrence;
}

/**
 * Starts a review (see `startReview`). Throws a 404 for an unknown workspace or reviewer. Throws a 400 for a reviewer
 * without the rights, a past due time, and an empty or too large scope.
 */
export function createReview(
  deps: ReviewDeps,
  { caller, origin }: Call,
  input: NewReview,
): Promise<ShownReview> {
  const { organizationId } = caller;
  const now = new Date(deps.nowMs());
  const reviewerIds = [...new Set(input.reviewer_ids)];
  const row: ReviewRow = {
    id: newId(idPrefixes.accessReview, now.getTime(), deps.randomBytes),
    organization_id: organizationId,
    name: input.name,
    scope_paths: [...new Set(input.scope.paths)],
    scope_workspace_ids: input.scope.workspace_ids && [...new Set(input.scope.workspace_ids)],
    status: "open",
    if_no_answer: input.if_no_answer,
    inactive_days: input.inactive_days,
    due_at: readDueAt(input.due_at, now),
    auto_close_days: input.auto_close_days,
    recurrence: input.recurrence,
    begins_at: now,
    first_begins_at: now,
    previous_id: null,
    next_reviewer_ids: null,
    created_by_type: caller.kind,
    created_by_id: caller.id,
    created_at: now,
    ended_by_type: null,
    ended_by_id: null,
    ended_at: null,
  };
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await checkScopeWorkspaces(tx, organizationId, row.scope_workspace_ids);
    const reviewers = { scope: scopeOf(row), memberIds: reviewerIds };
    await checkReviewers(tx, organizationId, reviewers);
    const items = await startReview(tx, deps, row, reviewerIds);
    return {
      result: await showReview(tx, row),
      audit: auditOfReview("created", null, { ...row, reviewerIds }, { items }),
    };
  });
}

function readDueAt(text: string, now: Date): Date {
  const ms = Date.parse(text);
  if (!(ms > now.getTime() && ms <= now.getTime() + MAX_DUE_DAYS * DAY_MS)) {
    throw refuseField("due_at", `expected a time in the future, within ${MAX_DUE_DAYS} days.`);
  }
  return new Date(ms);
}

export interface ReviewQuery {
  statuses?: ReviewStatus[] | undefined;
  overdue?: boolean | undefined;
}

export async function listAccessReviews(
  deps: AuditDeps,
  { caller }: Call,
  query: ReviewQuery,
  request: PageRequest,
): Promise<PageOfRows<ShownReview>> {
  const filter = {
    organizationId: caller.organizationId,
    statuses: query.statuses,
    overdue: query.overdue,
    now: new Date(deps.nowMs()),
  };
  const page = toPage(await listReviews(deps.database, filter, request), request);
  return { ...page, rows: await showReviews(deps.database, page.rows) };
}

/** Throws a 404. */
export async function getAccessReview(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<ShownReview> {
  const { organizationId } = caller;
  const row = await findReview(deps.database, { organizationId, id });
  if (row === null) throw reviewNotFound(id);
  return showReview(deps.database, row);
}

export interface ReviewChange {
  name?: string | undefined;
  reviewer_ids?: string[] | undefined;
  due_at?: string | undefined;
  auto_close_days?: number | null | undefined;
  if_no_answer?: IfNoAnswer | undefined;
  recurrence?: Recurrence | undefined;
}

/** Keeps omitted fields. Throws like `createReview`, a 404, and a 409 for a review that has ended. */
export function updateAccessReview(
  deps: ReviewDeps,
  { caller, origin }: Call,
  id: string,
  change: ReviewChange,
): Promise<ShownReview> {
  const { organizationId } = caller;
  const now = new Date(deps.nowMs());
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await getForUpdate(tx, organizationId, id);
    await checkChangeable(tx, row, change);
    const reviewerIds = (await listReviewers(tx, [id])).map((reviewer) => reviewer.id).sort();
    const before = { ...row, reviewerIds };
    const after = {
      ...row,
      name: change.name ?? row.name,
      due_at:
        change.due_at === undefined || Date.parse(change.due_at) === row.due_at.getTime()
          ? row.due_at
          : readDueAt(change.due_at, now),
      auto_close_days:
        change.auto_close_days === undefined ? row.auto_close_days : change.auto_close_days,
      if_no_answer: change.if_no_answer ?? row.if_no_answer,
      recurrence: change.recurrence ?? row.recurrence,
      reviewerIds: change.reviewer_ids ? [...new Set(change.reviewer_ids)].sort() : reviewerIds,
    };
    if (JSON.stringify(before) === JSON.stringify(after)) {
      return { result: await showReview(tx, row), audit: "unchanged" };
    }
    if (change.reviewer_ids) {
      const chosen = { scope: scopeOf(row), memberIds: after.reviewerIds };
      await checkReviewers(tx, organizationId, chosen);
      await setReviewers(tx, { reviewId: id, memberIds: after.reviewerIds });
    }
    await updateRow(tx, after);
    if (row.status === "open") await notifyReviewers(tx, deps, after, "asked");
    return {
      result: await showReview(tx, after),
      audit: auditOfReview("updated", before, after),
    };
  });
}

async function checkChangeable(tx: Tx, row: ReviewRow, change: ReviewChange): Promise<void> {
  if (row.status === "open") return;
  const { recurrence, ...others } = change;
  const isEndOfSeries =
    recurrence === "none" && Object.values(others).every((value) => value === undefined);
  if (row.status === "cancelled" || !isEndOfSeries) throw makeEndedReviewError(row);
  if (await hasSuccessor(tx, row.id)) {
    throw new ApiError(
      "access_review_superseded",
      "A newer review of this series has started. Change the recurrence of that one.",
    );
  }
}

/** Ends the review without applying it. Throws a 404, and a 409 for a closed review. */
export function cancelAccessReview(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ShownReview> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, caller.organizationId, id);
    if (before.status === "cancelled") {
      return { result: await showReview(tx, before), audit: "unchanged" };
    }
    if (before.status !== "open") throw makeEndedReviewError(before);
    const after: ReviewRow = {
      ...before,
      status: "cancelled",
      ended_by_type: caller.kind,
      ended_by_id: caller.id,
      ended_at: new Date(deps.nowMs()),
    };
    await updateRow(tx, after);
    return {
      result: await showReview(tx, after),
      audit: auditOfReview("cancelled", before, after),
    };
  });
}

/** Returns the review, locked until the transaction ends. Throws a 404. */
export async function getForUpdate(tx: Tx, organizationId: string, id: string): Promise<ReviewRow> {
  const row = await findReview(tx, { organizationId, id }, "for update");
  if (row === null) throw reviewNotFound(id);
  return row;
}

export async function showReview(db: Database | Tx, row: ReviewRow): Promise<ShownReview> {
  const [shown] = await showReviews(db, [row]);
  return shown as ShownReview;
}

/** Adds reviewers and progress to reviews of one organization. */
export async function showReviews(
  db: Database | Tx,
  rows: readonly ReviewRow[],
): Promise<ShownReview[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const ids = rows.map(({ id }) => id);
  const reviewers = await listReviewers(db, ids);
  const memberIds = reviewers.map(({ id }) => id);
  const decidable = await findDecidable(db, first.organization_id, memberIds);
  const progress = new Map(
    (await countProgress(db, ids)).map((each) => [each.access_review_id, each]),
  );
  return rows.map((row) => ({
    row,
    reviewers: reviewers
      .filter((reviewer) => reviewer.access_review_id === row.id)
      .map((reviewer) => {
        const own = decidable.get(reviewer.id);
        return { ...reviewer, canDecide: own !== undefined && canReview(own, scopeOf(row)) };
      }),
    progress: progress.get(row.id) ?? { access_review_id: row.id, ...noProgress },
  }));
}

const noProgress = {
  items: 0,
  undecided: 0,
  keep: 0,
  remove: 0,
  not_sure: 0,
  recommended_for_removal: 0,
  to_remove: 0,
  kept: 0,
  removed: 0,
  already_gone: 0,
  not_applied: 0,
};

export function reviewNotFound(id: string): ApiError {
  return new ApiError(
    "resource_not_found",
    `Access review not found: ${id}`,
    {},
    { resource: "access_review" },
  );
}

export function makeEndedReviewError({ status }: ReviewRow): ApiError {
  const how = status === "cancelled" ? "cancelled" : "closed";
  return new ApiError(
    "access_review_closed",
    `This access review has been ${how} and can no longer change.`,
    {},
    { resource_status: status },
  );
}

/** Audit event of a change of a review. */
export function auditOfReview(
  verb: "created" | "updated" | "closed" | "cancelled",
  before: (ReviewRow & { reviewerIds?: string[] }) | null,
  after: ReviewRow & { reviewerIds?: string[] },
  more: Record<string, number> = {},
): AuditEntry {
  return {
    event: `access_review.${verb}`,
    subject: { type: "access_review", id: after.id },
    workspaceId: null,
    before: before && toAudit(before),
    after: { ...toAudit(after), ...more },
  };
}

function toAudit(row: ReviewRow & { reviewerIds?: string[] }) {
  return {
    name: row.name,
    status: row.status,
    scope: { paths: row.scope_paths, workspace_ids: row.scope_workspace_ids },
    due_at: row.due_at.toISOString(),
    auto_close_days: row.auto_close_days,
    if_no_answer: row.if_no_answer,
    recurrence: row.recurrence,
    ...(row.reviewerIds && { reviewer_ids: row.reviewerIds }),
  };
}
