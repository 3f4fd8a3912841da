import { Badge } from "../../ui/badge.tsx";
import { formatUsd, toNanoUsd, toUsdText } from "../../ui/format.ts";
import { DelayedBadge } from "../delayed-change/delayed-badge.tsx";
import type { SpendLimit } from "./queries.ts";
import { enforcementWords, isHeldInSteps, isRefusingUnknown } from "./words.ts";

/** Enforcement, rules and state of a spend limit. */
export function LimitBadges({ limit }: { limit: SpendLimit }) {
  return (
    <>
      <Badge tone={limit.enforcement === "alert_only" ? "plain" : "accent"}>
        {enforcementWords[limit.enforcement].label}
      </Badge>
      {isHeldInSteps(limit) && <Badge>In steps</Badge>}
      {isRefusingUnknown(limit) && <Badge>Refuses unknown features</Badge>}
      {limit.state === "activating" && <span className="text-warn">Activating on all servers</span>}
      {limit.blocks_now && <Badge tone="bad">Blocks requests</Badge>}
      <DelayedBadge subject={limit.id} />
      <OverrunBadge limit={limit} />
    </>
  );
}

/** Spend beyond the limit of its time. After a raise, that limit was a lower one, and no request stops because of it. */
function OverrunBadge({ limit }: { limit: SpendLimit }) {
  const overrun = toNanoUsd(limit.overrun_usd);
  if (overrun <= 0n) return null;
  const isOfThisLimit =
    overrun <= toNanoUsd(limit.spent_usd) - toNanoUsd(toUsdText(limit.limit_usd));
  return (
    <Badge tone={isOfThisLimit ? "bad" : "plain"}>
      {formatUsd(limit.overrun_usd)} spent beyond {isOfThisLimit ? "the" : "an earlier"} limit
    </Badge>
  );
}
