import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, vi } from "vitest";
import type { BeginRecord } from "#src/domain/request-record.ts";
import type { Clock } from "#src/lib/clock.ts";
import { type Logger, makeLogger } from "#src/lib/logger.ts";
import { type DiskJournal, openJournal } from "#src/recording/journal.ts";
import { type JournalFiles, nodeJournalFiles } from "#src/recording/journal-files.ts";
import type { JournalOptions } from "#src/recording/journal-options.ts";
import { replayJournal, type UnflushedEnd } from "#src/recording/replay.ts";
import { SOME_TIME_MS } from "./request-records.ts";

interface Found {
  ends: UnflushedEnd[];
  openIds: string[];
  openBegins: readonly BeginRecord[];
  lastSeq: number;
}

/** A journal folder for each test, with its own clock and log. */
export interface JournalFolder {
  directory: string;
  /** Time of the clock, milliseconds since the epoch. */
  nowMs: number;
  logged: { level: number; msg: string }[];
  clock: Clock;
  logger: Logger;
  /** Reads the folder, and continues its journal. */
  open(
    options?: Partial<JournalOptions>,
    flushedSeq?: number,
  ): Promise<Found & { journal: DiskJournal }>;
  read(flushedSeq?: number): Promise<Found>;
  /** Names of the uncompressed segments. */
  segments(): string[];
  /** Path of the uncompressed segment at this position. */
  segmentFile(position: number): string;
  /** Messages of logged errors. */
  errors(): string[];
}

/** Ends are written at the end of a turn of the event loop. */
export const endTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function useJournalFolder(): JournalFolder {
  let opened: DiskJournal[] = [];

  async function read(flushedSeq = 0) {
    await endTurn();
    const ends: UnflushedEnd[] = [];
    const { state, openBegins, lastSeq } = await replayJournal({
      directory: folder.directory,
      nodeId: "node_1",
      logger: folder.logger,
      flushedSeq,
      onUnflushedEnd: (end) => ends.push(end),
    });
    const openIds = openBegins.map(({ requestId }) => requestId);
    return { ends, openIds, openBegins, lastSeq, state };
  }

  const segments = () =>
    fs.readdirSync(folder.directory).filter((name) => name.endsWith(".journal"));
  const folder: JournalFolder = {
    directory: "",
    nowMs: SOME_TIME_MS,
    logged: [],
    clock: { nowMs: () => folder.nowMs, monotonicMs: () => folder.nowMs },
    logger: makeLogger("debug", { write: (line) => folder.logged.push(JSON.parse(line)) }),
    async open(options = {}, flushedSeq = 0) {
      const found = await read(flushedSeq);
      const { directory, clock, logger } = folder;
      const journal = openJournal({ directory, nodeId: "node_1", clock, logger, ...options });
      journal.resume(found.state);
      opened.push(journal);
      return { ...found, journal };
    },
    read,
    segments,
    segmentFile: (position) => path.join(folder.directory, segments()[position] ?? ""),
    errors: () => folder.logged.filter(({ level }) => level >= 50).map(({ msg }) => msg),
  };

  beforeEach(() => {
    folder.directory = fs.mkdtempSync(path.join(tmpdir(), "bursar-journal-"));
    folder.nowMs = SOME_TIME_MS;
    folder.logged = [];
    opened = [];
  });

  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all(opened.map((journal) => journal.close()));
    fs.rmSync(folder.directory, { recursive: true, force: true });
  });
  return folder;
}

/** Files whose syncs the test ends, until it releases them. */
export function heldFiles() {
  const syncs: { finish: (error?: Error) => void }[] = [];
  let isHeld = true;
  const files: JournalFiles = {
    ...nodeJournalFiles,
    syncDirectory: () => Promise.resolve(),
    create: (file) => {
      const real = nodeJournalFiles.create(file);
      let isClosed = false;
      return {
        ...real,
        close: () => {
          isClosed = true;
          real.close();
        },
        sync: () =>
          new Promise<void>((resolve, reject) => {
            if (isClosed) reject(new Error("EBADF"));
            syncs.push({ finish: (error) => (error ? reject(error) : resolve()) });
            if (!isHeld) resolve();
          }),
      };
    },
  };
  const release = () => {
    isHeld = false;
    for (const sync of syncs) sync.finish();
  };
  return { files, syncs, release };
}
