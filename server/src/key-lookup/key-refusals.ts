import type { Logger } from "#src/lib/logger.ts";
import { makeWriteBehind, type WriteBehind } from "#src/lib/write-behind.ts";

// How many requests of each key were refused here, by the minute. They are no usage: nothing was sent. Counted in memory
// and added to PostgreSQL every few seconds, for alerts: a node that is killed loses its last counts.

export interface RefusedKey {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
}

export interface RefusedRequests extends RefusedKey {
  /** The begin of the minute, milliseconds since the epoch on the database's clock. */
  minuteMs: number;
  requests: number;
}

export interface KeyRefusals extends Omit<WriteBehind<RefusedRequests>, "add"> {
  /** Synchronous; never throws. */
  note(key: RefusedKey, atMs: number): void;
}

export interface KeyRefusalsOptions {
  /** The one statement: `addRefusals`. A batch is added whole or not at all. */
  save: (counts: readonly RefusedRequests[]) => Promise<void>;
  intervalMs?: number;
  /** Keys and minutes that can wait to be written, which is for as long as the database is away; more go uncounted. */
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
    failure: "refused requests cannot be counted",
    ...{ save, intervalMs, maxWaiting, logger },
  });
  return {
    note: ({ organizationId, workspaceId, apiKeyId }, atMs) =>
      add({
        ...{ organizationId, workspaceId, apiKeyId, requests: 1 },
        minuteMs: Math.floor(atMs / MINUTE_MS) * MINUTE_MS,
      }),
    flush,
    stop,
  };
}
