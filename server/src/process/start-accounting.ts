import { setTimeout as delay } from "node:timers/promises";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import { makeSpendAlerts, type SpendAlerts } from "#src/alerts/firing/spend-participant.ts";
import type { ModelLabels } from "#src/domain/model-labels.ts";
import type { Gateway } from "#src/gateway/handle-request.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";
import type { PriceBooks } from "#src/prices/price-book.ts";
import type { Journal } from "#src/recording/journal-contract.ts";
import { type Meter, makeMeter } from "#src/recording/meter.ts";
import { recordUsage } from "#src/recording/record-usage.ts";
import { type LeaseSync, makeLeaseSync } from "#src/spend/ledger/lease-sync.ts";
import { type Ledger, makeLedger } from "#src/spend/ledger/ledger.ts";
import { type JournalsOptions, openOwnJournal, startJournalRecovery } from "./journals.ts";

// Starts the accounting of requests and money: ledger, leases and meter of this process's journal. For a while, those
// of a journal without a writer run too.

export interface AccountingOptions extends Omit<JournalsOptions, "folder"> {
  /** Version of the program. */
  version: string;
  prices: PriceBooks;
  labels: ModelLabels;
  alerting: AlertingDeps;
  /** Set when the gateway exists, so that new limits count its running requests. */
  runsOn: { gateway: Gateway | null };
}

export interface Accounting {
  nodeId: string;
  ledger: Ledger;
  leases: LeaseSync;
  meter: Meter;
  spendAlerts: SpendAlerts;
}

const SETTLE_AGAIN_MS = 1_000;

/** Opens this process's journal and continues it. Finishes other remaining journals. */
export async function startAccounting(
  options: AccountingOptions,
  parts: AsyncDisposableStack,
): Promise<Accounting> {
  const journals = { ...options, folder: options.storage.folder };
  const settle = (journal: Journal, signal: AbortSignal) => settleJournal(options, journal, signal);
  const own = await openOwnJournal(journals, settle);
  parts.defer(async () => {
    // After a failed start no other code closes the journal.
    await own.journal.close();
    await own.release();
  });
  const money = await startNode(options, own.journal, parts);
  const housekeeping = startJournalRecovery(journals, own.journal.nodeId, settle);
  parts.defer(() => housekeeping.stop());
  return money;
}

/** Starts the journal's node and ends it cleanly. */
async function settleJournal(
  options: AccountingOptions,
  journal: Journal,
  signal: AbortSignal,
): Promise<boolean> {
  await using parts = new AsyncDisposableStack();
  // Running requests of this process belong to its own node.
  const { meter } = await startNode({ ...options, runsOn: { gateway: null } }, journal, parts);
  while (!(await meter.flush())) {
    if (signal.aborted || meter.status().isFenced) return false;
    await delay(SETTLE_AGAIN_MS);
  }
  return true;
}

async function startNode(
  { config, storage, logger, nowMs, prices, labels, alerting, runsOn, version }: AccountingOptions,
  journal: Journal,
  parts: AsyncDisposableStack,
): Promise<Accounting> {
  const { database } = storage;
  const { nodeId } = journal;
  const leases = makeLeaseSync({
    database,
    nodeId,
    databaseNowMs: nowMs,
    clock: systemClock,
    logger,
    ttlMs: config.leaseTtlMs,
    holdWaitMs: config.holdWaitMs,
    unresolvedReleaseMs: config.unresolvedReleaseMs,
    reenter: () => meter.reenter(),
    acknowledgeJournalGap: () => meter.acknowledgeJournalGap(),
    holdRunning: (scopeIds) => runsOn.gateway?.holdRunningRequests(scopeIds) ?? [],
    journalSynced: () => journal.synced(),
  });
  const ledger = makeLedger({ database, nodeId, leases, databaseNowMs: nowMs, logger });
  const spendAlerts = makeSpendAlerts({
    database,
    deps: { ...alerting, nowMs },
    settled: () => ledger.spendParticipant.settled(),
    logger,
  });
  parts.defer(() => spendAlerts.stop());
  const meter: Meter = makeMeter({
    database,
    journal,
    participants: [recordUsage(nodeId), ledger.spendParticipant, spendAlerts.participant],
    version,
    newInstallationId: newId("inst_", nowMs()),
    // These records have no usage, so an invented model name must not count towards the cap of names.
    labelOf: (organizationId, model) => labels.labelOf(model, prices.get(organizationId), false),
    clock: systemClock,
    logger,
    abandoned: storage.abandoned,
  });
  await meter.start();
  parts.defer(() => meter.stop());
  await ledger.start();
  parts.defer(() => ledger.stop());
  await leases.start();
  // After the last flush the node needs no lease.
  parts.defer(async () => {
    await meter.finish();
    await leases.stop();
  });
  return { nodeId, ledger, leases, meter, spendAlerts };
}
