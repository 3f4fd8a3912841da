import { setTimeout as delay } from "node:timers/promises";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import { makeSpendAlerts, type SpendAlerts } from "#src/alerts/firing/spend-participant.ts";
import type { Notifications } from "#src/db/notifications.ts";
import type { ModelLabels } from "#src/domain/model-labels.ts";
import type { Gateway } from "#src/gateway/handle-request.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";
import type { PriceBooks } from "#src/prices/price-book.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { FoldWorker } from "#src/recording/fold-worker.ts";
import type { Journal } from "#src/recording/journal-contract.ts";
import { Meter } from "#src/recording/meter.ts";
import { appendUsage } from "#src/recording/record-usage.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import { type Ledger, makeLedger, makeSpendFold } from "#src/spend/ledger/ledger.ts";
import { PersonSpend } from "#src/spend/ledger/person-spend.ts";
import { type JournalsOptions, openOwnJournal, startJournalRecovery } from "./journals.ts";

// Starts the accounting of requests and money: ledger, leases and meter of this process's journal. For a while, those
// of a journal without a writer run too.

export interface AccountingOptions extends Omit<JournalsOptions, "folder"> {
  /** Version of the program. */
  version: string;
  prices: PriceBooks;
  labels: ModelLabels;
  alerting: AlertingDeps;
  notifications?: Pick<Notifications, "subscribe" | "isListening">;
  /** Set when the gateway exists, so that new limits count its running requests. */
  runsOn: { gateway: Gateway | null };
}

interface AccountedNode {
  nodeId: string;
  ledger: Ledger;
  leases: LeaseSync;
  meter: Meter;
}

export interface Accounting extends AccountedNode {
  folds: FoldWorker;
  spendAlerts: SpendAlerts;
  personSpend: PersonSpend;
}

interface NodeOptions extends AccountingOptions {
  /** Counts the requests of all nodes. */
  folds: FoldWorker;
}

const SETTLE_AGAIN_MS = 1_000;
/** Time for the last fold of a node that stops. */
const STOP_WITHIN_MS = 2_000;

/** Opens this process's journal and continues it. Finishes other remaining journals. */
export async function startAccounting(
  options: AccountingOptions,
  parts: AsyncDisposableStack,
): Promise<Accounting> {
  const journals = { ...options, folder: options.storage.folder };
  const { storage, logger, nowMs, alerting, notifications } = options;
  const { database } = storage;
  const spendFold = makeSpendFold();
  const settled = () => spendFold.settled();
  const spendAlerts = makeSpendAlerts({ database, deps: { ...alerting, nowMs }, settled, logger });
  parts.defer(() => spendAlerts.stop());
  // Firings of the lost time are missing, and their thresholds are reached again.
  parts.defer(storage.incarnations.subscribe(() => spendAlerts.forget("anything")));
  const participants = [spendFold, spendAlerts.participant];
  const folds = new FoldWorker({
    database,
    participants,
    logger,
    ...(notifications && { notifications }),
  });
  parts.defer(() => folds.stop());
  const settle = (journal: Journal, signal: AbortSignal) =>
    settleJournal({ ...options, folds }, journal, signal);
  const own = await openOwnJournal(journals, settle);
  parts.defer(async () => {
    // After a failed start no other code closes the journal.
    await own.journal.close();
    await own.release();
  });
  const node = await startNode({ ...options, folds }, own.journal, parts);
  folds.start();
  const housekeeping = startJournalRecovery(journals, own.journal.nodeId, settle);
  parts.defer(() => housekeeping.stop());
  const { nodeId, ledger, leases } = node;
  const personSpend = new PersonSpend({
    database,
    nodeId,
    ledger,
    pending: leases.pending,
    databaseNowMs: nowMs,
    clock: systemClock,
  });
  return { ...node, folds, spendAlerts, personSpend };
}

/** Starts the journal's node and ends it cleanly. */
async function settleJournal(
  options: NodeOptions,
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
  { config, storage, logger, nowMs, prices, labels, runsOn, version, folds }: NodeOptions,
  journal: Journal,
  parts: AsyncDisposableStack,
): Promise<AccountedNode> {
  const { database, incarnations } = storage;
  const { nodeId } = journal;
  const leases = new LeaseSync({
    database,
    incarnations,
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
    fold: () => folds.fold(),
    lockFold,
  });
  const ledger = makeLedger({ database, nodeId, leases, databaseNowMs: nowMs, logger });
  const meter = new Meter({
    database,
    journal,
    participants: [
      appendUsage({ nodeId, encodeHoldCharges }),
      ledger.flushParticipant,
      folds.participant(nodeId, (foldedSeq) => ledger.markFolded(foldedSeq)),
    ],
    fold: () => folds.fold(),
    reportRollback: async (details) => {
      const seen = storage.incarnations.current;
      if (seen !== null) await storage.incarnations.reportRollback(database, { seen, details });
    },
    version,
    newInstallationId: newId("inst_", nowMs()),
    // These records have no usage, so an invented model name must not count towards the cap of names.
    labelOf: (organizationId, model) => labels.labelOf(model, prices.get(organizationId), false),
    clock: systemClock,
    logger,
    abandoned: storage.abandoned,
  });
  parts.defer(() => folds.forget(nodeId));
  await meter.start();
  // A node without requests also learns at once that its database lost records.
  const unsubscribe = storage.incarnations.subscribe(() => {
    meter.reenter().catch((error: unknown) => {
      logger.warn({ err: error }, "this node cannot enter its database yet: it tries again");
    });
  });
  parts.defer(unsubscribe);
  parts.defer(() => meter.stop());
  await ledger.start();
  parts.defer(() => ledger.stop());
  await leases.start();
  // After the last fold the node needs no lease.
  parts.defer(async () => {
    await meter.finish();
    await folds.foldWithin(STOP_WITHIN_MS);
    await leases.stop();
  });
  return { nodeId, ledger, leases, meter };
}
