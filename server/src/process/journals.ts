import type { Config } from "#src/config.ts";
import { JOURNAL_CONNECTIONS } from "#src/db/pool-sizes.ts";
import type { Storage } from "#src/db/storage.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { StartError } from "#src/lib/start-error.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import { findWriter, type WriterRow } from "#src/recording/journal-rows.sql.ts";
import {
  type DiskJournalOptions,
  findJournalIndex,
  listUnfinishedJournals,
  type OpenedJournal,
  openDiskJournal,
  openRowJournal,
  openUnfinishedJournal,
  toProcessNodeId,
} from "#src/recording/node-journal.ts";
import { adoptPostgresJournal } from "#src/recording/postgres-journal.ts";
import {
  adoptDeadJournals,
  finishUnfinishedJournals,
  type Housekeeping,
  type SettleJournal,
  settleOpened,
} from "#src/recording/unfinished-journals.ts";

// Journals of this process: its own, by the configuration, and journals without a writer.

export interface JournalsOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
  /** The data folder, without links. */
  folder: string;
  /** Number of the process in this data folder. */
  index: number;
  nowMs: () => number;
  /** End of turns of this process. Absent: the journal has its own. */
  turnEnd?: TurnEnd;
  /** Called when the process cannot continue. */
  onFailure: (reason: string) => void;
}

/** Shorter than for other connections, because a begin waits on these. Longer than a pool keeps an idle connection. */
const SILENCE_MS = 12_000;
const MAX_BEAT_MS = 2_000;
/** A tenth of the silence after which a node counts as dead by default. */
const MAX_POLL_MS = 15_000;
/** Time that `LeaseSync` gives silent nodes beyond the TTL, as a part of it. */
const GRACE_SHARE = 0.25;
const ADOPTED =
  "This node was silent for longer than BURSAR_LEASE_TTL, and another node has finished its journal. Start it again.";

/**
 * Opens the journal. If this node has a journal of the other kind, that one is finished first, because only one can
 * continue. Throws StartError if another process writes it, or it belongs to another node.
 */
export async function openOwnJournal(
  options: JournalsOptions,
  settle: SettleJournal,
): Promise<OpenedJournal> {
  const { config, storage } = options;
  const disk = makeDiskOptions(options);
  if (config.journal === "disk") {
    const opened = await openDiskJournal(disk);
    const { nodeId } = opened.journal;
    if ((await findWriter(storage.database, nodeId)) === null) return opened;
    await opened.release();
    const previousJournalId = await finishJournal(await openRows(options, { nodeId }), settle);
    return openDiskJournal({ ...disk, previousJournalId });
  }
  const nodeId = toProcessNodeId(disk);
  const left = nodeId === null ? null : findJournalIndex(disk.folder, nodeId);
  if (nodeId === null || left === null) return openRows(options, { nodeId });
  // A journal on disk that an earlier start finished stays for a restore. The database then knows the journal in its rows.
  const writer = await findWriter(storage.database, nodeId);
  const previous = writer === null ? {} : { previousJournalId: writer.journalId };
  const opened = await openUnfinishedJournal({ ...disk, ...previous, index: left });
  return openRows(options, { nodeId, previousJournalId: await finishJournal(opened, settle) });
}

function makeDiskOptions(options: JournalsOptions): DiskJournalOptions {
  const { config, folder, index, logger, turnEnd } = options;
  const configuredId = config.nodeId ?? null;
  // The cap applies to the folder, and each of its journals has an equal part.
  const maxBytes = Math.floor(config.journalMaxBytes / config.processes);
  const makeId = makeIdFactory(options);
  const owned = { folder, index, configuredId, maxBytes, makeId, clock: systemClock, logger };
  return turnEnd === undefined ? owned : { ...owned, turnEnd };
}

function openRows(
  options: JournalsOptions,
  node: { nodeId: string | null; previousJournalId?: string },
): Promise<OpenedJournal> {
  const { storage, logger, onFailure } = options;
  return openRowJournal({
    ...node,
    makeId: makeIdFactory(options),
    database: storage.openPool(JOURNAL_CONNECTIONS, SILENCE_MS),
    logger,
    heartbeatIntervalMs: heartbeatIntervalMs(options),
    onLost: (how) => {
      if (how === "adopted") onFailure(ADOPTED);
    },
  });
}

/** Finishes a journal and returns its id. */
async function finishJournal(opened: OpenedJournal, settle: SettleJournal): Promise<string> {
  // Never aborted, because the node does not start before.
  const never = new AbortController().signal;
  const isDone = await settleOpened(opened, settle, never);
  if (isDone) return opened.journal.journalId;
  throw new StartError(
    "Another process uses this node's id. Set a different BURSAR_NODE_ID for each.",
  );
}

/** The first process finishes remaining folders. Every node adopts journals of dead nodes. */
export function startJournalRecovery(
  options: JournalsOptions,
  ownNodeId: string,
  settle: SettleJournal,
): Housekeeping {
  const { config, storage, logger, index } = options;
  const { leaseTtlMs } = config;
  const disk = makeDiskOptions(options);
  const subscribe = (handler: () => void) => storage.incarnations.subscribe(handler);
  const left = finishUnfinishedJournals({
    listIndexes: () => (index === 1 ? listUnfinished(options) : []),
    open: (of) => openUnfinishedJournal({ ...disk, index: of }),
    settle,
    subscribe,
    logger,
  });
  const dead = adoptDeadJournals({
    database: storage.database,
    ownNodeId,
    silentMs: leaseTtlMs * (1 + GRACE_SHARE),
    pollMs: Math.min(MAX_POLL_MS, leaseTtlMs / 8),
    adopt: (seen) => adoptRows(options, seen),
    settle,
    subscribe,
    clock: systemClock,
    logger,
  });
  return {
    stop: async () => {
      await Promise.all([left.stop(), dead.stop()]);
    },
  };
}

/** Folders that no process writes or finishes as its own. */
function listUnfinished({ config, folder }: JournalsOptions): number[] {
  const { processes, nodeId: configuredId = null } = config;
  const indexes = Array.from({ length: processes }, (_, at) => at + 1);
  const names = new Set(indexes.map((index) => toProcessNodeId({ configuredId, index })));
  return listUnfinishedJournals(folder)
    .filter(({ index }) => config.journal === "postgres" || index > processes)
    .filter(({ nodeId }) => nodeId === null || !names.has(nodeId))
    .map(({ index }) => index);
}

async function adoptRows(options: JournalsOptions, seen: WriterRow): Promise<OpenedJournal | null> {
  const database = options.storage.openPool(JOURNAL_CONNECTIONS, SILENCE_MS);
  const journal = await adoptPostgresJournal(
    {
      database,
      journalId: makeIdFactory(options)("jrnl_"),
      logger: options.logger,
      heartbeatIntervalMs: heartbeatIntervalMs(options),
    },
    seen,
  ).catch(async (error: unknown) => {
    await database.destroy();
    throw error;
  });
  if (journal !== null) return { journal, release: () => database.destroy() };
  await database.destroy();
  return null;
}

function heartbeatIntervalMs({ config }: JournalsOptions): number {
  return Math.min(MAX_BEAT_MS, config.leaseTtlMs / 4);
}

function makeIdFactory({ nowMs }: JournalsOptions): (prefix: string) => string {
  return (prefix) => newId(prefix, nowMs());
}
