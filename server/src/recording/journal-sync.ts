import type { JournalFile, JournalFiles } from "./journal-files.ts";

export interface JournalSyncOptions {
  files: JournalFiles;
  directory: string;
  /** A written record is on disk after this time at the latest, plus the disk's own. */
  everyMs: number;
  onSynced: () => void;
  onFailed: (error: unknown) => void;
}

interface Waiter {
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Syncs written segments to disk, off the request's path: one sync at a time serves all that was written before it. */
export class JournalSync {
  readonly #options: JournalSyncOptions;
  #dirty = new Set<JournalFile>();
  /** Full segments, closed after their last sync. */
  #retired = new Set<JournalFile>();
  #isDirectoryDirty: boolean = false;
  #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  constructor(options: JournalSyncOptions) {
    this.#options = options;
  }

  written(file: JournalFile): void {
    this.#dirty.add(file);
    if (this.#timer === null && this.#running === null) this.#arm();
  }

  created(): void {
    this.#isDirectoryDirty = true;
  }

  retire(file: JournalFile): void {
    this.#retired.add(file);
    this.written(file);
  }

  /** Resolves once everything that was written before this call is on disk; rejects when that sync failed. */
  synced(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#running === null) this.#start();
    });
  }

  /** The last sync: afterwards nothing runs and retired files are closed. Failures were reported by `onFailed`. */
  async stop(): Promise<void> {
    while (this.#running !== null || this.#dirty.size > 0) {
      if (this.#running === null) this.#start();
      await this.#running;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#start(), this.#options.everyMs);
    this.#timer.unref();
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      if (this.#waiters.length > 0) this.#start();
      else if (this.#dirty.size > 0 && this.#timer === null) this.#arm();
    });
  }

  async #run(): Promise<void> {
    const dirty = this.#dirty;
    const waiters = this.#waiters;
    const isDirectoryDirty = this.#isDirectoryDirty;
    this.#dirty = new Set();
    this.#waiters = [];
    this.#isDirectoryDirty = false;
    try {
      await Promise.all([...dirty].map((file) => file.sync()));
      if (isDirectoryDirty) await this.#options.files.syncDirectory(this.#options.directory);
      this.#options.onSynced();
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      // Not tried again on the same file: after a failed sync a kernel may report success without having written.
      this.#options.onFailed(error);
      for (const waiter of waiters) waiter.reject(error);
    } finally {
      for (const file of dirty) {
        // One that was written to while this sync ran has its last sync still to come.
        if (!this.#dirty.has(file) && this.#retired.delete(file)) this.#close(file);
      }
    }
  }

  #close(file: JournalFile): void {
    try {
      file.close();
    } catch (error) {
      this.#options.onFailed(error);
    }
  }
}
