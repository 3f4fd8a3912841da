import type { ErrorFacts } from "@bursar/contract/error-facts.ts";
import type { AskableLimit } from "./limit-message.ts";
import { formatUsd } from "./money.ts";
import { isoFromMs } from "./spend-period.ts";
import { toWireScope } from "./wire-scope.ts";

/** Headers of refusals by a spend limit for which a retry is futile. */
export const NO_RETRY = { "x-should-retry": "false" } as const;

/** A spend limit that refuses a request, and its balance at that moment. */
export interface RefusingLimit {
  limit: AskableLimit & { id: string; amountNanoUsd: bigint };
  spentNanoUsd: bigint;
  /** Budget that nodes hold, for running requests and in advance. Null: a soft limit. */
  heldNanoUsd: bigint | null;
  /** Cost of requests whose outcome is unknown. Null: a soft limit. */
  unresolvedNanoUsd: bigint | null;
  /** Amount that the limit would have to hold for the request. Null: a soft limit, or not computed. */
  neededNanoUsd: bigint | null;
  /** End of the period, milliseconds since the epoch. */
  regainAtMs: number;
}

export function toLimitFacts(refusing: RefusingLimit): ErrorFacts["limit"] {
  const { limit, spentNanoUsd, regainAtMs } = refusing;
  return {
    id: limit.id,
    scope: toWireScope(limit),
    ...(limit.scopeName && { scope_name: limit.scopeName }),
    period: limit.period,
    period_ends_at: isoFromMs(regainAtMs),
    limit_usd: Number(formatUsd(limit.amountNanoUsd)),
    spent_usd: formatUsd(spentNanoUsd),
    held_usd: formatAmount(refusing.heldNanoUsd),
    unresolved_usd: formatAmount(refusing.unresolvedNanoUsd),
    needed_usd: formatAmount(refusing.neededNanoUsd),
  };
}

function formatAmount(nanoUsd: bigint | null): string | null {
  return nanoUsd === null ? null : formatUsd(nanoUsd);
}
