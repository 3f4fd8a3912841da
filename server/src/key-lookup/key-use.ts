import type { Logger } from "#src/lib/logger.ts";
import { makeWriteBehind, type WriteBehind } from "#src/lib/write-behind.ts";

// Last use of each key: time, address and model. The time is that of the key's check, so it is never later than the end
// of its secret. Requests add a note in memory, and one statement writes all notes to PostgreSQL every few seconds. The
// data is for people, not for decisions about requests: a killed node loses its last notes.

/** Use of an API key. Each of its secrets has its own last use. */
export interface Use {
  secretId: number;
  /** Milliseconds since the epoch on the database's clock. */
  atMs: number;
  address: string | null;
  /** Null for a call without a model. */
  model: string | null;
}

export interface AdminKeyUse {
  adminKeyId: string;
  /** Milliseconds since the epoch on the database's clock. */
  atMs: number;
  address: string | null;
}

export interface UseBuffer<Noted> extends Omit<WriteBehind<Noted>, "add"> {
  /** Records a use. Never waits and never throws. */
  record(use: Noted): void;
}

export type KeyUse = UseBuffer<Use>;
export type AdminKeyUses = UseBuffer<AdminKeyUse>;

export interface UseBufferOptions<Noted> {
  /** The statement `saveUses` or `saveAdminKeyUses`. */
  save: (uses: readonly Noted[]) => Promise<void>;
  /** Time between two writes. Together with the write's duration it limits the delay of a use to a minute. */
  intervalMs?: number;
  /** Maximum number of waiting keys while the database is unavailable. More are not recorded. */
  maxWaiting?: number;
  logger: Logger;
}

const INTERVAL_MS = 15_000;
const MAX_WAITING = 50_000;

export type KeyUseOptions = UseBufferOptions<Use>;

export function makeKeyUse(options: KeyUseOptions): KeyUse {
  return makeUseBuffer(({ secretId }) => secretId, options);
}

export function makeAdminKeyUses(options: UseBufferOptions<AdminKeyUse>): AdminKeyUses {
  return makeUseBuffer(({ adminKeyId }) => adminKeyId, options);
}

function makeUseBuffer<Noted extends { atMs: number }>(
  placeOf: (use: Noted) => number | string,
  options: UseBufferOptions<Noted>,
): UseBuffer<Noted> {
  const { save, logger, intervalMs = INTERVAL_MS, maxWaiting = MAX_WAITING } = options;
  const { add, flush, stop } = makeWriteBehind<Noted>({
    merge: (known, use) => (use.atMs >= known.atMs ? use : known),
    failure: "cannot write the last use of keys",
    ...{ placeOf, save, intervalMs, maxWaiting, logger },
  });
  return { record: add, flush, stop };
}
