import type { Logger } from "#src/lib/logger.ts";
import { makeWriteBehind, type WriteBehind } from "#src/lib/write-behind.ts";

// Counts refused requests of each key by the minute. They are no usage, because nothing was sent. Counts are collected
// in memory and added to PostgreSQL every few seconds, for alerts. A killed node loses its last counts.

export interface RefusedKey {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
}

export interface RefusedRequests extends RefusedKey {
  /** Start of the minute, milliseconds since the epoch on the database's clock. */
  minuteMs: number;
  requests: number;
}

export interface KeyRefusals extends Omit<WriteBehind<RefusedRequests>, "add"> {
  /** Counts a refusal. Synchronous, never throws. */
  add(key: RefusedKey, atMs: number): void;
}

export interface KeyRefusalsOptions {
  /** The statement `addRefusals`. Adds a batch atomically. */
  save: (counts: readonly RefusedRequests[]) => Promise<void>;
  intervalMs?: number;
  /** Maximum number of waiting keys and minutes while the database is unavailable. More are not counted. */
  maxWaiting?: number;
  logger: Logger;
}

const INTERVAL_MS = 5_000;
const MAX_WAITING = 20_000;
const MINUTE_MS = 60_000;

export function makeKeyRefusals(options: KeyRefusalsOptions): KeyRefusals {
  const { save, logger, intervalMs = INTERVAL_MS, maxWaiting = MAX_WAITING } = options;
  const { add, flush, stop } = makeWriteBehind<RefusedRequests>({
    placeOf: ({ apiKeyId, minuteMs }) => `${apiKeyId}\n${minuteMs}`,
    merge: (known, { requests }) => ({ ...known, requests: known.requests + requests }),
    failure: "cannot count refused requests",
    ...{ save, intervalMs, maxWaiting, logger },
  });
  return {
    add: ({ organizationId, workspaceId, apiKeyId }, atMs) =>
      add({
        ...{ organizationId, workspaceId, apiKeyId, requests: 1 },
        minuteMs: Math.floor(atMs / MINUTE_MS) * MINUTE_MS,
      }),
    flush,
    stop,
  };
}
