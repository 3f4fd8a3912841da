import { Badge } from "../../ui/badge.tsx";
import { formatUsd } from "../../ui/format.ts";
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
      {Number(limit.overrun_usd) > 0 && (
        <Badge tone="bad">{formatUsd(limit.overrun_usd)} spent beyond the limit</Badge>
      )}
    </>
  );
}
