export interface RepeatedWork {
  /** Resolves when the current run has ended. No other run follows. */
  stop(): Promise<void>;
}

/**
 * Runs `work` now, and then at each interval, in milliseconds. Runs follow one another. `work` gets a function that says
 * whether the work was stopped, to check between its steps. A failure goes to `onError`, and the next run tries again.
 */
export function startRepeatedWork(options: {
  everyMs: number;
  work: (isStopped: () => boolean) => Promise<void>;
  onError: (error: unknown) => void;
}): RepeatedWork {
  const { everyMs, work, onError } = options;
  let isStopped = false;
  const run = () => work(() => isStopped).catch(onError);
  let running = run();
  const timer = setInterval(() => {
    running = running.then(run);
  }, everyMs);
  timer.unref();
  return {
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
