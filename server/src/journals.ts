import type { Config } from "./config.ts";
import type { Storage } from "./db/storage.ts";
import { systemClock } from "./lib/clock.ts";
import { newId } from "./lib/ids.ts";
import type { Logger } from "./lib/logger.ts";
import {
  listLeftJournals,
  type OpenedJournal,
  openDiskJournal,
  openLeftJournal,
  openRowJournal,
} from "./metering/node-journal.ts";
import { adoptPostgresJournal } from "./metering/postgres-journal.ts";
import {
  adoptDeadJournals,
  finishLeftJournals,
  type Housekeeping,
  type SettleJournal,
} from "./metering/unfinished-journals.ts";

// Which journals this process has to do with: its own, by the configuration, and those that nobody writes any more.

export interface JournalsOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
  /** The data folder, without links. */
  folder: string;
  /** Which of the processes of this data folder. */
  index: number;
  nowMs: () => number;
  /** The process cannot go on by itself. */
  onFailure: (reason: string) => void;
}

const POOL_SIZE = 2;
/** Shorter than for other connections: a begin waits on these. Longer than a pool keeps an idle connection. */
const SILENCE_MS = 12_000;
const MAX_BEAT_MS = 2_000;
const MAX_POLL_MS = 5_000;
/** What a lease keeper gives silent nodes, beyond the TTL. */
const GRACE_SHARE = 0.25;
const ADOPTED =
  "This node was not heard of for longer than BURSAR_LEASE_TTL, and another has finished its journal: start it again.";

/** Throws StartError when another process writes it, or it is another node's. */
export function openOwnJournal(options: JournalsOptions): Promise<OpenedJournal> {
  const { config, storage, logger, folder, index, onFailure } = options;
  const base = { index, configuredId: config.nodeId ?? null, makeId: idsOf(options), logger };
  if (config.journal === "disk") return openDiskJournal({ ...base, folder, clock: systemClock });
  return openRowJournal({
    ...base,
    database: storage.openPool(POOL_SIZE, SILENCE_MS),
    beatEveryMs: Math.min(MAX_BEAT_MS, config.leaseTtlMs / 4),
    onLost: (how) => {
      if (how === "adopted") onFailure(ADOPTED);
    },
  });
}

/** The first process looks after folders that were left over; every node looks after nodes that died. */
export function keepUnfinishedJournals(
  options: JournalsOptions,
  ownNodeId: string,
  settle: SettleJournal,
): Housekeeping {
  const { config, storage, logger, folder, index } = options;
  const { leaseTtlMs } = config;
  const makeId = idsOf(options);
  const used = config.journal === "disk" ? config.processes : 0;
  const left = finishLeftJournals({
    indexes: index === 1 ? listLeftJournals(folder, used) : [],
    open: (of) => openLeftJournal({ folder, index: of, makeId, clock: systemClock, logger }),
    settle,
    logger,
  });
  const dead = adoptDeadJournals({
    database: storage.database,
    ownNodeId,
    silentMs: leaseTtlMs * (1 + GRACE_SHARE),
    pollMs: Math.min(MAX_POLL_MS, leaseTtlMs / 8),
    adopt: async (seen) => {
      const database = storage.openPool(POOL_SIZE, SILENCE_MS);
      const beatEveryMs = Math.min(MAX_BEAT_MS, leaseTtlMs / 4);
      const taken = { database, journalId: makeId("jrnl_"), logger, beatEveryMs };
      const journal = await adoptPostgresJournal(taken, seen).catch(async (error: unknown) => {
        await database.destroy();
        throw error;
      });
      if (journal === null) await database.destroy();
      return journal && { journal, release: () => database.destroy() };
    },
    settle,
    clock: systemClock,
    logger,
  });
  return {
    stop: async () => {
      await Promise.all([left.stop(), dead.stop()]);
    },
  };
}

function idsOf({ nowMs }: JournalsOptions): (prefix: string) => string {
  return (prefix) => newId(prefix, nowMs());
}
