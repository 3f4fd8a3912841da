import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { SmallerHold } from "#src/domain/request-record.ts";
import { holdUnderLimit } from "#src/domain/worst-case.ts";
import type { StrictLimit } from "./hold-refusal.ts";
import type { LeaseKey } from "./lease-rules.ts";

// Holds of the requests of a message batch under limits with an own amount for open-ended requests, as of the hold of the
// batch. A later change of a limit changes nothing of a batch that is held. Pure.

/** Amount that one limit has chosen for open-ended requests. */
export interface ChosenHold {
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  nanoUsd: bigint;
}

export interface OpenEndedHolds {
  /** Largest amount of a limit, which balances without a limit hold too. Null: a limit holds the worst case, or none is strict. */
  mostNanoUsd: bigint | null;
  chosen: readonly ChosenHold[];
}

/** Each balance holds the worst case. */
export const WORST_CASES: OpenEndedHolds = { mostNanoUsd: null, chosen: [] };

/** Highest cost of one request of a batch. */
export interface LineHold {
  holdNanoUsd: bigint;
  isOpenEnded: boolean;
}

/** `limits`: all strict limits of the chain. */
export function findOpenEndedHolds(limits: readonly StrictLimit[]): OpenEndedHolds {
  const chosen = limits.flatMap(({ scopeType, scopeId, period, openEndedHoldNanoUsd }) => {
    const nanoUsd = openEndedHoldNanoUsd ?? null;
    return nanoUsd === null ? [] : [{ scopeType, scopeId, period, nanoUsd }];
  });
  if (chosen.length === 0) return WORST_CASES;
  const isEach = chosen.length === limits.length;
  const most = chosen.map(({ nanoUsd }) => nanoUsd).reduce(larger);
  return { mostNanoUsd: isEach ? most : null, chosen };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Finds the highest hold of an open-ended request in one balance. Null: its worst case. */
export function findHighest(
  { mostNanoUsd, chosen }: OpenEndedHolds,
  key: Pick<LeaseKey, "scopeType" | "scopeId" | "period">,
): bigint | null {
  const own = chosen.find(
    ({ scopeType, scopeId, period }) =>
      scopeType === key.scopeType && scopeId === key.scopeId && period === key.period,
  );
  return own?.nanoUsd ?? mostNanoUsd;
}

/** Hold of one request where open-ended ones have a highest hold. */
export function holdOfLine(
  { holdNanoUsd: nanoUsd, isOpenEnded }: LineHold,
  highestNanoUsd: bigint | null,
): bigint {
  const kind = isOpenEnded ? "open_ended" : "closed";
  return holdUnderLimit({ kind, nanoUsd }, highestNanoUsd) ?? nanoUsd;
}

/** Sums the holds of requests where open-ended ones have a highest hold. */
export function sumLines(lines: readonly LineHold[], highestNanoUsd: bigint | null): bigint {
  return lines.reduce((sum, line) => sum + holdOfLine(line, highestNanoUsd), 0n);
}

/** Lists limits that hold less than `mostNanoUsd` for a request, by the amount of each. */
export function listSmallerHolds(
  holds: OpenEndedHolds,
  amountOf: (highestNanoUsd: bigint) => bigint,
  mostNanoUsd: bigint,
): readonly SmallerHold[] {
  return holds.chosen.flatMap(({ scopeType, scopeId, period, nanoUsd }): SmallerHold[] => {
    const own = amountOf(nanoUsd);
    if (own >= mostNanoUsd) return [];
    const isOneOfSome = scopeType === "group" || scopeType === "tag";
    return [{ scopeType, period, nanoUsd: own, ...(isOneOfSome && { scopeId }) }];
  });
}
