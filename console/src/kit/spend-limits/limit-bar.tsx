import { formatPlural, toUsdText } from "../../ui/format.ts";
import { SpendBar } from "../../ui/spend-bar.tsx";
import type { SpendLimit } from "./queries.ts";

/** Used part of a limit, or the number of members with this default cap. */
export function LimitBar({ limit }: { limit: SpendLimit }) {
  if (limit.member_count !== null) {
    return <p className="text-sm">Default cap of {formatPlural(limit.member_count, "member")}</p>;
  }
  return (
    <SpendBar
      spentUsd={limit.spent_usd}
      heldUsd={limit.held_usd}
      unresolvedUsd={limit.unresolved_usd}
      limitUsd={toUsdText(limit.limit_usd)}
      isExplained
      isAdvisory={limit.enforcement === "alert_only"}
    />
  );
}
