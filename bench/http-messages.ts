// The part of HTTP/1.1 that both ends of the benchmark need. Node's own client and server cost several times as much
// as a lean proxy. On a machine with few cores they would dominate the result.

export interface MessageHead {
  /** `POST /v1/messages HTTP/1.1` or `HTTP/1.1 200 OK`. */
  startLine: string;
  /** False when the sender closes the connection after this message. */
  keepsConnection: boolean;
}

export interface MessageEvents {
  onHead(head: MessageHead): void;
  /** Handles a piece of the body without its framing. The bytes are valid during the call only. */
  onBody(piece: Buffer): void;
  onEnd(): void;
}

type Expecting = "head" | "sized body" | "chunk size" | "chunk" | "chunk end" | "trailer";

const MAX_HEAD_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const CRLF = "\r\n";

/**
 * Reads the messages of one connection from pieces of any size. Supports requests and responses with `content-length`
 * or chunks. A message with neither has no body, as requests do.
 */
export class MessageReader {
  readonly #events: MessageEvents;
  #expecting: Expecting = "head";
  /** Received bytes that are not read yet: at most an unfinished head or size line between two pieces. */
  #rest: Buffer = NOTHING;
  #bytesLeft = 0;

  constructor(events: MessageEvents) {
    this.#events = events;
  }

  /** Reads a piece. Throws on invalid framing, after which the connection is useless. */
  read(piece: Buffer): void {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (this.#step());
    // The caller may reuse the memory of the piece.
    if (this.#rest.length > 0) this.#rest = Buffer.from(this.#rest);
  }

  /** Performs one step. False when more bytes are needed. */
  #step(): boolean {
    switch (this.#expecting) {
      case "head":
        return this.#rest.length > 0 && this.#readHead();
      case "chunk size":
        return this.#readChunkSize();
      case "chunk":
      case "sized body":
        return this.#readBody();
      case "chunk end":
        return this.#readChunkEnd();
      case "trailer":
        return this.#readTrailer();
    }
  }

  #readHead(): boolean {
    const text = this.#takeUntil(CRLF + CRLF);
    if (text === null) return false;
    const headers = text.toLowerCase();
    const length = /\r\ncontent-length: *(\d+)/.exec(headers)?.[1];
    this.#bytesLeft = length === undefined ? 0 : Number.parseInt(length, 10);
    const isChunked = headers.includes("\r\ntransfer-encoding: chunked");
    this.#events.onHead({
      startLine: text.split(CRLF, 1)[0] ?? "",
      keepsConnection: !headers.includes("\r\nconnection: close"),
    });
    if (isChunked) this.#expecting = "chunk size";
    else if (this.#bytesLeft > 0) this.#expecting = "sized body";
    else this.#end();
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#takeUntil(CRLF);
    if (line === null) return false;
    this.#bytesLeft = Number.parseInt(line, 16);
    if (!(this.#bytesLeft >= 0)) throw new Error(`not a chunk size: ${line}`);
    this.#expecting = this.#bytesLeft === 0 ? "trailer" : "chunk";
    return true;
  }

  #readBody(): boolean {
    if (this.#rest.length === 0) return false;
    const piece = this.#rest.subarray(0, this.#bytesLeft);
    this.#rest = this.#rest.subarray(piece.length);
    this.#bytesLeft -= piece.length;
    this.#events.onBody(piece);
    if (this.#bytesLeft > 0) return false;
    if (this.#expecting === "chunk") this.#expecting = "chunk end";
    else this.#end();
    return true;
  }

  #readChunkEnd(): boolean {
    const line = this.#takeUntil(CRLF);
    if (line === null) return false;
    if (line !== "") throw new Error("a chunk is longer than its size says");
    this.#expecting = "chunk size";
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#takeUntil(CRLF);
    if (line === "") this.#end();
    return line !== null;
  }

  #end(): void {
    this.#expecting = "head";
    this.#events.onEnd();
  }

  /** Text before `end`. Null while incomplete. */
  #takeUntil(end: string): string | null {
    const at = this.#rest.indexOf(end);
    if (at < 0) {
      if (this.#rest.length > MAX_HEAD_BYTES) throw new Error("the head has no end");
      return null;
    }
    const text = this.#rest.toString("latin1", 0, at);
    this.#rest = this.#rest.subarray(at + end.length);
    return text;
  }
}
