import { crc32 } from "node:zlib";

// One record is one line: 8 hex digits of CRC-32, a space, a JSON object, a newline. The newline is last, so an incomplete
// line is no record.

const CRC_CHARS = 8;
const HEAD_BYTES = CRC_CHARS + 1;
const NEWLINE = 10;
const SPACE = 0x20;
/** Maximum length of a UTF-16 unit in UTF-8, bytes. */
const MAX_BYTES_PER_CHAR = 3;
const HEX_DIGITS = Buffer.from("0123456789abcdef", "latin1");
const START_BYTES = 64 * 1024;

/** Lines that are written together. The buffer is reused, because a journal writes one batch at a time. */
export class RecordLines {
  #buffer = Buffer.allocUnsafe(START_BYTES);
  #bytes = 0;

  get byteLength(): number {
    return this.#bytes;
  }

  add(json: string): void {
    const neededBytes = json.length * MAX_BYTES_PER_CHAR + HEAD_BYTES + 1;
    if (this.#bytes + neededBytes > this.#buffer.length) this.#grow(neededBytes);
    const start = this.#bytes + HEAD_BYTES;
    const end = start + this.#buffer.write(json, start, "utf8");
    const sum = crc32(this.#buffer.subarray(start, end));
    this.#writeSum(sum);
    this.#buffer[end] = NEWLINE;
    this.#bytes = end + 1;
  }

  /** Returns all lines, and empties the buffer. The result is valid until the next `add`. */
  take(): Buffer {
    const lines = this.#buffer.subarray(0, this.#bytes);
    this.#bytes = 0;
    return lines;
  }

  /** Writes the digits one by one. As a text they take 0.4 us instead of 0.01 us. */
  #writeSum(sum: number): void {
    let rest = sum;
    for (let at = this.#bytes + CRC_CHARS - 1; at >= this.#bytes; at--) {
      this.#buffer[at] = HEX_DIGITS[rest & 15] ?? 0;
      rest >>>= 4;
    }
    this.#buffer[this.#bytes + CRC_CHARS] = SPACE;
  }

  #grow(neededBytes: number): void {
    const grown = Buffer.allocUnsafe(2 * (this.#bytes + neededBytes));
    this.#buffer.copy(grown, 0, 0, this.#bytes);
    this.#buffer = grown;
  }
}

/** Returns the object of a line without its newline. Null: the line is damaged. */
export function decodeLine(line: Buffer): unknown {
  if (line.length <= HEAD_BYTES || line[CRC_CHARS] !== SPACE) return null;
  const body = line.subarray(HEAD_BYTES);
  if (line.toString("latin1", 0, CRC_CHARS) !== formatSum(crc32(body))) return null;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null; // By chance, one damaged line in 4,000 million has the right checksum.
  }
}

function formatSum(sum: number): string {
  return sum.toString(16).padStart(CRC_CHARS, "0");
}
