import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { type MailDeps, queueMail } from "#src/mail/queue-mail.ts";
import {
  insertReminder,
  listReviewers,
  type NoticeKind,
  type ReviewerRow,
  type ReviewRow,
} from "./access-reviews.sql.ts";
import { countAssigned } from "./decisions.sql.ts";
import { canReview } from "./review-rights.rule.ts";
import { excludeReviewer, findDecidable, scopeOf } from "./reviewers.ts";

export interface ReviewMailDeps extends MailDeps {
  /** Public address of this server, without a trailing slash. Read from the configuration, never from a request. */
  publicUrl: () => string;
}

/** Notifies each reviewer who has open decisions and has not had this message. */
export async function notifyReviewers(
  tx: Tx,
  deps: ReviewMailDeps,
  review: ReviewRow,
  kind: NoticeKind,
): Promise<void> {
  for (const { reviewer, undecided } of await findBusyReviewers(tx, review)) {
    const isFirst = await insertReminder(tx, {
      access_review_id: review.id,
      member_id: reviewer.id,
      kind,
      sent_at: new Date(deps.nowMs()),
    });
    if (isFirst) await queueNotice(tx, deps, review, { reviewer, undecided, kind });
  }
}

/** Notifies reviewers in a transaction of its own. */
export function remindReviewers(
  deps: ReviewMailDeps & { database: Database },
  review: ReviewRow,
  kind: NoticeKind,
): Promise<void> {
  return inTransaction(deps.database, (tx) => notifyReviewers(tx, deps, review, kind));
}

async function findBusyReviewers(
  tx: Tx,
  review: ReviewRow,
): Promise<{ reviewer: ReviewerRow; undecided: number }[]> {
  const reviewers = await listReviewers(tx, [review.id]);
  const ids = reviewers.map(({ id }) => id);
  const decidable = await findDecidable(tx, review.organization_id, ids);
  const busy = [];
  for (const reviewer of reviewers) {
    const own = decidable.get(reviewer.id);
    if (own === undefined || !canReview(own, scopeOf(review))) continue;
    const { undecided } = await countAssigned(tx, {
      reviewId: review.id,
      memberId: reviewer.id,
      decidable: own,
      others: excludeReviewer(decidable, reviewer.id),
    });
    if (undecided > 0) busy.push({ reviewer, undecided });
  }
  return busy;
}

const subjects: Readonly<Record<NoticeKind, string>> = {
  asked: "You are asked to review access",
  due_in_7_days: "Access review: one week left",
  due_in_1_day: "Access review: one day left",
  overdue: "Access review: overdue",
};

async function queueNotice(
  tx: Tx,
  deps: ReviewMailDeps,
  review: ReviewRow,
  of: { reviewer: ReviewerRow; undecided: number; kind: NoticeKind },
): Promise<void> {
  const { reviewer, undecided, kind } = of;
  const day = `${review.due_at.toISOString().slice(0, 10)} (UTC)`;
  const body = layoutMessage({
    title: subjects[kind],
    paragraphs: [
      undecided === 1
        ? `"${review.name}" has one entry for you to decide.`
        : `"${review.name}" has ${undecided} entries for you to decide.`,
      kind === "overdue" ? `The review was due on ${day}.` : `The review is due on ${day}.`,
    ],
    action: { label: "Review", url: `${deps.publicUrl()}/access-reviews/${review.id}/decide` },
    notes: [
      review.auto_close_days === null
        ? "The review stays open until an administrator closes it."
        : `The review closes automatically ${inDays(review.auto_close_days)}. ${noAnswer[review.if_no_answer]}`,
    ],
  });
  await queueMail(tx, deps, {
    ...body,
    organizationId: review.organization_id,
    to: reviewer.email,
    kind: "notice",
    subject: `${subjects[kind]}: ${review.name}`,
    aboutId: review.id,
  });
}

function inDays(days: number): string {
  if (days === 0) return "then";
  return days === 1 ? "one day later" : `${days} days later`;
}

const noAnswer: Readonly<Record<ReviewRow["if_no_answer"], string>> = {
  keep: "Undecided entries keep their access.",
  remove: "Undecided entries lose their access.",
  as_recommended: "Undecided entries follow the recommendation.",
};
