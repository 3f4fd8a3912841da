import type { Database } from "#src/db/pool.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { FLUSH_EVERY_MS } from "#src/recording/flush.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { openJournal } from "#src/recording/journal.ts";
import type { Journal } from "#src/recording/journal-contract.ts";
import type { Meter } from "#src/recording/meter.ts";
import { appendUsage } from "#src/recording/record-usage.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import type { LeaseSyncOptions } from "#src/spend/ledger/lease-sync-options.ts";
import { type Ledger, makeLedger } from "#src/spend/ledger/ledger.ts";
import { makeTestFolds } from "./folds.ts";
import { makeTestMeter } from "./meters.ts";

// Journal, meter, ledger and leases of one node, as `wiring.ts` builds them, on a test's database and folder.

export interface SpendNodeOptions extends Partial<LeaseSyncOptions> {
  database: Database;
  /** Folder of the journal. */
  directory: string;
  nodeId: string;
  /** Time between flushes, milliseconds. Default: that of a server. */
  flushEveryMs?: number;
  journal?: Journal;
}

export interface SpendNode {
  nodeId: string;
  meter: Meter;
  ledger: Ledger;
  leases: LeaseSync;
  /** Flushes and folds. True when nothing waits any more. */
  flush(): Promise<boolean>;
  stop(): Promise<void>;
}

const logger = makeLogger("silent");

/** Makes a `LeaseSync` with test defaults. Idle until started. */
export function makeTestLeases(
  options: Pick<LeaseSyncOptions, "database" | "nodeId"> & Partial<LeaseSyncOptions>,
): LeaseSync {
  return new LeaseSync({
    databaseNowMs: () => Date.now(),
    clock: systemClock,
    logger,
    ttlMs: 5_000,
    holdWaitMs: 400,
    unresolvedReleaseMs: 3_600_000,
    reenter: () => Promise.resolve(),
    acknowledgeJournalGap: () => undefined,
    holdRunning: () => [],
    journalSynced: () => Promise.resolve(),
    fold: () => makeTestFolds(options.database).fold(),
    lockFold,
    ...options,
  });
}

export async function startSpendNode(options: SpendNodeOptions): Promise<SpendNode> {
  const { database, directory, nodeId, flushEveryMs = FLUSH_EVERY_MS } = options;
  const databaseNowMs = options.databaseNowMs ?? (() => Date.now());
  const journal = options.journal ?? openJournal({ directory, nodeId, clock: systemClock, logger });
  const leases = makeTestLeases({
    ...options,
    databaseNowMs,
    reenter: () => meter.reenter(),
    acknowledgeJournalGap: () => meter.acknowledgeJournalGap(),
    journalSynced: () => journal.synced(),
  });
  const ledger = makeLedger({ database, nodeId, leases, databaseNowMs, logger });
  const folds = makeTestFolds(database);
  const meter = makeTestMeter({
    database,
    journal,
    participants: [
      appendUsage({ nodeId, encodeHoldCharges }),
      ledger.flushParticipant,
      folds.participant(nodeId, (foldedSeq) => ledger.markFolded(foldedSeq)),
    ],
    fold: () => folds.fold(),
    logger,
    flushEveryMs,
  });
  await meter.start();
  await ledger.start();
  await leases.start();
  folds.start();
  const flush = async () => {
    const isDone = await meter.flush();
    await folds.fold();
    return isDone;
  };
  return {
    nodeId,
    meter,
    ledger,
    leases,
    flush,
    stop: async () => {
      await flush();
      await folds.stop();
      await leases.stop();
      ledger.stop();
      await meter.stop();
    },
  };
}
