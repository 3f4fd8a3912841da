/** Background work that is awaited only at the end. */
export interface Background {
  /** Starts the work at once. Its error goes to `onError`. */
  run(work: () => Promise<void>): void;
  /** Resolves when no work runs. */
  waitUntilIdle(): Promise<void>;
}

export function makeBackground(onError: (error: unknown) => void): Background {
  const running = new Set<Promise<void>>();
  return {
    run: (work) => {
      const task: Promise<void> = work()
        .catch(onError)
        .finally(() => running.delete(task));
      running.add(task);
    },
    waitUntilIdle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
