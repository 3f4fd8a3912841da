import type { Cut } from "#src/domain/request-record.ts";

/** JSON of a cut in usage_record. Amounts are texts, because a JSON number loses digits. */
export interface StoredCut {
  reason: Cut["reason"];
  scope_type: Cut["scopeType"];
  scope_id: string;
  period: Cut["period"];
  held_nano_usd: string;
  seen_output_tokens: number;
  bound_output_tokens: number;
  /** Null: the node ran. */
  paused_ms: number | null;
  balance: {
    limit_nano_usd: string;
    settled_nano_usd: string;
    leased_nano_usd: string;
    unresolved_nano_usd: string;
  } | null;
}

export function toStoredCut(cut: Cut): StoredCut {
  const { balance } = cut;
  return {
    reason: cut.reason,
    scope_type: cut.scopeType,
    scope_id: cut.scopeId,
    period: cut.period,
    held_nano_usd: String(cut.heldNanoUsd),
    seen_output_tokens: toCount(cut.seenOutputTokens),
    bound_output_tokens: toCount(cut.boundOutputTokens),
    paused_ms: cut.pausedMs === undefined ? null : toCount(cut.pausedMs),
    balance: balance
      ? {
          limit_nano_usd: String(balance.limitNanoUsd),
          settled_nano_usd: String(balance.settledNanoUsd),
          leased_nano_usd: String(balance.leasedNanoUsd),
          unresolved_nano_usd: String(balance.unresolvedNanoUsd),
        }
      : null,
  };
}

/** Rounds a fraction of an estimate up, as the usage of the request. */
function toCount(count: number): number {
  return count > 0 ? Math.ceil(Math.min(count, Number.MAX_SAFE_INTEGER)) : 0;
}
