import type { Logger } from "#src/lib/logger.ts";
import { makeWriteBehind, type WriteBehind } from "#src/lib/write-behind.ts";

// When and from where each key was used last, and for which model. A use has the time at which the key was checked, so that
// none is later than the end of its secret. Requests only leave a note in memory; what stands there
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

export interface UseNotes<Noted> extends Omit<WriteBehind<Noted>, "add"> {
  /** Never waits and never throws. */
  record(use: Noted): void;
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

export type KeyUseOptions = UseNotesOptions<Use>;

export function makeKeyUse(options: KeyUseOptions): KeyUse {
  return makeUseNotes(({ secretId }) => secretId, options);
}

export function makeAdminKeyUses(options: UseNotesOptions<AdminKeyUse>): AdminKeyUses {
  return makeUseNotes(({ adminKeyId }) => adminKeyId, options);
}

function makeUseNotes<Noted extends { atMs: number }>(
  placeOf: (use: Noted) => number | string,
  options: UseNotesOptions<Noted>,
): UseNotes<Noted> {
  const { save, logger, intervalMs = INTERVAL_MS, maxWaiting = MAX_WAITING } = options;
  const { add, flush, stop } = makeWriteBehind<Noted>({
    merge: (known, use) => (use.atMs >= known.atMs ? use : known),
    failure: "the last use of keys cannot be written",
    ...{ placeOf, save, intervalMs, maxWaiting, logger },
  });
  return { record: add, flush, stop };
}
