import { join } from "node:path";
import type { Config } from "#src/config.ts";
import type { Notifications } from "#src/db/notifications.ts";
import type { Storage } from "#src/db/storage.ts";
import type { ModelLabels } from "#src/domain/model-labels.ts";
import type { ObjectServer } from "#src/gateway/object-call.ts";
import type { ObjectReferences } from "#src/gateway/object-references.ts";
import { systemClock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { AcceptedBatches } from "#src/message-batches/accepted-batches.ts";
import { makeBatchWorker } from "#src/message-batches/batch-worker.ts";
import { makeBatchReader } from "#src/message-batches/read-answer.ts";
import { makeBatchServer } from "#src/message-batches/serve-batches.ts";
import type { PriceBooks } from "#src/prices/price-book.ts";
import type { FoldWorker } from "#src/recording/fold-worker.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import type { Ledger } from "#src/spend/ledger/ledger.ts";
import type { UpstreamChoice } from "#src/upstreams/upstream.ts";
import type { Accounting } from "./start-accounting.ts";

export interface BatchesOptions {
  config: Pick<Config, "holdWaitMs" | "upstreamIdleMs">;
  storage: Storage;
  prices: PriceBooks;
  labels: ModelLabels;
  ledger: Ledger;
  leases: LeaseSync;
  folds: FoldWorker;
  notifications: Pick<Notifications, "subscribe" | "isListening">;
  spendAlerts: Accounting["spendAlerts"];
  upstreams: UpstreamChoice;
  nodeId: string;
  /** Database clock for everything that belongs to a period, milliseconds since the epoch. */
  spendNowMs: () => number;
  publicUrl: () => string | null;
  /** Owners of the objects that requests name. */
  references: ObjectReferences;
  logger: Logger;
}

/** Starts to follow message batches, and returns the server of their calls. */
export function startBatches(
  options: BatchesOptions,
  parts: AsyncDisposableStack,
): Pick<ObjectServer, "serve"> {
  const { config, storage, upstreams, folds, logger, nodeId, spendNowMs } = options;
  const { prices, labels, ledger, leases, spendAlerts, publicUrl } = options;
  const { database } = storage;
  const folder = join(storage.folder, "message-batches");
  const stopping = new AbortController();
  const reading = { idleTimeoutMs: config.upstreamIdleMs, signal: stopping.signal };
  const worker = makeBatchWorker({
    database,
    prices,
    labels,
    fold: () => folds.fold(),
    references: options.references,
    readerOf: ({ organizationId, upstreamId }) => {
      const upstream = upstreams.find(organizationId, upstreamId);
      return upstream === null ? null : makeBatchReader(upstream, reading);
    },
    databaseNowMs: spendNowMs,
    nodeId,
    folder,
    clock: systemClock,
    logger,
    notifications: options.notifications,
    leases,
  });
  worker.start();
  parts.defer(() => {
    stopping.abort(new Error("this server stops"));
    return worker.stop();
  });
  const onFailover = (handler: () => void) => storage.incarnations.subscribe(handler);
  const accepted = new AcceptedBatches({ database, folder, onFailover, logger });
  parts.defer(() => accepted.stop());
  return makeBatchServer({
    accepted,
    database,
    holdWaitMs: config.holdWaitMs,
    publicUrl,
    onLimitReached: (limit) => spendAlerts.reportReachedLimit(limit),
    leases,
    references: options.references,
    ledger,
    prices,
    databaseNowMs: spendNowMs,
    nodeId,
    folder,
    logger,
    worker,
  });
}
