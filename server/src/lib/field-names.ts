import type { HeaderFields } from "./header-fields.ts";

/** Set of names of fields. Finds the name of a field without a text of its own. */
export class FieldNames {
  /** Names by their length. */
  readonly #names: (string[] | undefined)[] = [];
  readonly #starts: readonly string[];

  /** Both lists have texts in lower case. `starts`: the set also has each name that begins with one of these. */
  constructor(names: readonly string[], starts: readonly string[] = []) {
    for (const name of names) {
      const others = this.#names[name.length];
      if (others === undefined) this.#names[name.length] = [name];
      else others.push(name);
    }
    this.#starts = starts;
  }

  /** True if the set has the name of this field. */
  has(fields: HeaderFields, index: number): boolean {
    const names = this.#names[fields.nameLengthOf(index)];
    if (names !== undefined) {
      for (let i = 0; i < names.length; i++) {
        if (fields.isNamed(index, names[i] as string)) return true;
      }
    }
    for (let i = 0; i < this.#starts.length; i++) {
      if (fields.startsWith(index, this.#starts[i] as string)) return true;
    }
    return false;
  }
}
