/** Characters of an id that choose its list. Ids end in random characters. */
const HASHED_CHARS = 6;
const START_LISTS = 64;

interface Entry<Item> {
  readonly id: string;
  readonly item: Item;
  /** Entries around this one, in the order of their addition. */
  before: Entry<Item> | null;
  after: Entry<Item> | null;
  /** Next entry of the same list. */
  next: Entry<Item> | null;
}

/**
 * Items by id, in the order of their addition. For items that live for one request: a `Map` internalizes each id, which is
 * a look-up in a table of all texts. The next table of a `Map` is allocated in the old generation, and the earlier one keeps its
 * items until a full collection. Ids must come from this program, because equal ends make long lists.
 */
export class IdTable<Item> {
  /** The number is a power of two, at least that of the items. */
  #lists: (Entry<Item> | null)[] = makeLists<Item>(START_LISTS);
  #first: Entry<Item> | null = null;
  #last: Entry<Item> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The oldest item, or undefined. */
  get first(): Item | undefined {
    return this.#first?.item;
  }

  has(id: string): boolean {
    return this.#find(id) !== null;
  }

  get(id: string): Item | undefined {
    return this.#find(id)?.item;
  }

  /** Adds an item at the end. The id must be new. */
  add(id: string, item: Item): void {
    if (this.#size >= this.#lists.length) this.#grow();
    const before = this.#last;
    const entry: Entry<Item> = { id, item, before, after: null, next: null };
    if (before === null) this.#first = entry;
    else before.after = entry;
    this.#last = entry;
    this.#size++;
    this.#addToList(entry);
  }

  /** Removes an item. Returns it, or undefined. */
  remove(id: string): Item | undefined {
    const at = this.#listOf(id);
    let previous: Entry<Item> | null = null;
    let entry = this.#lists[at] ?? null;
    while (entry !== null && entry.id !== id) {
      previous = entry;
      entry = entry.next;
    }
    if (entry === null) return undefined;
    if (previous === null) this.#lists[at] = entry.next;
    else previous.next = entry.next;
    this.#unlink(entry);
    return entry.item;
  }

  *values(): Generator<Item, void, undefined> {
    for (let entry = this.#first; entry !== null; entry = entry.after) yield entry.item;
  }

  #find(id: string): Entry<Item> | null {
    let entry = this.#lists[this.#listOf(id)] ?? null;
    while (entry !== null && entry.id !== id) entry = entry.next;
    return entry;
  }

  /** A removed entry refers to no other one, because it may stay in the old generation for minutes. */
  #unlink(entry: Entry<Item>): void {
    const { before, after } = entry;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    entry.before = null;
    entry.after = null;
    entry.next = null;
    this.#size--;
  }

  #addToList(entry: Entry<Item>): void {
    const at = this.#listOf(entry.id);
    entry.next = this.#lists[at] ?? null;
    this.#lists[at] = entry;
  }

  #grow(): void {
    this.#lists = makeLists(2 * this.#lists.length);
    for (let entry = this.#first; entry !== null; entry = entry.after) this.#addToList(entry);
  }

  #listOf(id: string): number {
    let hash = 0;
    for (let at = Math.max(0, id.length - HASHED_CHARS); at < id.length; at++) {
      hash = (hash * 31 + id.charCodeAt(at)) | 0;
    }
    return hash & (this.#lists.length - 1);
  }
}

function makeLists<Item>(count: number): (Entry<Item> | null)[] {
  return new Array<Entry<Item> | null>(count).fill(null);
}
