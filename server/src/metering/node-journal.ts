import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { acquireProcessLock, type ProcessLock } from "#src/lib/process-lock.ts";
import { StartError } from "#src/lib/start-error.ts";
import { type Journal, openJournal } from "./journal.ts";
import { checkNodeId, nodeIdentity } from "./node-identity.ts";
import { openPostgresJournal } from "./postgres-journal.ts";
import { listOrdinals } from "./segments.ts";

// Which journal a process writes. On disk each process of a data folder has a folder of its own: `journal`, `journal-2`,
// … A folder is locked by who writes it: a process whose supervisor was killed may live a moment longer than that.

export interface OpenedJournal {
  journal: Journal;
  /** After the journal was closed. */
  release(): Promise<void>;
}

export interface NodeJournalOptions {
  /** The data folder. */
  folder: string;
  /** Which of the processes of this data folder: 1 is the first. */
  index: number;
  /** BURSAR_NODE_ID. */
  configuredId: string | null;
  makeId: (prefix: string) => string;
  clock: Clock;
  logger: Logger;
}

export interface RowJournalOptions extends Omit<NodeJournalOptions, "folder" | "clock"> {
  /** Ended by `release`. */
  database: Database;
  beatEveryMs: number;
  onLost: (how: "adopted" | "taken") => void;
}

const FOLDER = /^journal(?:-([1-9]\d{0,5}))?$/;
const LOCK_WITHIN_MS = 10_000;
const LOCK_RETRY_MS = 50;
const NODE_PREFIX = "node_";
const JOURNAL_PREFIX = "jrnl_";

/** The journal of a process on its disk. Throws StartError for another node's, or one that another process writes. */
export async function openDiskJournal(options: NodeJournalOptions): Promise<OpenedJournal> {
  const directory = join(options.folder, folderName(options.index));
  const lock = await lockWithin(directory, LOCK_WITHIN_MS);
  try {
    return openLocked(lock, { ...options, configuredId: nameOf(options) });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The journal of a process in the database. Without a configured id every start is a new node. */
export async function openRowJournal(options: RowJournalOptions): Promise<OpenedJournal> {
  const { database, makeId, logger, beatEveryMs, onLost } = options;
  const configured = nameOf(options);
  const journal = await openPostgresJournal({
    database,
    nodeId: configured === null ? makeId(NODE_PREFIX) : checkNodeId(configured),
    journalId: makeId(JOURNAL_PREFIX),
    logger,
    beatEveryMs,
    onLost,
  });
  return { journal, release: () => database.destroy() };
}

/** Indexes of the journals on disk that hold anything and that none of `processes` writes. */
export function listLeftJournals(folder: string, processes: number): number[] {
  if (!existsSync(folder)) return [];
  const indexes = readdirSync(folder).flatMap((name) => {
    const match = FOLDER.exec(name);
    return match === null ? [] : [Number(match[1] ?? 1)];
  });
  return indexes
    .filter((index) => index > processes && index !== 0)
    .filter((index) => listOrdinals(join(folder, folderName(index))).length > 0)
    .sort((a, b) => a - b);
}

/** A journal that was left over, under the name it has. Throws StartError while a process still writes it. */
export async function openLeftJournal(
  options: Omit<NodeJournalOptions, "configuredId">,
): Promise<OpenedJournal> {
  const lock = await acquireProcessLock(join(options.folder, folderName(options.index)));
  try {
    return openLocked(lock, { ...options, configuredId: null });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function openLocked(
  lock: ProcessLock,
  { configuredId, makeId, clock, logger }: NodeJournalOptions,
): OpenedJournal {
  const directory = lock.folder;
  const nodeId = nodeIdentity({ directory, configuredId, makeId: () => makeId(NODE_PREFIX) });
  const journal = openJournal({ directory, nodeId, clock, logger });
  return { journal, release: () => lock.release() };
}

function folderName(index: number): string {
  return index === 1 ? "journal" : `journal-${index}`;
}

function nameOf({ configuredId, index }: Pick<NodeJournalOptions, "configuredId" | "index">) {
  return configuredId === null || index === 1 ? configuredId : `${configuredId}-${index}`;
}

/** Whoever was killed is gone in a moment; who stays is a running process. */
async function lockWithin(directory: string, withinMs: number): Promise<ProcessLock> {
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    try {
      return await acquireProcessLock(directory);
    } catch (error) {
      if (!(error instanceof StartError) || waitedMs >= withinMs) throw error;
      await delay(LOCK_RETRY_MS);
    }
  }
}
