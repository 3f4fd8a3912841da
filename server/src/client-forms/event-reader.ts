/** An event with more bytes ends the stream of the client. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const DATA = Buffer.from("data");

/**
 * Reads the data of an event stream (WHATWG HTML, "event stream"). Lines end in LF or CRLF, as all servers of the Claude API
 * write them. `push` returns the data of events that are complete. Throws a RangeError for an event that is too large.
 */
export class EventReader {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #data: Buffer[] = [];

  push(chunk: Buffer): Buffer[] {
    const events: Buffer[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LF, start);
      if (end === -1) break;
      this.#keep(chunk.subarray(start, end));
      this.#endLine(events);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return events;
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > MAX_EVENT_BYTES) throw new RangeError("an event of the stream is too large");
    this.#pieces.push(piece);
  }

  #endLine(events: Buffer[]): void {
    const whole = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#pieces = [];
    const line = whole?.at(-1) === CR ? whole.subarray(0, -1) : whole;
    if (line === undefined || line.length === 0) {
      if (this.#data.length > 0) events.push(joinLines(this.#data));
      this.#data = [];
      this.#bytes = 0;
      return;
    }
    if (line[DATA.length] !== COLON || !line.subarray(0, DATA.length).equals(DATA)) return;
    const valueStart = DATA.length + (line[DATA.length + 1] === SPACE ? 2 : 1);
    // A copy, because a later chunk can reuse the memory.
    this.#data.push(Buffer.from(line.subarray(valueStart)));
  }
}

function joinLines(lines: readonly Buffer[]): Buffer {
  const [first] = lines;
  if (lines.length === 1 && first !== undefined) return first;
  return Buffer.from(lines.map((line) => line.toString("utf8")).join("\n"));
}
