import { Badge } from "../../ui/badge.tsx";
import type { ReviewItem } from "./queries.ts";
import { describeRecommendation, listExtraSignals } from "./words.ts";

/** Recommendation and its reason, in two lines. */
export function Recommendation({ item, beganAt }: { item: ReviewItem; beganAt: string }) {
  return (
    <span className="grid justify-items-start gap-0.5">
      <span className="flex flex-wrap gap-1">
        <Badge tone={item.recommendation === "remove" ? "warn" : "plain"}>
          {item.recommendation}
        </Badge>
        {listExtraSignals(item).map((signal) => (
          <Badge key={signal}>{signal}</Badge>
        ))}
      </span>
      <span className="text-xs text-quiet">{describeRecommendation(item, beganAt)}</span>
    </span>
  );
}
