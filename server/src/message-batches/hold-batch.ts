import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { describeIncreaseRequest } from "#src/domain/limit-message.ts";
import { formatUsd } from "#src/domain/money.ts";
import { makeStoppingError } from "#src/gateway/refuse.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import { placeDurableHold } from "#src/spend/ledger/durable-holds.sql.ts";
import type { HoldRefusal, StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { isLimitReached, toHoldError } from "#src/spend/ledger/refuse-hold.ts";
import { markHeld } from "./batches.sql.ts";

export interface HoldBatchDeps {
  database: Database;
  /** `BURSAR_HOLD_WAIT`, milliseconds. */
  holdWaitMs: number;
  publicUrl: () => string | null;
  /** Called for a batch that is refused because the limit is reached. Must not throw. */
  onLimitReached?: (limit: StrictLimit & Pick<SpendScope, "workspaceId">) => void;
}

export interface HoldingBatch {
  id: string;
  scope: SpendScope;
  startedAt: Date;
  lineCount: number;
  holdNanoUsd: bigint;
  bodyHash: string;
}

/** Time between two attempts, milliseconds. */
const RETRY_MS = 250;
/** Refusals that can end within seconds. */
const passing: ReadonlySet<HoldRefusal["reason"]> = new Set(["held", "uncounted", "node_awaited"]);

/** Holds the cost of a batch under all limits of its chain. Waits as a message does. Rejects with the refusal. */
export async function holdBatch(
  deps: HoldBatchDeps,
  batch: HoldingBatch,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + deps.holdWaitMs;
  for (;;) {
    const refusal = await tryToHold(deps.database, batch);
    if (refusal === null) return;
    if (!passing.has(refusal.reason) || performance.now() + RETRY_MS > until) {
      throw toRefusal(deps, batch, refusal);
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => {
      throw makeStoppingError();
    });
  }
}

function tryToHold(database: Database, batch: HoldingBatch): Promise<HoldRefusal | null> {
  const { id: holdId, scope, startedAt, holdNanoUsd: amountNanoUsd } = batch;
  const hold = { holdId, scope, startedAtMs: startedAt.getTime(), amountNanoUsd };
  return inTransaction(
    database,
    async (tx) => {
      const refusal = await placeDurableHold(tx, hold);
      // The recovery of another process took a body that arrived for too long.
      if (refusal === null && !(await markHeld(tx, batch))) throw makeStoppingError();
      return refusal;
    },
    { deadlockRetries: 3 },
  );
}

function toRefusal(deps: HoldBatchDeps, batch: HoldingBatch, refusal: HoldRefusal): Error {
  const { lineCount, holdNanoUsd, scope } = batch;
  if (refusal.limit !== null && isLimitReached(refusal, 0n)) {
    deps.onLimitReached?.({ ...refusal.limit, workspaceId: scope.workspaceId });
  }
  return toHoldError(refusal, {
    explain: () =>
      `The batch of ${lineCount} requests can cost up to $${formatUsd(holdNanoUsd)}, at half of the usual prices.`,
    explainIncrease: (limit) => describeIncreaseRequest(limit, deps.publicUrl()),
  });
}
