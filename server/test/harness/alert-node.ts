import { randomUUID } from "node:crypto";
import path from "node:path";
import { makeSpendAlerts, type SpendAlerts } from "#src/alerts/firing/spend-participant.ts";
import type { Database } from "#src/db/pool.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { foldAll } from "#src/recording/fold.ts";
import { openJournal } from "#src/recording/journal.ts";
import type { Meter } from "#src/recording/meter.ts";
import { appendUsage } from "#src/recording/record-usage.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { makeLedger, makeSpendFold } from "#src/spend/ledger/ledger.ts";
import type { AdminHarness } from "./admin.ts";
import { makeTestMeter } from "./meters.ts";
import { makeTestLeases } from "./spend-node.ts";

/** A node whose folds fire spend alerts. */
export interface AlertNode {
  meter: Meter;
  alerts: SpendAlerts;
  fold: () => Promise<void>;
  stop: () => Promise<void>;
}

interface AlertNodeOptions {
  h: AdminHarness;
  /** Folder of the journals. */
  directory: string;
  /** Database on which `fold` runs. */
  foldDatabase: Database;
}

const NEVER_MS = 2_000_000_000;

/** Starts a node that flushes and folds only on request. */
export async function startAlertNode({
  h,
  directory,
  foldDatabase,
}: AlertNodeOptions): Promise<AlertNode> {
  const { deps } = h;
  const { database } = deps;
  const nodeId = `node_${randomUUID()}`;
  const logger = makeLogger("silent");
  const databaseNowMs = () => h.clock.nowMs;
  const leases = makeTestLeases({ database, nodeId, databaseNowMs });
  const ledger = makeLedger({
    ...{ database, nodeId, leases, databaseNowMs, logger },
    refreshEveryMs: NEVER_MS,
  });
  const spendFold = makeSpendFold();
  const settled = () => spendFold.settled();
  const alerts = makeSpendAlerts({ database, deps, settled, logger });
  const participants = [spendFold, alerts.participant];
  const folder = path.join(directory, nodeId);
  const meter = makeTestMeter({
    database,
    journal: openJournal({ directory: folder, nodeId, clock: systemClock, logger }),
    participants: [appendUsage({ nodeId, encodeHoldCharges }), ledger.flushParticipant],
    fold: () => foldAll({ database, participants, logger }),
    logger,
  });
  await meter.start();
  await ledger.start();
  return {
    meter,
    alerts,
    fold: () => foldAll({ database: foldDatabase, participants, logger }),
    stop: async () => {
      await alerts.stop();
      ledger.stop();
      await meter.stop();
    },
  };
}
