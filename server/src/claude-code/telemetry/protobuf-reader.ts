const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;
const MAX_VARINT_BYTES = 10;

/** Reads the fields of one protobuf message in place, one after the other. */
export class ProtobufReader {
  readonly #bytes: Buffer;
  number = 0;
  wireType = 0;
  /** Position of the current field with its tag. */
  start = 0;
  /** Position of its content. For a field without a length its end. */
  contentStart = 0;
  end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Moves to the next field. False: there is none. Throws an Error for bytes that are no protobuf. */
  next(): boolean {
    const { length } = this.#bytes;
    this.start = this.end;
    if (this.start === length) return false;
    const tag = this.#readVarint();
    this.number = Math.floor(tag / 8);
    this.wireType = tag % 8;
    this.#skipValue();
    if (this.end > length) throw new Error("a field is longer than its message");
    return true;
  }

  /** Content of the current field, without a copy. */
  content(): Buffer {
    return this.#bytes.subarray(this.contentStart, this.end);
  }

  #skipValue(): void {
    switch (this.wireType) {
      case VARINT:
        this.#readVarint();
        break;
      case FIXED_64:
        this.end += 8;
        break;
      case FIXED_32:
        this.end += 4;
        break;
      case BYTES: {
        const length = this.#readVarint();
        this.contentStart = this.end;
        this.end += length;
        return;
      }
      default:
        throw new Error("an unknown wire type");
    }
    this.contentStart = this.end;
  }

  /** Reads a number at `end`, and moves `end` behind it. */
  #readVarint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#bytes[this.end];
      if (byte === undefined) break;
      this.end += 1;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    throw new Error("a number does not end");
  }
}
