import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { describeIncreaseRequest } from "#src/domain/limit-message.ts";
import { formatUsd } from "#src/domain/money.ts";
import { makeStoppingError } from "#src/gateway/refuse.ts";
import { type SpendScope, scopeIdsOf } from "#src/spend/ledger/charges.ts";
import { type DurableHold, placeDurableHold } from "#src/spend/ledger/durable-holds.sql.ts";
import type { HoldRefusal, StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import {
  findHighest,
  findOpenEndedHolds,
  type OpenEndedHolds,
  WORST_CASES,
} from "#src/spend/ledger/open-ended-holds.ts";
import { isLimitReached, toHoldError } from "#src/spend/ledger/refuse-hold.ts";
import { markWaiting } from "./agenda.sql.ts";
import { announceBatches, markHeld } from "./batches.sql.ts";
import type { StoredBody } from "./store-body.ts";

export interface HoldBatchDeps {
  database: Database;
  /** `BURSAR_HOLD_WAIT`, milliseconds. */
  holdWaitMs: number;
  publicUrl: () => string | null;
  leases: Pick<LeaseSync, "listLimits" | "returnFree">;
  /** Called for a batch that is refused because the limit is reached. Must not throw. */
  onLimitReached?: (limit: StrictLimit & Pick<SpendScope, "workspaceId">) => void;
}

export interface HoldingBatch {
  id: string;
  scope: SpendScope;
  startedAt: Date;
  stored: Pick<StoredBody, "lineCount" | "worstNanoUsd" | "openEndedNanoUsd" | "hash">;
}

/** Time for which nodes return budget, before a batch that still waits asks again, milliseconds. */
const ANNOUNCED_MS = 2_000;
/** Time between two attempts, milliseconds. */
const RETRY_MS = 250;
/** Refusals that can end within seconds. */
const passing: ReadonlySet<HoldRefusal["reason"]> = new Set(["held", "uncounted", "node_awaited"]);

/** Hold of a batch in all balances of its chain. */
export interface BatchHold {
  openEnded: OpenEndedHolds;
  hold: DurableHold;
}

/**
 * Holds the cost of a batch under all limits of its chain, and returns the hold. Waits as a message does. Rejects with the
 * refusal.
 */
export async function holdBatch(
  deps: HoldBatchDeps,
  batch: HoldingBatch,
  signal: AbortSignal,
): Promise<BatchHold> {
  const until = performance.now() + deps.holdWaitMs;
  let announcedUntil = Number.NEGATIVE_INFINITY;
  for (;;) {
    const found = findHold(deps, batch);
    const refusal = await tryToHold(deps, batch, found);
    if (refusal === null) return found;
    if (!passing.has(refusal.reason) || performance.now() + RETRY_MS > until) {
      throw toRefusal(deps, batch, refusal);
    }
    if (refusal.reason === "held" && announcedUntil < performance.now()) {
      announcedUntil = performance.now() + ANNOUNCED_MS;
      await requestBudget(deps, batch);
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => {
      throw makeStoppingError();
    });
  }
}

/** Lets all nodes return the free budget of the chain, for a bounded time. Running requests keep theirs. */
async function requestBudget(
  { database, leases }: HoldBatchDeps,
  { id, scope }: HoldingBatch,
): Promise<void> {
  const forMs = ANNOUNCED_MS + RETRY_MS;
  leases.returnFree(new Set(scopeIdsOf(scope)), forMs);
  await markWaiting(database, id, forMs);
  await announceBatches(database);
}

function findHold({ leases }: HoldBatchDeps, batch: HoldingBatch): BatchHold {
  const { id, scope, startedAt, stored } = batch;
  const limits = scopeIdsOf(scope).flatMap((scopeId) => leases.listLimits(scopeId));
  const openEnded = findOpenEndedHolds(limits);
  const amountNanoUsd = sumHolds(stored, openEnded.mostNanoUsd);
  const hold: DurableHold = { holdId: id, scope, startedAtMs: startedAt.getTime(), amountNanoUsd };
  if (openEnded !== WORST_CASES) {
    hold.amountOf = (key) => sumHolds(stored, findHighest(openEnded, key));
  }
  return { openEnded, hold };
}

function tryToHold(
  deps: HoldBatchDeps,
  { id, startedAt, stored }: HoldingBatch,
  { openEnded, hold }: BatchHold,
): Promise<HoldRefusal | null> {
  const { lineCount, hash: bodyHash } = stored;
  const { amountNanoUsd: holdNanoUsd } = hold;
  return inTransaction(
    deps.database,
    async (tx) => {
      const refusal = await placeDurableHold(tx, hold);
      const held = { id, startedAt, lineCount, holdNanoUsd, bodyHash, openEnded };
      // The recovery of another process took a body that arrived for too long.
      if (refusal === null && !(await markHeld(tx, held))) throw makeStoppingError();
      return refusal;
    },
    { deadlockRetries: 3 },
  );
}

/** Sums the holds of all requests where open-ended ones have a highest hold. */
function sumHolds(
  { worstNanoUsd, openEndedNanoUsd }: HoldingBatch["stored"],
  highestNanoUsd: bigint | null,
): bigint {
  if (highestNanoUsd === null) return worstNanoUsd;
  return openEndedNanoUsd.reduce(
    (sum, nanoUsd) => (nanoUsd > highestNanoUsd ? sum - nanoUsd + highestNanoUsd : sum),
    worstNanoUsd,
  );
}

function toRefusal(deps: HoldBatchDeps, batch: HoldingBatch, refusal: HoldRefusal): Error {
  const { stored, scope } = batch;
  if (refusal.limit !== null && isLimitReached(refusal, 0n)) {
    deps.onLimitReached?.({ ...refusal.limit, workspaceId: scope.workspaceId });
  }
  return toHoldError(refusal, {
    explain: () =>
      `The batch of ${stored.lineCount} requests can cost up to $${formatUsd(stored.worstNanoUsd)}, at half of the usual prices. Send it in parts, or with a smaller max_tokens.`,
    explainIncrease: (limit) => describeIncreaseRequest(limit, deps.publicUrl()),
  });
}
