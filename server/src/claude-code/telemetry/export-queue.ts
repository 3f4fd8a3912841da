import { computeShare, OUTER_PART } from "#src/domain/fair-share.ts";

interface Waiting<Item> {
  item: Item;
  bytes: number;
}

/** Exports that wait in memory for their work. Members take turns, and each has a fair share of the bytes. */
export class ExportQueue<Item> {
  readonly #options: ExportQueueOptions<Item>;
  /** Exports of each member, in the order of the next turns. */
  readonly #waiting = new Map<string, Waiting<Item>[]>();
  /** Bytes of each member that wait or run. */
  readonly #bytes = new Map<string, number>();
  #queuedBytes = 0;
  #running = 0;

  constructor(options: ExportQueueOptions<Item>) {
    this.#options = options;
  }

  /** Returns false for an item that does not fit. Never waits. */
  add(item: Item, { memberId, bytes }: { memberId: string; bytes: number }): boolean {
    const own = this.#bytes.get(memberId) ?? 0;
    const share = computeShare(this.#options.maxBytes - this.#queuedBytes + own, OUTER_PART, 0);
    if (own + bytes > share) return false;
    this.#count(memberId, bytes);
    const waiting = this.#waiting.get(memberId);
    if (waiting === undefined) this.#waiting.set(memberId, [{ item, bytes }]);
    else waiting.push({ item, bytes });
    this.#startNext();
    return true;
  }

  /** Drops all items that wait. */
  clear(): void {
    for (const [memberId, waiting] of this.#waiting) {
      for (const { bytes } of waiting) this.#count(memberId, -bytes);
    }
    this.#waiting.clear();
  }

  #startNext(): void {
    while (this.#running < this.#options.maxRunning) {
      const [turn] = this.#waiting;
      if (turn === undefined) return;
      const [memberId, waiting] = turn;
      const next = waiting.shift();
      this.#waiting.delete(memberId);
      if (next === undefined) continue;
      if (waiting.length > 0) this.#waiting.set(memberId, waiting);
      this.#running += 1;
      void this.#options.run(next.item).then(() => {
        this.#running -= 1;
        this.#count(memberId, -next.bytes);
        this.#startNext();
      });
    }
  }

  #count(memberId: string, bytes: number): void {
    this.#queuedBytes += bytes;
    const own = (this.#bytes.get(memberId) ?? 0) + bytes;
    if (own === 0) this.#bytes.delete(memberId);
    else this.#bytes.set(memberId, own);
  }
}

interface ExportQueueOptions<Item> {
  /** Bytes of items that wait or run. */
  maxBytes: number;
  maxRunning: number;
  /** Never rejects. */
  run: (item: Item) => Promise<void>;
}
