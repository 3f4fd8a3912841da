import type { ErrorDetails } from "@bursar/contract/error-body.ts";
import type { ErrorCode } from "@bursar/contract/errors.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeWriteBehind } from "#src/lib/write-behind.ts";

// Refused requests, collected in memory and written to PostgreSQL every few seconds: their counts, and the last ones of
// each key. They are no usage, because nothing was sent. A killed node loses its last seconds.

/** Subject of a refusal. Without a known key, the operator's organization and empty ids. */
export interface RefusedKey {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
}

/** A request that the gateway answered with an error. */
export interface Refusal extends RefusedKey {
  requestId: string;
  errorCode: ErrorCode;
  httpStatus: number;
  /** Name in reports. Empty: the body was not read. */
  model: string;
  /** Address of the client. Null: unknown. */
  address: string | null;
  /** Milliseconds since the epoch on the database's clock. */
  atMs: number;
  details: ErrorDetails;
}

/** Refusals of one key, cause, model and minute. */
export interface RefusalCount extends RefusedKey {
  errorCode: ErrorCode;
  model: string;
  /** Start of the minute, milliseconds since the epoch on the database's clock. */
  minuteMs: number;
  requests: number;
}

export interface RefusalRecorder {
  /** Counts a refusal, and keeps it as one of the last of its key. Synchronous, never throws. */
  record(refusal: Refusal): void;
  /** Writes all that is collected. Never rejects. */
  flush(): Promise<void>;
  /** Writes all that is collected for the last time. */
  stop(): Promise<void>;
}

export interface RefusalRecorderOptions {
  /** The statement `addRefusalCounts`. Adds a batch atomically. */
  saveCounts: (counts: readonly RefusalCount[]) => Promise<void>;
  /** The statement `saveRecentRefusals`. Repeating it changes nothing. */
  saveRecent: (refusals: readonly Refusal[]) => Promise<void>;
  intervalMs?: number;
  /** Maximum number of waiting counts while the database is unavailable. More are not counted. */
  maxCounts?: number;
  /** Maximum number of keys whose last refusals wait. Refusals of more keys are only counted. */
  maxKeys?: number;
  logger: Logger;
}

/** Stored refusals of each key. */
export const KEPT_PER_KEY = 100;

const INTERVAL_MS = 5_000;
const MAX_COUNTS = 20_000;
const MAX_KEYS = 500;
const MINUTE_MS = 60_000;
/** Refusals in one statement. */
const RECENT_BATCH = 2_000;

interface LastRefusals {
  place: string;
  /** In order of time, at most `KEPT_PER_KEY`. */
  refusals: Refusal[];
}

export function makeRefusalRecorder(options: RefusalRecorderOptions): RefusalRecorder {
  const { saveCounts, saveRecent, logger, intervalMs = INTERVAL_MS } = options;
  const counts = makeWriteBehind<RefusalCount>({
    placeOf: ({ apiKeyId, minuteMs, errorCode, model }) =>
      `${apiKeyId}\n${minuteMs}\n${errorCode}\n${model}`,
    merge: addCounts,
    save: saveCounts,
    failure: "cannot count refused requests",
    maxWaiting: options.maxCounts ?? MAX_COUNTS,
    ...{ intervalMs, logger },
  });
  const recent = makeWriteBehind<LastRefusals>({
    placeOf: ({ place }) => place,
    merge: keepLast,
    save: async (keys) => {
      const refusals = keys.flatMap((key) => key.refusals);
      for (let from = 0; from < refusals.length; from += RECENT_BATCH) {
        await saveRecent(refusals.slice(from, from + RECENT_BATCH));
      }
    },
    failure: "cannot write the last refused requests",
    maxWaiting: options.maxKeys ?? MAX_KEYS,
    ...{ intervalMs, logger },
  });
  return {
    record(refusal) {
      const { organizationId, workspaceId, apiKeyId, errorCode, model, atMs } = refusal;
      const minuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
      counts.add({
        ...{ organizationId, workspaceId, apiKeyId, errorCode, model, minuteMs },
        requests: 1,
      });
      recent.add({ place: apiKeyId, refusals: [refusal] });
    },
    flush: async () => {
      await Promise.all([counts.flush(), recent.flush()]);
    },
    stop: async () => {
      await Promise.all([counts.stop(), recent.stop()]);
    },
  };
}

function addCounts(known: RefusalCount, { requests }: RefusalCount): RefusalCount {
  known.requests += requests;
  return known;
}

/** Keeps the last refusals of both. A failed save adds older ones after newer ones. */
function keepLast(known: LastRefusals, { refusals: added }: LastRefusals): LastRefusals {
  const { refusals } = known;
  refusals.push(...added);
  if (added.length > 1) refusals.sort((a, b) => a.atMs - b.atMs);
  while (refusals.length > KEPT_PER_KEY) refusals.shift();
  return known;
}
