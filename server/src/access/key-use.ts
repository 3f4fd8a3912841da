import type { Logger } from "#src/lib/logger.ts";

// When and from where each key was used last, and for which model. Requests only leave a note in memory; what stands there
// goes into PostgreSQL in one statement every few seconds. It is for people who look at a key, not for decisions about
// requests: a node that is killed loses its last notes.

/** Of an API key: each of its secrets has a last use of its own. */
export interface Use {
  secretId: number;
  /** Milliseconds since the epoch on the database's clock. */
  atMs: number;
  address: string | null;
  /** Null for a call that names no model. */
  model: string | null;
}

export interface AdminKeyUse {
  adminKeyId: string;
  /** Milliseconds since the epoch on the database's clock. */
  atMs: number;
  address: string | null;
}

export interface UseNotes<Noted> {
  /** Never waits and never throws. Measured: 0.1 µs. */
  record(use: Noted): void;
  /** Writes what is noted; never rejects: what could not be written waits for the next time. */
  flush(): Promise<void>;
  /** Writes what is noted, for the last time. */
  stop(): Promise<void>;
}

export type KeyUse = UseNotes<Use>;
export type AdminKeyUses = UseNotes<AdminKeyUse>;

export interface UseNotesOptions<Noted> {
  /** The one statement: `saveUses`, `saveAdminKeyUses`. */
  save: (uses: readonly Noted[]) => Promise<void>;
  /** Between two writes. Together with the time of a write it bounds how late a use is seen: a minute. */
  intervalMs?: number;
  /** Keys that can wait to be written, which is for as long as the database is away; more go unnoted. */
  maxWaiting?: number;
  logger: Logger;
}

const INTERVAL_MS = 15_000;
const MAX_WAITING = 50_000;
const BATCH = 1_000;

export type KeyUseOptions = UseNotesOptions<Use>;

export function makeKeyUse(options: KeyUseOptions): KeyUse {
  return makeUseNotes(({ secretId }) => secretId, options);
}

export function makeAdminKeyUses(options: UseNotesOptions<AdminKeyUse>): AdminKeyUses {
  return makeUseNotes(({ adminKeyId }) => adminKeyId, options);
}

function makeUseNotes<Noted extends { atMs: number }>(
  keyOf: (use: Noted) => number | string,
  options: UseNotesOptions<Noted>,
): UseNotes<Noted> {
  const maxWaiting = options.maxWaiting ?? MAX_WAITING;
  let waiting = new Map<number | string, Noted>();
  let isAway = false;
  let running: Promise<void> | null = null;

  function record(use: Noted): void {
    const key = keyOf(use);
    const known = waiting.get(key);
    if (known === undefined) {
      if (waiting.size < maxWaiting) waiting.set(key, use);
    } else if (use.atMs >= known.atMs) waiting.set(key, use);
  }

  async function write(): Promise<void> {
    const uses = [...waiting.values()];
    waiting = new Map();
    for (let from = 0; from < uses.length; from += BATCH) {
      try {
        await options.save(uses.slice(from, from + BATCH));
        isAway = false;
      } catch (error) {
        if (!isAway) options.logger.warn({ err: error }, "the last use of keys cannot be written");
        isAway = true;
        for (const use of uses.slice(from)) record(use);
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
    record,
    flush,
    async stop() {
      clearInterval(timer);
      // One may be under way that began before the newest notes.
      await flush();
      if (waiting.size > 0 && !isAway) await flush();
    },
  };
}
