import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Decision } from "./access-review.rule.ts";
import { isDecidable } from "./items.sql.ts";
import type { DecidableAccess } from "./review-rights.rule.ts";

export interface SavedDecision {
  id: string;
  decision: Decision;
  reason: string | null;
  isSelfReview: boolean;
}

export async function saveDecisions(
  tx: Tx,
  of: { reviewId: string; memberId: string; decidedAt: Date; decisions: readonly SavedDecision[] },
): Promise<void> {
  if (of.decisions.length === 0) return;
  await sql`
    UPDATE access_review_item AS item
    SET decision = given.decision, reason = given.reason, is_self_review = given.is_self_review,
      decided_by_id = ${of.memberId}, decided_at = ${of.decidedAt}
    FROM unnest(
      ${of.decisions.map(({ id }) => id)}::text[],
      ${of.decisions.map(({ decision }) => decision)}::text[],
      ${of.decisions.map(({ reason }) => reason)}::text[],
      ${of.decisions.map(({ isSelfReview }) => isSelfReview)}::boolean[]
    ) AS given (id, decision, reason, is_self_review)
    WHERE item.access_review_id = ${of.reviewId} AND item.id = given.id`.execute(tx);
}

export interface Progress {
  access_review_id: string;
  items: number;
  undecided: number;
  keep: number;
  remove: number;
  not_sure: number;
  recommended_for_removal: number;
  to_remove: number;
  kept: number;
  removed: number;
  already_gone: number;
  not_applied: number;
}

export async function countProgress(
  db: Database | Tx,
  reviewIds: readonly string[],
): Promise<Progress[]> {
  if (reviewIds.length === 0) return [];
  const { rows } = await sql<Progress>`
    SELECT access_review_id, count(*)::integer AS items,
      (count(*) FILTER (WHERE decision IS NULL))::integer AS undecided,
      (count(*) FILTER (WHERE decision = 'keep'))::integer AS keep,
      (count(*) FILTER (WHERE decision = 'remove'))::integer AS remove,
      (count(*) FILTER (WHERE decision = 'not_sure'))::integer AS not_sure,
      (count(*) FILTER (WHERE recommendation = 'remove'))::integer AS recommended_for_removal,
      (count(*) FILTER (WHERE ${isToRemove}))::integer AS to_remove,
      (count(*) FILTER (WHERE result = 'kept'))::integer AS kept,
      (count(*) FILTER (WHERE result = 'removed'))::integer AS removed,
      (count(*) FILTER (WHERE result = 'already_gone'))::integer AS already_gone,
      (count(*) FILTER (WHERE result = 'not_applied'))::integer AS not_applied
    FROM access_review_item AS item JOIN access_review AS review ON review.id = item.access_review_id
    WHERE access_review_id = ANY(${[...reviewIds]}::text[])
    GROUP BY access_review_id`.execute(db);
  return rows;
}

/** SQL twin of `finalAnswer` in reviews/access-review.rule.ts, with the rules for Owners and for roles of groups. */
const isToRemove = sql<SqlBool>`CASE
  WHEN path = 'group_role' THEN false
  WHEN decision IN ('keep', 'remove') THEN decision = 'remove'
  WHEN path = 'organization_role' AND role = 'owner' THEN false
  WHEN if_no_answer = 'as_recommended' THEN recommendation = 'remove'
  ELSE if_no_answer = 'remove'
END`;

export interface Assigned {
  memberId: string;
  decidable: DecidableAccess;
  /** Access that the other reviewers may decide about. */
  others: readonly DecidableAccess[];
}

/** Counts the items that the member is to decide. Own access counts only if no other reviewer can decide about it. */
export async function countAssigned(
  db: Database | Tx,
  of: Assigned & { reviewId: string },
): Promise<{ items: number; undecided: number }> {
  const { rows } = await sql<{ items: number; undecided: number }>`
    SELECT count(*)::integer AS items, (count(*) FILTER (WHERE item.decision IS NULL))::integer AS undecided
    FROM access_review_item AS item
    WHERE item.access_review_id = ${of.reviewId} AND ${isAssigned(of)}`.execute(db);
  return rows[0] ?? { items: 0, undecided: 0 };
}

/** Whether an item waits for the member, by the rules of `countAssigned`. Stops at the first one. */
export async function hasUndecided(
  db: Database | Tx,
  of: Assigned & { reviewId: string },
): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    SELECT EXISTS (SELECT FROM access_review_item AS item
      WHERE item.access_review_id = ${of.reviewId} AND item.decision IS NULL AND ${isAssigned(of)}) AS has`.execute(
    db,
  );
  return rows[0]?.has === true;
}

function isAssigned({ memberId, decidable, others }: Assigned): RawBuilder<SqlBool> {
  return sql<SqlBool>`${isDecidable(decidable)}
    AND NOT (item.member_id IS NOT DISTINCT FROM ${memberId} AND ${isDecidableByAny(others)})`;
}

function isDecidableByAny(others: readonly DecidableAccess[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`(${sql.join([sql`false`, ...others.map(isDecidable)], sql` OR `)})`;
}
