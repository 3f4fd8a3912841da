import type { Database } from "#src/db/pool.ts";
import { systemClock } from "#src/lib/clock.ts";
import { PendingSpend } from "#src/spend/ledger/pending-spend.ts";
import { PersonSpend } from "#src/spend/ledger/person-spend.ts";

/** Spend of people without a node and without limits. */
export function makePersonSpend(database: Database, databaseNowMs: () => number): PersonSpend {
  return new PersonSpend({
    database,
    nodeId: "node_test",
    ledger: { listLimits: () => [] },
    pending: new PendingSpend(),
    databaseNowMs,
    clock: systemClock,
  });
}
