// Models whose last stream with a cache mark has cached the results of its tools, by organization. Each organization can have an
// upstream of its own.

/** Highest number of organizations with a model. Beyond it, the one that was added longest ago is forgotten. */
const MAX_ENTRIES = 4_096;

export class CachedResults {
  readonly #names = new Set<string>();

  /** Notes a stream that cached its results, or did not. */
  note(organizationId: string, model: string, isCached: boolean): void {
    const name = `${organizationId}\n${model}`;
    if (!isCached) {
      this.#names.delete(name);
      return;
    }
    if (!this.#names.has(name) && this.#names.size >= MAX_ENTRIES) {
      const [oldest] = this.#names;
      if (oldest !== undefined) this.#names.delete(oldest);
    }
    this.#names.add(name);
  }

  has(organizationId: string, model: string): boolean {
    return this.#names.has(`${organizationId}\n${model}`);
  }
}
