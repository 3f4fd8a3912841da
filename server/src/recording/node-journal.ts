import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { acquireProcessLock, type ProcessLock } from "#src/lib/process-lock.ts";
import { StartError } from "#src/lib/start-error.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import { openJournal } from "./journal.ts";
import type { Journal } from "./journal-contract.ts";
import { checkNodeId, findNodeId, nodeIdentity } from "./node-identity.ts";
import { openPostgresJournal } from "./postgres-journal.ts";
import { listOrdinals } from "./segments.ts";

// Opens the journal of a process. On disk each process of a data folder has its own folder: `journal`, `journal-2` and so
// on. The writer locks its folder, because a process can live a moment longer than its killed supervisor.

export interface OpenedJournal {
  journal: Journal;
  /** Releases the lock or the connections. Call it after the journal is closed. */
  release(): Promise<void>;
}

export interface DiskJournalOptions {
  /** The data folder. */
  folder: string;
  /** Number of the process in this data folder. The first is 1. */
  index: number;
  /** BURSAR_NODE_ID. */
  configuredId: string | null;
  makeId: (prefix: string) => string;
  clock: Clock;
  logger: Logger;
  /** Absent: the journal has its own. */
  turnEnd?: TurnEnd;
  previousJournalId?: string;
  /** Cap of this journal, bytes. */
  maxBytes: number;
}

export interface RowJournalOptions {
  /** Null: a new node id is created. */
  nodeId: string | null;
  previousJournalId?: string;
  makeId: (prefix: string) => string;
  /** `release` closes its connections. */
  database: Database;
  heartbeatIntervalMs: number;
  onLost: (how: "adopted" | "taken") => void;
  logger: Logger;
}

const FOLDER = /^journal(?:-([1-9]\d{0,5}))?$/;
/** Space for the ends of more than 10,000 running requests. */
const RESERVE_BYTES = 16 * 1024 * 1024;
const LOCK_WITHIN_MS = 10_000;
const LOCK_RETRY_MS = 50;
const NODE_PREFIX = "node_";
const JOURNAL_PREFIX = "jrnl_";

/** Opens the journal of a process on disk. Throws a StartError if it is another node's, or if another process writes it. */
export async function openDiskJournal(options: DiskJournalOptions): Promise<OpenedJournal> {
  const lock = await acquireFolderLock(folderOf(options.folder, options.index), LOCK_WITHIN_MS);
  const configuredId = toProcessNodeId(options);
  return openLocked(lock, { ...options, configuredId, reserveBytes: RESERVE_BYTES });
}

/** Opens an unfinished journal with its stored node id. Throws a StartError while a process still writes it. */
export async function openUnfinishedJournal(options: DiskJournalOptions): Promise<OpenedJournal> {
  const lock = await acquireProcessLock(folderOf(options.folder, options.index));
  return openLocked(lock, { ...options, configuredId: null, reserveBytes: 0 });
}

/** Opens the journal of a process in the database. Throws a StartError for an invalid node id. */
export async function openRowJournal(options: RowJournalOptions): Promise<OpenedJournal> {
  const { database, makeId, nodeId } = options;
  const release = () => database.destroy();
  try {
    const journal = await openPostgresJournal({
      ...options,
      nodeId: nodeId === null ? makeId(NODE_PREFIX) : checkNodeId(nodeId),
      journalId: makeId(JOURNAL_PREFIX),
    });
    return { journal, release };
  } catch (error) {
    await release();
    throw error;
  }
}

export interface UnfinishedJournal {
  index: number;
  nodeId: string | null;
}

/** Lists the journals on disk that have segments, with or without a writer. */
export function listUnfinishedJournals(folder: string): UnfinishedJournal[] {
  if (!existsSync(folder)) return [];
  const indexes = readdirSync(folder).flatMap((name) => {
    const match = FOLDER.exec(name);
    return match === null ? [] : [Number(match[1] ?? 1)];
  });
  return indexes
    .sort((a, b) => a - b)
    .filter((index) => listOrdinals(folderOf(folder, index)).length > 0)
    .map((index) => ({ index, nodeId: findNodeId(folderOf(folder, index)) }));
}

/** Finds the index of a node's journal on disk, or null. */
export function findJournalIndex(folder: string, nodeId: string): number | null {
  return listUnfinishedJournals(folder).find((left) => left.nodeId === nodeId)?.index ?? null;
}

/** Configured node id of one of several processes: `gw`, `gw-2` and so on. Null: none is configured. */
export function toProcessNodeId(process: {
  configuredId: string | null;
  index: number;
}): string | null {
  const { configuredId, index } = process;
  return configuredId === null || index === 1 ? configuredId : `${configuredId}-${index}`;
}

async function openLocked(
  lock: ProcessLock,
  options: DiskJournalOptions & { reserveBytes: number },
): Promise<OpenedJournal> {
  const { configuredId, makeId, previousJournalId = null } = options;
  const { clock, logger, turnEnd, maxBytes, reserveBytes } = options;
  const directory = lock.folder;
  try {
    const nodeId = nodeIdentity({ directory, configuredId, makeId: () => makeId(NODE_PREFIX) });
    const journal = openJournal({
      directory,
      nodeId,
      clock,
      logger,
      previousJournalId,
      maxBytes,
      reserveBytes,
      ...(turnEnd && { turnEnd }),
    });
    return { journal, release: () => lock.release() };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function folderOf(folder: string, index: number): string {
  return join(folder, index === 1 ? "journal" : `journal-${index}`);
}

/** Acquires the lock, and waits for the end of a killed process. Throws a StartError while another process has it. */
async function acquireFolderLock(directory: string, withinMs: number): Promise<ProcessLock> {
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    try {
      return await acquireProcessLock(directory);
    } catch (error) {
      if (!(error instanceof StartError) || waitedMs >= withinMs) throw error;
      await delay(LOCK_RETRY_MS);
    }
  }
}
