/** Names of which the first field counts, as in node:http. The values of other names are joined. */
const FIRST_COUNTS = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

const INVALID_NAME = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
/** Characters that no value has. A line end would begin another field, or another message. */
const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Throws a TypeError for a name or a value that would change the structure of a head. */
export function checkField(name: string, value: string): void {
  if (name === "" || INVALID_NAME.test(name)) throw new TypeError("invalid name of a header");
  checkValue(name, value);
}

/** Throws a TypeError for a value that would change the structure of a head. */
export function checkValue(name: string, value: string): void {
  if (INVALID_VALUE.test(value)) throw new TypeError(`invalid value of the header ${name}`);
}

/** Bytes between a name and its value, and at the end of a line. */
const SEPARATOR = ": ";
const LINE_END = "\r\n";

/**
 * Fields of one head in their order. All stay in one text, because texts and maps of single fields cost more than the look-ups
 * of a request.
 */
export class HeaderFields {
  /** Has a line `name: value` for each field, with the name in lower case. Other text can stand around the lines. */
  readonly #text: string;
  /** Start of each name and start of its value, in turn. Last: the end of the last line. */
  readonly #marks: readonly number[];

  constructor(text: string, marks: readonly number[]) {
    this.#text = text;
    this.#marks = marks;
  }

  /** Creates the fields of a flat list of names and trimmed values. Throws as `checkField` does. */
  static fromList(list: readonly string[]): HeaderFields {
    for (let i = 0; i + 1 < list.length; i += 2) {
      checkField(list[i] as string, list[i + 1] as string);
    }
    return HeaderFields.fromCheckedList(list);
  }

  /** Creates the fields of a list that a strict reader has read. */
  static fromCheckedList(list: readonly string[]): HeaderFields {
    const marks: number[] = [];
    let text = "";
    for (let i = 0; i + 1 < list.length; i += 2) {
      const name = (list[i] as string).toLowerCase();
      marks.push(text.length, text.length + name.length + SEPARATOR.length);
      text += name + SEPARATOR + (list[i + 1] as string) + LINE_END;
    }
    marks.push(text.length);
    return new HeaderFields(text, marks);
  }

  /** Number of fields. */
  get count(): number {
    return this.#marks.length >> 1;
  }

  /** Lines of neighbours with their ends, from one index to another, without the latter. */
  linesOf(from: number, to: number): string {
    return this.#text.substring(this.#marks[2 * from] as number, this.#marks[2 * to] as number);
  }

  nameLengthOf(index: number): number {
    const start = this.#marks[2 * index] as number;
    return (this.#marks[2 * index + 1] as number) - SEPARATOR.length - start;
  }

  nameOf(index: number): string {
    const start = this.#marks[2 * index] as number;
    return this.#text.substring(start, start + this.nameLengthOf(index));
  }

  valueOf(index: number): string {
    const end = this.#marks[2 * index + 2] as number;
    return this.#text.substring(this.#marks[2 * index + 1] as number, end - LINE_END.length);
  }

  /** True if a field has this name, which is in lower case. */
  isNamed(index: number, name: string): boolean {
    return this.nameLengthOf(index) === name.length && this.startsWith(index, name);
  }

  /** True if the name of a field begins with this text, which is in lower case. */
  startsWith(index: number, start: string): boolean {
    const text = this.#text;
    const at = this.#marks[2 * index] as number;
    const last = start.length - 1;
    // The first and the last letter rule out most of the names. `startsWith` of a text costs twice as much.
    if (text.charCodeAt(at) !== start.charCodeAt(0)) return false;
    if (text.charCodeAt(at + last) !== start.charCodeAt(last)) return false;
    return text.substring(at, at + last + 1) === start;
  }

  /**
   * Returns the value of a name in lower case, or undefined. Values of fields with the same name are joined or dropped by the
   * rules of node:http, and those of `set-cookie` are joined too.
   */
  find(name: Lowercase<string>): string | undefined {
    let found: string | undefined;
    for (let i = 0; i < this.count; i++) {
      if (!this.isNamed(i, name)) continue;
      if (found === undefined) found = this.valueOf(i);
      else if (!FIRST_COUNTS.has(name)) {
        found += (name === "cookie" ? "; " : ", ") + this.valueOf(i);
      }
    }
    return found;
  }

  /** Returns a flat list of names and values. */
  toList(): string[] {
    const list: string[] = [];
    for (let i = 0; i < this.count; i++) list.push(this.nameOf(i), this.valueOf(i));
    return list;
  }
}
