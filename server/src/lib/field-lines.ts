import { checkField, checkValue, type HeaderFields } from "./header-fields.ts";

/**
 * Fields for a head that is to be written. Each line is valid: it was checked here, or a strict reader has read it. So no
 * writer of heads checks it again.
 */
export class FieldLines {
  #text = "";
  #hasLength = false;
  #hasDate = false;

  /** Creates the lines of a flat list of names in lower case and values. Throws as `checkField` does. */
  static fromList(list: readonly string[]): FieldLines {
    const lines = new FieldLines();
    for (let i = 0; i + 1 < list.length; i += 2) {
      const name = list[i] as string;
      const value = list[i + 1] as string;
      checkField(name, value);
      lines.add(name, value);
    }
    return lines;
  }

  /** The lines with their ends, latin1. */
  get text(): string {
    return this.#text;
  }

  /** True with `content-length`. */
  get hasLength(): boolean {
    return this.#hasLength;
  }

  /** True with `date`. */
  get hasDate(): boolean {
    return this.#hasDate;
  }

  /** Adds a field whose name is a text of this program, in lower case. Throws a TypeError for an invalid value. */
  add(name: string, value: string): void {
    checkValue(name, value);
    this.#text += `${name}: ${value}\r\n`;
    if (name === "date") this.#hasDate = true;
    else if (name === "content-length") this.#hasLength = true;
  }

  /** Adds lines that were made before. */
  addLines(lines: FieldLines): void {
    this.#text += lines.text;
    if (lines.hasDate) this.#hasDate = true;
    if (lines.hasLength) this.#hasLength = true;
  }

  /** Adds each field that `isAdded` accepts. Neighbours are added as one text, because each addition costs time. */
  addFields(fields: HeaderFields, isAdded: (index: number) => boolean): void {
    const { count } = fields;
    let added = 0;
    for (let i = 0; i <= count; i++) {
      if (i < count && isAdded(i)) {
        if (fields.isNamed(i, "date")) this.#hasDate = true;
        else if (fields.isNamed(i, "content-length")) this.#hasLength = true;
        continue;
      }
      if (added < i) this.#text += fields.linesOf(added, i);
      added = i + 1;
    }
  }

  /** Returns a flat list of names and values. */
  toList(): string[] {
    const list: string[] = [];
    for (const line of this.#text.split("\r\n").slice(0, -1)) {
      const nameEnd = line.indexOf(": ");
      list.push(line.slice(0, nameEnd), line.slice(nameEnd + 2));
    }
    return list;
  }
}
