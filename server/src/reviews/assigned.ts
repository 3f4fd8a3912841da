import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  type PageOfRows,
  type PageRequest,
  readCursor,
  readCursorTime,
  toPage,
} from "#src/domain/page-position.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { findReview, listReviewers, listReviews, type ReviewStatus } from "./access-reviews.sql.ts";
import { reviewNotFound, type ShownReview, showReviews } from "./access-reviews.ts";
import { countAssigned } from "./decisions.sql.ts";
import {
  type ItemFilter,
  type ItemPosition,
  listItems as listRows,
  type ShownItemRow,
} from "./items.sql.ts";
import { findDecidableAccess, mayDecide } from "./review-rights.rule.ts";
import { excludeReviewer, findDecidable } from "./reviewers.ts";

// Lists of review items: all items for the administrator, assigned items for a reviewer.

export interface AssignedReview extends ShownReview {
  assigned: { items: number; undecided: number };
}

/** Returns a page of the reviews assigned to the caller. */
export async function listAssignedReviews(
  deps: AuditDeps,
  { caller }: Call,
  query: { statuses?: ReviewStatus[] | undefined },
  request: PageRequest,
): Promise<PageOfRows<AssignedReview>> {
  const filter = {
    organizationId: caller.organizationId,
    statuses: query.statuses ?? (["open"] as const),
    reviewerId: caller.id,
    now: new Date(deps.nowMs()),
  };
  const page = toPage(await listReviews(deps.database, filter, request), request);
  const rows: AssignedReview[] = [];
  for (const review of await showReviews(deps.database, page.rows)) {
    rows.push({ ...review, assigned: await countFor(deps, caller, review) });
  }
  return { ...page, rows };
}

async function countFor(deps: AuditDeps, caller: Caller, { row, reviewers }: ShownReview) {
  const memberIds = reviewers.map(({ id }) => id);
  return countAssigned(deps.database, {
    reviewId: row.id,
    memberId: caller.id,
    decidable: findDecidableAccess(caller),
    others: excludeReviewer(
      await findDecidable(deps.database, caller.organizationId, memberIds),
      caller.id,
    ),
  });
}

/** Item with whether another reviewer must decide, because the access is the caller's own. */
export interface AssignedItem {
  row: ShownItemRow;
  needsOtherReviewer: boolean;
}

async function withNeeds(
  deps: AuditDeps,
  caller: Caller,
  rows: readonly ShownItemRow[],
): Promise<AssignedItem[]> {
  const own = rows.filter(({ member_id }) => member_id === caller.id);
  const reviewIds = [...new Set(own.map(({ access_review_id }) => access_review_id))];
  const reviewers = await listReviewers(deps.database, reviewIds);
  const decidable = await findDecidable(
    deps.database,
    caller.organizationId,
    reviewers.map(({ id }) => id),
  );
  const canDecide = (reviewerId: string, row: ShownItemRow) => {
    const rights = decidable.get(reviewerId);
    const access = { path: row.path, role: row.role, workspaceId: row.workspace_id };
    return rights !== undefined && mayDecide(rights, access);
  };
  return rows.map((row) => ({
    row,
    needsOtherReviewer:
      row.member_id === caller.id &&
      reviewers.some(
        (reviewer) =>
          reviewer.access_review_id === row.access_review_id &&
          reviewer.id !== caller.id &&
          canDecide(reviewer.id, row),
      ),
  }));
}

export interface ItemQuery {
  paths?: ItemFilter["paths"];
  decisions?: ItemFilter["decisions"];
  recommendation?: ItemFilter["recommendation"];
  results?: ItemFilter["results"];
  workspace_id?: string | undefined;
  member_id?: string | undefined;
}

interface Paging {
  limit: number;
  page?: string | undefined;
}

export interface PageOfItems {
  rows: ShownItemRow[];
  nextPage: string | null;
}

/** Returns a page of all items of the review. Throws a 404. */
export async function listItems(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  reviewId: string,
  query: ItemQuery & Paging,
): Promise<PageOfItems> {
  const review = await findReview(deps.database, { organizationId, id: reviewId });
  if (review === null) throw reviewNotFound(reviewId);
  return readPage(deps, { organizationId, reviewId }, query);
}

/** Returns a page of the caller's assigned items. Throws a 404 for a review that is not assigned to the caller. */
export async function listAssignedItems(
  deps: AuditDeps,
  { caller }: Call,
  query: ItemQuery & Paging & { access_review_id?: string | undefined },
): Promise<{ rows: AssignedItem[]; nextPage: string | null }> {
  const { organizationId } = caller;
  const { access_review_id: reviewId } = query;
  if (reviewId !== undefined) {
    const review = await findReview(deps.database, { organizationId, id: reviewId });
    const reviewers = await listReviewers(deps.database, review ? [reviewId] : []);
    if (!reviewers.some(({ id }) => id === caller.id)) throw reviewNotFound(reviewId);
  }
  const assignedTo = { memberId: caller.id, decidable: findDecidableAccess(caller) };
  const page = await readPage(deps, { organizationId, reviewId, assignedTo }, query);
  return { rows: await withNeeds(deps, caller, page.rows), nextPage: page.nextPage };
}

async function readPage(
  deps: AuditDeps,
  of: Pick<ItemFilter, "organizationId" | "reviewId" | "assignedTo">,
  query: ItemQuery & Paging,
): Promise<PageOfItems> {
  const { paths, decisions, recommendation, results, workspace_id, member_id } = query;
  const filters = {
    list: of.assignedTo ? "assigned_access_review_items" : "access_review_items",
    reviewId: of.reviewId,
    paths,
    decisions,
    recommendation,
    results,
    workspace_id,
    member_id,
  };
  const filter = {
    ...of,
    paths,
    decisions,
    recommendation,
    results,
    workspaceId: workspace_id,
    memberId: member_id,
  };
  const after = query.page === undefined ? null : readPosition(query.page, filters);
  const rows = await listRows(deps.database, filter, { after, limit: query.limit + 1 });
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  const hasMore = rows.length > query.limit;
  return {
    rows: shown,
    nextPage:
      hasMore && last
        ? encodeCursor(
            [last.review_created_at.getTime(), last.access_review_id, last.position],
            filters,
          )
        : null,
  };
}

function readPosition(cursor: string, filters: unknown): ItemPosition {
  const [createdAtMs, reviewId, position] = readCursor(cursor, filters, [
    "number",
    "string",
    "number",
  ]);
  return {
    reviewCreatedAtMs: readCursorTime(createdAtMs),
    reviewId: String(reviewId),
    position: Number(position),
  };
}

const EXPORT_PAGE = 500;

/** Reads all items of the review with one page in memory at a time. Throws a 404 before the first page. */
export async function readItems(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  reviewId: string,
): Promise<AsyncIterable<ShownItemRow[]>> {
  const review = await findReview(deps.database, { organizationId, id: reviewId });
  if (review === null) throw reviewNotFound(reviewId);
  return pagesOf(deps, { organizationId, reviewId });
}

async function* pagesOf(deps: AuditDeps, filter: ItemFilter): AsyncGenerator<ShownItemRow[]> {
  let after: ItemPosition | null = null;
  for (;;) {
    const rows: Awaited<ReturnType<typeof listRows>> = await listRows(deps.database, filter, {
      after,
      limit: EXPORT_PAGE,
    });
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (rows.length < EXPORT_PAGE || last === undefined) return;
    after = {
      reviewCreatedAtMs: last.review_created_at.getTime(),
      reviewId: last.access_review_id,
      position: last.position,
    };
  }
}
