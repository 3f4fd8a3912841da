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
import { type JournalsOptions, keepUnfinishedJournals, openOwnJournal } from "./journals.ts";

// What counts requests and money: the ledger, its leases and the meter, of this process's journal, and for a while of one
// that nobody else finishes.

export interface MoneyOptions extends Omit<JournalsOptions, "folder"> {
  /** Version of the program. */
  version: string;
  prices: PriceBooks;
  labels: ModelLabels;
  alerting: AlertingDeps;
  /** Set once there is one: limits that are made then count what it runs. */
  runsOn: { gateway: Gateway | null };
}

export interface Money {
  nodeId: string;
  ledger: Ledger;
  leases: LeaseSync;
  meter: Meter;
  spendAlerts: SpendAlerts;
}

const SETTLE_AGAIN_MS = 1_000;

/** Opens this process's journal and goes on from it; finishes those that were left over beside it. */
export async function startMoney(
  options: MoneyOptions,
  parts: AsyncDisposableStack,
): Promise<Money> {
  const journals = { ...options, folder: options.storage.folder };
  const settle = (journal: Journal, signal: AbortSignal) => settleJournal(options, journal, signal);
  const own = await openOwnJournal(journals, settle);
  parts.defer(async () => {
    // Where the start fails nobody else closes it.
    await own.journal.close();
    await own.release();
  });
  const money = await startNode(options, own.journal, parts);
  const housekeeping = keepUnfinishedJournals(journals, own.journal.nodeId, settle);
  parts.defer(() => housekeeping.stop());
  return money;
}

/** The start of the node that the journal is of, and its clean end. */
async function settleJournal(
  options: MoneyOptions,
  journal: Journal,
  signal: AbortSignal,
): Promise<boolean> {
  await using parts = new AsyncDisposableStack();
  // What this process runs is its own node's.
  const { meter } = await startNode({ ...options, runsOn: { gateway: null } }, journal, parts);
  while (!(await meter.flush())) {
    if (signal.aborted || meter.status().isFenced) return false;
    await delay(SETTLE_AGAIN_MS);
  }
  return true;
}

async function startNode(
  { config, storage, logger, nowMs, prices, labels, alerting, runsOn, version }: MoneyOptions,
  journal: Journal,
  parts: AsyncDisposableStack,
): Promise<Money> {
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
    holdRunning: (scopeIds) => runsOn.gateway?.holdUnheld(scopeIds) ?? [],
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
    // These records used nothing: an invented model name must not take a place among the reported ones.
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
  // With its last records flushed the node has nothing left to keep a lease for.
  parts.defer(async () => {
    await meter.finish();
    await leases.stop();
  });
  return { nodeId, ledger, leases, meter, spendAlerts };
}
