import type { AccessPath } from "@bursar/contract/access-paths.ts";
import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Decision, Recommendation } from "./access-review.rule.ts";
import type { DecidableAccess } from "./review-rights.rule.ts";

export type ItemResult = "kept" | "removed" | "already_gone" | "not_applied";

/** Access under review and its result. `snapshot` is the access in its API form when the review started. */
export interface ItemRow {
  id: string;
  access_review_id: string;
  position: number;
  path: AccessPath;
  role: string;
  member_id: string | null;
  workspace_id: string | null;
  api_key_id: string | null;
  admin_key_id: string | null;
  snapshot: unknown;
  signals: string[];
  recommendation: Recommendation;
  decision: Decision | null;
  reason: string | null;
  decided_by_id: string | null;
  decided_at: Date | null;
  is_self_review: boolean;
  result: ItemResult | null;
  result_message: string | null;
  applied_at: Date | null;
}

/** Item with the name of its decider. */
export interface ShownItemRow extends ItemRow {
  decider_name: string | null;
  decider_email: string | null;
}

export type NewItemRow = Omit<
  ItemRow,
  | "decision"
  | "reason"
  | "decided_by_id"
  | "decided_at"
  | "is_self_review"
  | "result"
  | "result_message"
  | "applied_at"
>;

/** At 11 parameters each, far below a statement's limit of 65,535. */
const INSERT_BATCH = 1_000;

export async function insertItems(tx: Tx, rows: readonly NewItemRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += INSERT_BATCH) {
    const batch = rows.slice(start, start + INSERT_BATCH);
    await tx
      .insertInto("access_review_item")
      .values(batch.map((row) => ({ ...row, snapshot: JSON.stringify(row.snapshot) })))
      .execute();
  }
}

export interface ItemFilter {
  organizationId: string;
  reviewId?: string | undefined;
  paths?: readonly AccessPath[] | undefined;
  decisions?: readonly ("undecided" | Decision)[] | undefined;
  recommendation?: Recommendation | undefined;
  results?: readonly ItemResult[] | undefined;
  workspaceId?: string | undefined;
  memberId?: string | undefined;
  /** Reviewer of the items, limited to open reviews and to the reviewer's rights. */
  assignedTo?: { memberId: string; decidable: DecidableAccess } | undefined;
}

export interface ItemPosition {
  reviewCreatedAtMs: number;
  reviewId: string;
  position: number;
}

/** Lists up to `limit` items after `after`, in the order of the review. */
export function listItems(
  db: Database | Tx,
  filter: ItemFilter,
  page: { after: ItemPosition | null; limit: number },
): Promise<(ShownItemRow & { review_created_at: Date })[]> {
  let query = db
    .selectFrom("access_review_item as item")
    .innerJoin("access_review as review", "review.id", "item.access_review_id")
    .leftJoin("member as decider", "decider.id", "item.decided_by_id")
    .selectAll("item")
    .select([
      "review.created_at as review_created_at",
      "decider.name as decider_name",
      "decider.email as decider_email",
    ])
    .where("review.organization_id", "=", filter.organizationId);
  for (const condition of makeConditions(filter)) query = query.where(condition);
  const { after } = page;
  if (after !== null) {
    query = query.where(
      sql<SqlBool>`(review.created_at, review.id, item.position)
        > (${new Date(after.reviewCreatedAtMs)}, ${after.reviewId}, ${after.position}::bigint)`,
    );
  }
  return query
    .orderBy("review.created_at")
    .orderBy("review.id")
    .orderBy("item.position")
    .limit(page.limit)
    .execute();
}

function makeConditions(filter: ItemFilter): RawBuilder<SqlBool>[] {
  const { reviewId, paths, decisions, recommendation, results, workspaceId, memberId } = filter;
  const conditions = [
    reviewId !== undefined && sql<SqlBool>`item.access_review_id = ${reviewId}`,
    paths && sql<SqlBool>`item.path = ANY(${[...paths]}::text[])`,
    decisions &&
      sql<SqlBool>`coalesce(item.decision, 'undecided') = ANY(${[...decisions]}::text[])`,
    recommendation && sql<SqlBool>`item.recommendation = ${recommendation}`,
    results && sql<SqlBool>`item.result = ANY(${[...results]}::text[])`,
    workspaceId !== undefined && sql<SqlBool>`item.workspace_id = ${workspaceId}`,
    memberId !== undefined && sql<SqlBool>`item.member_id = ${memberId}`,
    filter.assignedTo &&
      sql<SqlBool>`review.status = 'open' AND ${isDecidable(filter.assignedTo.decidable)} AND EXISTS (
        SELECT 1 FROM access_review_reviewer AS reviewer
        WHERE reviewer.access_review_id = review.id AND reviewer.member_id = ${filter.assignedTo.memberId})`,
  ];
  return conditions.filter((condition) => condition !== false && condition !== undefined);
}

/** SQL twin of `mayDecide` in reviews/review-rights.rule.ts. */
export function isDecidable(decidable: DecidableAccess): RawBuilder<SqlBool> {
  const among = (ids: readonly string[] | null) =>
    ids === null ? sql<SqlBool>`true` : sql<SqlBool>`item.workspace_id = ANY(${[...ids]}::text[])`;
  return sql<SqlBool>`CASE item.path
    WHEN 'organization_role' THEN item.role = ANY(${[...decidable.organizationRoles]}::text[])
    WHEN 'admin_key' THEN ${decidable.adminKeys}::boolean
    WHEN 'workspace_role' THEN ${among(decidable.rolesInWorkspaces)}
    WHEN 'group_role' THEN ${decidable.groupRoles}::boolean
    ELSE ${among(decidable.keysInWorkspaces)}
  END`;
}

/** Locks the items with these ids, or all undecided ones, in a fixed order until the transaction ends. */
export async function lockItems(
  tx: Tx,
  of: { reviewId: string; ids: readonly string[] | "undecided" },
): Promise<ItemRow[]> {
  if (of.ids.length === 0) return [];
  let query = tx
    .selectFrom("access_review_item")
    .selectAll()
    .where("access_review_id", "=", of.reviewId);
  query =
    of.ids === "undecided" ? query.where("decision", "is", null) : query.where("id", "in", of.ids);
  return query.orderBy("position").forUpdate().execute();
}

/** Lists the decisions of all items, to derive their results. */
export function listAnswers(
  tx: Tx,
  reviewId: string,
): Promise<Pick<ItemRow, "id" | "decision" | "recommendation">[]> {
  return tx
    .selectFrom("access_review_item")
    .select(["id", "decision", "recommendation"])
    .where("access_review_id", "=", reviewId)
    .execute();
}

export async function markKept(
  tx: Tx,
  of: { reviewId: string; ids: readonly string[]; now: Date },
): Promise<void> {
  await tx
    .updateTable("access_review_item")
    .set({ result: "kept", applied_at: of.now })
    .where("access_review_id", "=", of.reviewId)
    .where("result", "is", null)
    .where(sql<SqlBool>`id = ANY(${[...of.ids]}::text[])`)
    .execute();
}

/**
 * Returns the next item after `afterPosition` that must be removed, locked. Skips items that another node is working
 * on. Null if none remains.
 */
export async function lockNextItemToApply(
  tx: Tx,
  of: { reviewId: string; afterPosition: number },
): Promise<ItemRow | null> {
  const row = await tx
    .selectFrom("access_review_item")
    .selectAll()
    .where("access_review_id", "=", of.reviewId)
    .where("result", "is", null)
    .where("position", ">", of.afterPosition)
    .orderBy("position")
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row ?? null;
}

export async function saveResult(
  tx: Tx,
  row: { id: string; result: ItemResult; message: string | null; now: Date },
): Promise<void> {
  await tx
    .updateTable("access_review_item")
    .set({ result: row.result, result_message: row.message, applied_at: row.now })
    .where("id", "=", row.id)
    .execute();
}
