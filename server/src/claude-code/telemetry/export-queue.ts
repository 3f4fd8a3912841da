/** Exports that wait in memory for their work, in order. The queue is bounded by bytes, and drops what does not fit. */
export class ExportQueue<Item> {
  readonly #options: ExportQueueOptions<Item>;
  #waiting: { item: Item; bytes: number }[] = [];
  #queuedBytes = 0;
  #running = 0;

  constructor(options: ExportQueueOptions<Item>) {
    this.#options = options;
  }

  /** Returns false for an item that does not fit. Never waits. */
  add(item: Item, bytes: number): boolean {
    if (this.#queuedBytes + bytes > this.#options.maxBytes) return false;
    this.#queuedBytes += bytes;
    this.#waiting.push({ item, bytes });
    this.#startNext();
    return true;
  }

  /** Drops all items that wait. */
  clear(): void {
    for (const { bytes } of this.#waiting) this.#queuedBytes -= bytes;
    this.#waiting = [];
  }

  #startNext(): void {
    while (this.#running < this.#options.maxRunning) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      void this.#options.run(next.item).then(() => {
        this.#running -= 1;
        this.#queuedBytes -= next.bytes;
        this.#startNext();
      });
    }
  }
}

interface ExportQueueOptions<Item> {
  /** Bytes of items that wait or run. */
  maxBytes: number;
  maxRunning: number;
  /** Never rejects. */
  run: (item: Item) => Promise<void>;
}
