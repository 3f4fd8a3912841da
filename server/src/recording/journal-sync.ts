import type { JournalFile, JournalFiles } from "./journal-files.ts";

export interface JournalSyncOptions {
  files: JournalFiles;
  directory: string;
  /** Maximum time before a sync of written records starts, milliseconds. */
  everyMs: number;
  onSynced: () => void;
  onFailed: (error: unknown) => void;
}

interface Waiter {
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Syncs written segments to disk in the background. One sync at a time serves all records before it. */
export class JournalSync {
  readonly #options: JournalSyncOptions;
  #dirty = new Set<JournalFile>();
  /** Complete segments, closed after their last sync. */
  readonly #retired = new Map<JournalFile, () => void>();
  /** Files with a failed sync. A later success on the same file proves nothing. */
  readonly #failed = new Set<JournalFile>();
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

  /** `onSynced` is called when the whole file is on the disk. */
  retire(file: JournalFile, onSynced: () => void): void {
    this.#retired.set(file, onSynced);
    this.written(file);
  }

  /** Resolves when all records that were written before this call are on disk. Rejects if that sync failed. */
  synced(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#running === null) this.#start();
    });
  }

  /** Syncs for the last time, and closes retired files. `onFailed` reports failures. */
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
      // A retry on the same file is useless: after a failed sync, a kernel can report success without a write.
      for (const file of dirty) this.#failed.add(file);
      this.#options.onFailed(error);
      for (const waiter of waiters) waiter.reject(error);
    } finally {
      for (const file of dirty) {
        // A file that was written during this sync needs another one.
        const onSynced = this.#retired.get(file);
        if (onSynced === undefined || this.#dirty.has(file)) continue;
        this.#retired.delete(file);
        this.#close(file);
        if (!this.#failed.delete(file)) onSynced();
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
