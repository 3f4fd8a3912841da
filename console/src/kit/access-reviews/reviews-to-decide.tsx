import { Link } from "@tanstack/react-router";
import { Badge } from "../../ui/badge.tsx";
import { formatCount } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useAssignedReviews } from "./assigned-reviews.ts";
import { stateOf } from "./review-state.ts";

/** Reviews that wait for this member's decisions. Renders nothing without one. */
export function ReviewsToDecide() {
  const reviews = useAssignedReviews();
  const nowMs = useNow();
  const waiting = (reviews.data?.items ?? []).filter(({ assigned }) => assigned.undecided > 0);
  if (waiting.length === 0) return null;
  return (
    <Section title="Access for you to review">
      <ul className="divide-y divide-line border-y border-line text-sm">
        {waiting.map((review) => {
          const { text, tone } = stateOf(review, nowMs);
          return (
            <li key={review.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2.5">
              <Link
                to="/access-reviews/$reviewId/decide"
                params={{ reviewId: review.id }}
                className="font-medium hover:underline"
              >
                {review.name}
              </Link>
              <Badge tone={tone}>{text}</Badge>
              <span className="figures ml-auto text-quiet">
                {formatCount(review.assigned.undecided)} of {formatCount(review.assigned.items)} to
                decide
              </span>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
