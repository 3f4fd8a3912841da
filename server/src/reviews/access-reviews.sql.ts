import type { AccessPath } from "@bursar/contract/access-paths.ts";
import { type SqlBool, sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { IfNoAnswer, Recurrence } from "./access-review.rule.ts";

export type ReviewStatus = "open" | "applying" | "closed" | "cancelled";

export interface ReviewRow {
  id: string;
  organization_id: string;
  name: string;
  scope_paths: AccessPath[];
  scope_workspace_ids: string[] | null;
  status: ReviewStatus;
  if_no_answer: IfNoAnswer;
  inactive_days: number;
  due_at: Date;
  auto_close_days: number | null;
  recurrence: Recurrence;
  begins_at: Date;
  first_begins_at: Date;
  previous_id: string | null;
  /** Reviewers of the next review of an ended one. Null: the same ones. */
  next_reviewer_ids: string[] | null;
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  ended_by_type: string | null;
  ended_by_id: string | null;
  ended_at: Date | null;
}

interface ReviewOf {
  organizationId: string;
  id: string;
}

export async function insertReview(tx: Tx, row: ReviewRow): Promise<void> {
  await tx.insertInto("access_review").values(row).execute();
}

export async function updateReview(tx: Tx, row: ReviewRow): Promise<void> {
  const { name, status, if_no_answer, due_at, auto_close_days, recurrence } = row;
  const { ended_by_type, ended_by_id, ended_at } = row;
  await tx
    .updateTable("access_review")
    .set({ name, status, if_no_answer, due_at, auto_close_days, recurrence })
    .set({ ended_by_type, ended_by_id, ended_at })
    .where("organization_id", "=", row.organization_id)
    .where("id", "=", row.id)
    .execute();
}

export interface ReviewFilter {
  organizationId: string;
  statuses?: readonly ReviewStatus[] | undefined;
  overdue?: boolean | undefined;
  /** Reviewer of the reviews. */
  reviewerId?: string | undefined;
  now: Date;
}

/** Lists reviews, newest first. Returns one row more than the page holds. */
export function listReviews(
  db: Database | Tx,
  filter: ReviewFilter,
  page: PageRequest,
): Promise<ReviewRow[]> {
  let query = db
    .selectFrom("access_review")
    .selectAll()
    .where("organization_id", "=", filter.organizationId);
  const { statuses, overdue, reviewerId } = filter;
  if (statuses) query = query.where("status", "in", statuses);
  if (overdue !== undefined) {
    query = query.where(sql<SqlBool>`(status = 'open' AND due_at <= ${filter.now}) = ${overdue}`);
  }
  if (reviewerId !== undefined) query = query.where(hasReviewer(reviewerId));
  return selectPage(query, page).execute();
}

function hasReviewer(memberId: string) {
  return sql<SqlBool>`EXISTS (SELECT 1 FROM access_review_reviewer AS reviewer
    WHERE reviewer.access_review_id = access_review.id AND reviewer.member_id = ${memberId})`;
}

/**
 * Returns the review, or null. `for share` blocks changes until the transaction ends, but allows concurrent decisions.
 * `for update` blocks both.
 */
export async function findReview(
  db: Database | Tx,
  { organizationId, id }: ReviewOf,
  lock?: "for share" | "for update",
): Promise<ReviewRow | null> {
  let query = db
    .selectFrom("access_review")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("id", "=", id);
  if (lock === "for share") query = query.forShare();
  if (lock === "for update") query = query.forUpdate();
  return (await query.executeTakeFirst()) ?? null;
}

export interface ReviewerRow {
  access_review_id: string;
  id: string;
  name: string;
  email: string;
}

/** Sorted by name. */
export function listReviewers(
  db: Database | Tx,
  reviewIds: readonly string[],
): Promise<ReviewerRow[]> {
  if (reviewIds.length === 0) return Promise.resolve([]);
  return db
    .selectFrom("access_review_reviewer")
    .innerJoin("member", "member.id", "access_review_reviewer.member_id")
    .select(["access_review_reviewer.access_review_id", "member.id", "member.name", "member.email"])
    .where("access_review_reviewer.access_review_id", "in", reviewIds)
    .orderBy("member.name")
    .orderBy("member.id")
    .execute();
}

export async function setReviewers(
  tx: Tx,
  of: { reviewId: string; memberIds: readonly string[] },
): Promise<void> {
  await tx
    .deleteFrom("access_review_reviewer")
    .where("access_review_id", "=", of.reviewId)
    .where("member_id", "not in", of.memberIds)
    .execute();
  await tx
    .insertInto("access_review_reviewer")
    .values(of.memberIds.map((member_id) => ({ access_review_id: of.reviewId, member_id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Sets the reviewers of the next review of an ended one. Its own reviewers stay, because its evidence names them. */
export async function setNextReviewers(
  tx: Tx,
  of: { organizationId: string; reviewId: string; memberIds: readonly string[] },
): Promise<void> {
  await tx
    .updateTable("access_review")
    .set({ next_reviewer_ids: [...of.memberIds] })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.reviewId)
    .execute();
}

/** Returns the given workspaces that belong to the organization and are not archived. */
export async function findActiveWorkspaceIds(
  db: Database | Tx,
  of: { organizationId: string; ids: readonly string[] },
): Promise<string[]> {
  const rows = await db
    .selectFrom("workspace")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "in", of.ids)
    .where("archived_at", "is", null)
    .execute();
  return rows.map(({ id }) => id);
}

export async function findOwnerIds(db: Database | Tx, organizationId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("role", "=", "owner")
    .where("status", "=", "active")
    .orderBy("id")
    .execute();
  return rows.map(({ id }) => id);
}

export async function findOrganizationName(
  db: Database | Tx,
  organizationId: string,
): Promise<string> {
  const row = await db
    .selectFrom("organization")
    .select("name")
    .where("id", "=", organizationId)
    .executeTakeFirstOrThrow();
  return row.name;
}

/** Lists reviews of all organizations that need a reminder, closing or further applying. */
export function listRunningReviews(db: Database): Promise<ReviewRow[]> {
  return db
    .selectFrom("access_review")
    .selectAll()
    .where("status", "in", ["open", "applying"])
    .orderBy("due_at")
    .execute();
}

/** Lists the last review of each continuing series. */
export function listRecurringReviews(db: Database): Promise<ReviewRow[]> {
  return db
    .selectFrom("access_review")
    .selectAll()
    .where("recurrence", "<>", "none")
    .where("status", "<>", "cancelled")
    .where(hasNoSuccessor)
    .orderBy("begins_at")
    .execute();
}

const hasNoSuccessor = sql<SqlBool>`NOT EXISTS (
  SELECT 1 FROM access_review AS next WHERE next.previous_id = access_review.id)`;

export async function hasSuccessor(tx: Tx, reviewId: string): Promise<boolean> {
  const row = await tx
    .selectFrom("access_review")
    .select("id")
    .where("previous_id", "=", reviewId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Ends a review whose items were all applied. */
export async function finishReview(db: Database | Tx, reviewId: string): Promise<void> {
  await db
    .updateTable("access_review")
    .set({ status: "closed" })
    .where("id", "=", reviewId)
    .where("status", "=", "applying")
    .where(hasNoItemToApply)
    .execute();
}

const hasNoItemToApply = sql<SqlBool>`NOT EXISTS (
  SELECT 1 FROM access_review_item AS item WHERE item.access_review_id = access_review.id AND item.result IS NULL)`;

export type NoticeKind = "asked" | "due_in_7_days" | "due_in_1_day" | "overdue";

/** Records that the reviewer gets this message. Returns false if it was recorded before. */
export async function insertReminder(
  tx: Tx,
  row: { access_review_id: string; member_id: string; kind: NoticeKind; sent_at: Date },
): Promise<boolean> {
  const inserted = await tx
    .insertInto("access_review_reminder")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning("member_id")
    .executeTakeFirst();
  return inserted !== undefined;
}
