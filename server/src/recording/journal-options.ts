import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeTurnEnd, type TurnEnd } from "#src/lib/turn-end.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";

export interface JournalOptions {
  directory: string;
  nodeId: string;
  clock: Clock;
  logger: Logger;
  /** End of turns of this process. */
  turnEnd?: TurnEnd;
  files?: JournalFiles;
  segmentBytes?: number;
  segmentMs?: number;
  syncEveryMs?: number;
  retainMs?: number;
  /** Cap of the journal, bytes. A request that could need more does not begin. */
  maxBytes?: number;
  /** Reserve on the disk for the ends of running requests, bytes. 0: none. */
  reserveBytes?: number;
  retryMs?: number;
  /** Time from a complete segment to its compression, milliseconds. */
  compressAfterMs?: number;
  /** The machine's boot. Records of one boot may be missing in the next. */
  bootId?: string | null;
  /** See `Journal.previousJournalId`. */
  previousJournalId?: string | null;
}

/** A start reads the newest segment: 50,000 requests take half a second. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Share of the cap, because a segment is deleted as a whole. */
const SEGMENT_SHARE = 1 / 8;
const HOUR_MS = 3_600_000;
const RETAIN_MS = 48 * HOUR_MS;
const SYNC_EVERY_MS = 50;
const RETRY_MS = 1_000;
const COMPRESS_AFTER_MS = 10_000;

export function withDefaults(options: JournalOptions): Required<JournalOptions> {
  return {
    turnEnd: makeTurnEnd(),
    files: nodeJournalFiles,
    segmentBytes: Math.min(SEGMENT_BYTES, (options.maxBytes ?? Infinity) * SEGMENT_SHARE),
    segmentMs: HOUR_MS,
    syncEveryMs: SYNC_EVERY_MS,
    retainMs: RETAIN_MS,
    retryMs: RETRY_MS,
    compressAfterMs: COMPRESS_AFTER_MS,
    maxBytes: Number.POSITIVE_INFINITY,
    reserveBytes: 0,
    previousJournalId: null,
    bootId: null,
    ...options,
  };
}
