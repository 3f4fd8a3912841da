import { joinOwned } from "#src/lib/release-memory.ts";
import { ChunkedReader } from "./chunked-reader.ts";
import type { BodyReader } from "./client-call.ts";
import type { Framing } from "./read-head.ts";

/** Bytes of an unread body after which the connection is not read any further. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Connection of a body, which is not read while the body has no reader. */
export interface BodyConnection {
  pauseReading(): void;
  resumeReading(): void;
}

/** Body of one request, from its first byte to its last. */
export class RequestBody {
  readonly #connection: BodyConnection;
  readonly #chunked: ChunkedReader | null;
  /** Bytes of a body with a declared length that are still to come. */
  #left: number;
  #parts: Buffer[] = [];
  #unreadBytes = 0;
  #reader: BodyReader | null = null;
  #state: "arriving" | "complete" | "gone" = "arriving";
  #isDiscarded = false;

  constructor(connection: BodyConnection, framing: Framing) {
    this.#connection = connection;
    this.#chunked = framing.kind === "chunked" ? new ChunkedReader() : null;
    this.#left = framing.kind === "length" ? framing.bytes : 0;
    if (framing.kind === "none") this.#state = "complete";
  }

  get isComplete(): boolean {
    return this.#state === "complete";
  }

  /**
   * Takes bytes of the connection from `start`. Returns the position after the body, -1 for more, or -2 if invalid. After
   * the end, the caller copies later bytes and calls `reportEnd`.
   */
  feed(bytes: Buffer, start: number): number {
    if (this.#state !== "arriving") return start;
    const end =
      this.#chunked === null ? this.#feedLength(bytes, start) : this.#feedChunks(bytes, start);
    if (end >= 0) this.#state = "complete";
    return end;
  }

  /** Reports the end of a complete body. Its reader can then free the memory of the bytes. */
  reportEnd(): void {
    this.#endReader();
  }

  /** Returns the whole body if it has arrived and was not read. Null: `read` it. */
  takeWhole(): Buffer | null {
    if (this.#state !== "complete" || this.#reader !== null) return null;
    const parts = this.#parts;
    this.#parts = [];
    this.#unreadBytes = 0;
    return joinOwned(parts);
  }

  /** Reads from the current position. */
  read(reader: BodyReader): void {
    this.#reader = reader;
    const parts = this.#parts;
    this.#parts = [];
    this.#unreadBytes = 0;
    for (const part of parts) {
      // A reader can stop in the middle. The rest then waits for the next one.
      if (this.#reader === reader) reader.onData(part);
      else this.#keep(part);
    }
    if (this.#reader !== reader) return;
    if (this.#state === "arriving") this.#connection.resumeReading();
    else this.#endReader();
  }

  pause(): void {
    this.#reader = null;
  }

  /** Drops the rest of the body. */
  discard(): void {
    this.#reader = null;
    this.#isDiscarded = true;
    this.#parts = [];
    this.#connection.resumeReading();
  }

  /** Ends the body of a client that left. */
  markGone(): void {
    if (this.#state !== "arriving") return;
    this.#state = "gone";
    this.#endReader();
  }

  #feedLength(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#left);
    this.#left -= end - start;
    if (end > start) this.#deliver(slice(bytes, start, end));
    return this.#left === 0 ? end : -1;
  }

  #feedChunks(bytes: Buffer, start: number): number {
    const chunked = this.#chunked as ChunkedReader;
    return chunked.read(bytes, start, (from, to) => this.#deliver(slice(bytes, from, to)));
  }

  #deliver(part: Buffer): void {
    if (this.#isDiscarded) return;
    if (this.#reader !== null) this.#reader.onData(part);
    else this.#keep(part);
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#unreadBytes += part.length;
    if (this.#unreadBytes > MAX_UNREAD_BYTES) this.#connection.pauseReading();
  }

  #endReader(): void {
    const reader = this.#reader;
    this.#reader = null;
    if (this.#state === "complete") reader?.onEnd();
    else reader?.onGone();
  }
}

function slice(bytes: Buffer, from: number, to: number): Buffer {
  return from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
}
