/** Numbers of requests by key. */
export class KeyCounts {
  readonly #counts = new Map<string, number>();

  /** True if at least one request counts for this key. */
  has(key: string): boolean {
    return this.#counts.has(key);
  }

  /** Counts a request for other keys than before. */
  replace(before: readonly string[], after: readonly string[]): void {
    if (haveSameKeys(before, after)) return;
    for (const key of before) this.#change(key, -1);
    for (const key of after) this.#change(key, 1);
  }

  #change(key: string, difference: 1 | -1): void {
    const count = (this.#counts.get(key) ?? 0) + difference;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}

function haveSameKeys(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((key, at) => key === others[at]);
}
