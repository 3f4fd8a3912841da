import { SimulatedError } from "../simulated-error.ts";

// Splits the body of a batch into its requests, with one request in memory at a time.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const SPACE = 0x20;

/** Depth inside `{"requests": [`. */
const REQUESTS_DEPTH = 2;
const MAX_KEY_BYTES = 64;

interface SplitLimits {
  maxBytes: number;
  maxRequestBytes: number;
}

/** Bytes of each element of `requests`. Throws SimulatedError: 400 for another shape, 413 beyond the limits. */
export async function* splitRequests(
  chunks: AsyncIterable<Buffer>,
  { maxBytes, maxRequestBytes }: SplitLimits,
): AsyncGenerator<Buffer, void, undefined> {
  const scanner = new RequestScanner(maxRequestBytes);
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new SimulatedError(413, "Request exceeds the maximum size");
    yield* scanner.scan(chunk);
  }
  scanner.end();
}

/** Checks the nesting of the body. The caller parses each request. */
class RequestScanner {
  readonly #maxRequestBytes: number;
  readonly #open: number[] = [];
  #isInString = false;
  #isEscaped = false;
  /** Last string directly in the body's object: its key, once a colon follows. */
  #text = "";
  #key = "";
  #isInRequests = false;
  #hasRequests = false;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  constructor(maxRequestBytes: number) {
    this.#maxRequestBytes = maxRequestBytes;
  }

  *scan(chunk: Buffer): Generator<Buffer, void, undefined> {
    let start = this.#isCollecting() ? 0 : -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (this.#isInString) {
        this.#readInString(byte);
        continue;
      }
      const isBetween = this.#isInRequests && this.#open.length === REQUESTS_DEPTH;
      if (isBetween && (byte === COMMA || byte === CLOSE_ARRAY)) {
        if (start !== -1) yield this.#take(chunk.subarray(start, i));
        start = -1;
      } else if (isBetween && start === -1 && byte > SPACE) start = i;
      this.#readOutside(byte);
    }
    if (start !== -1) this.#keep(chunk.subarray(start));
  }

  end(): void {
    if (this.#open.length > 0 || this.#isInString) throw notJson();
    if (!this.#hasRequests) throw new SimulatedError(400, "requests: Field required");
  }

  #isCollecting(): boolean {
    return this.#pieceBytes > 0;
  }

  #readInString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInString = false;
    else if (this.#open.length === 1 && this.#text.length < MAX_KEY_BYTES) {
      this.#text += String.fromCharCode(byte);
    }
  }

  #readOutside(byte: number): void {
    const depth = this.#open.length;
    switch (byte) {
      case QUOTE:
        this.#isInString = true;
        if (depth === 1) this.#text = "";
        break;
      case COLON:
        if (depth === 1) this.#key = this.#text;
        break;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (depth === 0 && byte === OPEN_ARRAY) throw notAnObject();
        if (depth === 1 && this.#key === "requests") this.#enter(byte);
        this.#open.push(byte + 2); // In ASCII, both closing brackets are two after their opening ones.
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (this.#open.pop() !== byte) throw notJson();
        if (depth === REQUESTS_DEPTH) this.#isInRequests = false;
        break;
      default:
        if (depth === 0 && byte > SPACE) throw notJson();
    }
  }

  #enter(byte: number): void {
    if (byte !== OPEN_ARRAY)
      throw new SimulatedError(400, "requests: Input should be a valid list");
    if (this.#hasRequests) throw notJson();
    this.#hasRequests = true;
    this.#isInRequests = true;
  }

  #keep(piece: Buffer): void {
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes > this.#maxRequestBytes) {
      throw new SimulatedError(413, "A request of the batch exceeds the maximum size");
    }
    // A copy, because the chunk's memory is used again.
    this.#pieces.push(Buffer.from(piece));
  }

  #take(last: Buffer): Buffer {
    this.#keep(last);
    const request = Buffer.concat(this.#pieces, this.#pieceBytes);
    this.#pieces = [];
    this.#pieceBytes = 0;
    return request;
  }
}

function notJson(): SimulatedError {
  return new SimulatedError(400, "The request body is not valid JSON.");
}

function notAnObject(): SimulatedError {
  return new SimulatedError(400, "Input should be an object");
}
