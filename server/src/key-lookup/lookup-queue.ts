import type { ApiError } from "#src/domain/api-error.ts";

/** A look-up that waits for its statement. */
export interface WaitingLookup<Asked, Found> {
  asked: Asked;
  resolve: (found: Found | null) => void;
  reject: (error: ApiError) => void;
}

export interface LookupQueueOptions<Asked, Found> {
  /** The statement for several look-ups. Results are in order. */
  lookup: (asked: readonly Asked[]) => Promise<(Found | null)[]>;
  /** Highest number of statements at the same time. */
  maxRunning: number;
  maxWaiting: number;
  /** Maximum wait for the start of the statement, milliseconds. */
  timeoutMs: number;
  /** Removes the look-ups of the next statement. */
  takeBatch: (waiting: WaitingLookup<Asked, Found>[]) => WaitingLookup<Asked, Found>[];
  makeUnavailableError: () => ApiError;
}

export interface LookupQueue<Asked, Found> {
  waiting: readonly WaitingLookup<Asked, Found>[];
  /** Rejects behind too many others, after too long a wait, and without the database. */
  find(asked: Asked): Promise<Found | null>;
}

/** Runs few statements at the same time, in order, each for as many waiting look-ups as `takeBatch` removes. */
export function makeLookupQueue<Asked, Found>(
  options: LookupQueueOptions<Asked, Found>,
): LookupQueue<Asked, Found> {
  const { lookup, maxRunning, maxWaiting, timeoutMs, takeBatch, makeUnavailableError } = options;
  const waiting: WaitingLookup<Asked, Found>[] = [];
  let running = 0;

  function startNext(): void {
    while (running < maxRunning && waiting.length > 0) {
      running++;
      void run(takeBatch(waiting));
    }
  }

  async function run(batch: readonly WaitingLookup<Asked, Found>[]): Promise<void> {
    try {
      const found = await lookup(batch.map(({ asked }) => asked));
      for (const [index, item] of batch.entries()) item.resolve(found[index] ?? null);
    } catch {
      // The database does not respond. Waiting look-ups fail now instead of after a timeout each.
      for (const item of [...batch, ...waiting.splice(0)]) item.reject(makeUnavailableError());
    } finally {
      running--;
      startNext();
    }
  }

  const find = (asked: Asked): Promise<Found | null> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) {
        reject(makeUnavailableError());
        return;
      }
      const timer = setTimeout(() => {
        const index = waiting.indexOf(item);
        if (index !== -1) waiting.splice(index, 1);
        item.reject(makeUnavailableError());
      }, timeoutMs);
      const item: WaitingLookup<Asked, Found> = {
        asked,
        resolve: (found) => {
          clearTimeout(timer);
          resolve(found);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      waiting.push(item);
      startNext();
    });

  return { waiting, find };
}
