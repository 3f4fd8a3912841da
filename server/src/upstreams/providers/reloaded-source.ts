import { isDoneWithin } from "#src/lib/is-done-within.ts";

/** Longest wait for credentials, such as a token of the machine, milliseconds. */
export const LOAD_WITHIN_MS = 10_000;

interface ReloadedSource<Source, Args extends unknown[], Result> {
  /** Makes the source at its first use, because most servers have no such upstream. */
  make: () => Promise<Source>;
  use: (source: Source, ...args: Args) => Promise<Result>;
  /** Longest wait for a result, milliseconds. */
  withinMs?: number;
}

/**
 * Returns a function that uses a source of credentials. After a failure, or without an answer in time, the next call makes
 * the source again. So a source that never answers stops no later call.
 */
export function makeReloadedSource<Source, Args extends unknown[], Result>({
  make,
  use,
  withinMs = LOAD_WITHIN_MS,
}: ReloadedSource<Source, Args, Result>): (...args: Args) => Promise<Result> {
  let current: Promise<Source> | null = null;
  return async (...args) => {
    current ??= make();
    const used = current;
    try {
      const result = used.then((source) => use(source, ...args));
      if (!(await isDoneWithin(withinMs, result))) {
        throw new Error(`the source of the credentials did not answer in ${withinMs / 1000} s`);
      }
      return await result;
    } catch (error) {
      if (current === used) current = null;
      throw error;
    }
  };
}
