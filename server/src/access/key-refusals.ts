import type { Logger } from "#src/lib/logger.ts";

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

export interface KeyRefusals {
  /** Synchronous; never throws. */
  note(key: RefusedKey, atMs: number): void;
  /** Writes what is counted; never rejects: what could not be written waits for the next time. */
  flush(): Promise<void>;
  /** Writes what is counted, for the last time. */
  stop(): Promise<void>;
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
const BATCH = 1_000;
const MINUTE_MS = 60_000;

export function makeKeyRefusals(options: KeyRefusalsOptions): KeyRefusals {
  const maxWaiting = options.maxWaiting ?? MAX_WAITING;
  let waiting = new Map<string, RefusedRequests>();
  let isAway = false;
  let running: Promise<void> | null = null;

  function add(count: RefusedRequests): void {
    const place = `${count.apiKeyId}\n${count.minuteMs}`;
    const known = waiting.get(place);
    if (known !== undefined) known.requests += count.requests;
    else if (waiting.size < maxWaiting) waiting.set(place, count);
  }

  async function write(): Promise<void> {
    const counts = [...waiting.values()];
    waiting = new Map();
    for (let from = 0; from < counts.length; from += BATCH) {
      try {
        await options.save(counts.slice(from, from + BATCH));
        isAway = false;
      } catch (error) {
        if (!isAway) options.logger.warn({ err: error }, "refused requests cannot be counted");
        isAway = true;
        for (const count of counts.slice(from)) add(count);
        return;
      }
    }
  }

  function flush(): Promise<void> {
    running ??= write().finally(() => {
      running = null;
    });
    return running;
  }

  const timer = setInterval(() => void flush(), options.intervalMs ?? INTERVAL_MS);
  timer.unref();
  return {
    note: ({ organizationId, workspaceId, apiKeyId }, atMs) =>
      add({
        ...{ organizationId, workspaceId, apiKeyId, requests: 1 },
        minuteMs: Math.floor(atMs / MINUTE_MS) * MINUTE_MS,
      }),
    flush,
    async stop() {
      clearInterval(timer);
      // One may be under way that began before the newest counts.
      await flush();
      if (waiting.size > 0 && !isAway) await flush();
    },
  };
}
