import type { ItemOf } from "../../queries.ts";
import type { Tone } from "../../ui/badge.tsx";
import { formatRelative } from "../../ui/format.ts";

type Review = ItemOf<"listAccessReviews">;

const DAY_MS = 86_400_000;
const SOON_DAYS = 3;

/** State of a review in one or two words. */
export function stateOf(review: Review, nowMs: number): { text: string; tone: Tone } {
  if (review.status === "applying") return { text: "applying", tone: "accent" };
  if (review.status !== "open") return { text: review.status, tone: "plain" };
  if (!review.reviewers.some(({ can_decide }) => can_decide)) {
    return { text: "no reviewer", tone: "bad" };
  }
  if (review.is_overdue) return { text: "overdue", tone: "bad" };
  const days = (Date.parse(review.due_at) - nowMs) / DAY_MS;
  if (days > SOON_DAYS) return { text: "open", tone: "good" };
  return { text: `due ${formatRelative(review.due_at, nowMs)}`, tone: "warn" };
}
