import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { Figures } from "./lease-rules.ts";

/** A limit that is held strictly; `amountNanoUsd` per period. */
export interface StrictLimit {
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
}

/**
 * spent: nothing until the period ends. too_large: less remains than the request may cost. held: enough would remain,
 * but running requests hold it. unavailable: no contact with the database for too long.
 */
export interface HoldRefusal {
  kind: "refused";
  reason: "spent" | "too_large" | "held" | "unavailable";
  amountNanoUsd: bigint;
  limit: StrictLimit | null;
  figures: Figures | null;
  /** End of the limit's period, milliseconds since the epoch. */
  regainAtMs: number | null;
}

/** One limit of a chain, and its balance as last seen. */
export interface Judged {
  limit: StrictLimit | null;
  seen: Figures | null;
  endMs: number;
}

/**
 * The limits of a chain that refuse for good, the narrowest scope first and a spent one before one that is too small.
 * Leased money does not count: what others hold may come back. Unresolved money counts: it does not by itself.
 */
export function judge(amountNanoUsd: bigint, chain: readonly Judged[]): HoldRefusal[] {
  const spent: HoldRefusal[] = [];
  const tooLarge: HoldRefusal[] = [];
  for (const { limit, seen, endMs } of chain) {
    if (limit === null || seen === null) continue;
    const facts = { amountNanoUsd, limit, figures: seen, regainAtMs: endMs };
    const remaining = limit.amountNanoUsd - seen.settledNanoUsd - seen.unresolvedNanoUsd;
    if (seen.settledNanoUsd >= limit.amountNanoUsd) {
      spent.push({ kind: "refused", reason: "spent", ...facts });
    } else if (remaining < amountNanoUsd) {
      tooLarge.push({ kind: "refused", reason: "too_large", ...facts });
    }
  }
  return spent.length + tooLarge.length === 0 ? NONE : [...spent, ...tooLarge];
}

const NONE: HoldRefusal[] = [];
