import type { Socket } from "node:net";
import type { TurnEnd } from "#src/lib/turn-end.ts";

/** Up to this size, one copied buffer is cheaper than a write of several. */
const MAX_COPIED_BYTES = 16 * 1024;

/** Never changed. */
const NO_PARTS: Buffer[] = [];

/** Source of the bytes of an output. */
export interface OutputSource {
  /** Adds the last bytes of this turn, before they are written. */
  completeTurn(): void;
  /** The bytes of a turn are written, or the socket is closed. */
  onFlushed(): void;
}

/** Bytes for one socket. All bytes of one turn are written at its end, after the records of the turn. */
export class SocketOutput {
  readonly #socket: Socket;
  readonly #turnEnd: TurnEnd;
  readonly #source: OutputSource;
  /** Text in front of `#parts`, one byte a character. */
  #text = "";
  #parts: Buffer[] = NO_PARTS;
  #bytes = 0;
  #isScheduled = false;

  constructor(socket: Socket, turnEnd: TurnEnd, source: OutputSource) {
    this.#socket = socket;
    this.#turnEnd = turnEnd;
    this.#source = source;
  }

  /** Bytes that the kernel has not accepted yet. */
  get unsentBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  /** Adds text of Latin-1 characters. */
  pushText(text: string): void {
    if (this.#parts.length > 0) this.push(Buffer.from(text, "latin1"));
    else {
      this.#text += text;
      this.#bytes += text.length;
    }
  }

  push(part: Buffer): void {
    // A list of one takes a quarter of the memory of an empty list that grows, and most turns have one part.
    if (this.#parts.length === 0) this.#parts = [part];
    else this.#parts.push(part);
    this.#bytes += part.length;
  }

  /** Writes everything at the end of this turn. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#turnEnd.add("sockets", this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.#source.completeTurn();
    const text = this.#text;
    const parts = this.#parts;
    const bytes = this.#bytes;
    this.#text = "";
    this.#parts = NO_PARTS;
    this.#bytes = 0;
    if (bytes > 0 && !this.#socket.writableEnded && !this.#socket.destroyed) {
      writeAll(this.#socket, text, parts, bytes);
    }
    this.#source.onFlushed();
  };
}

function writeAll(socket: Socket, text: string, parts: readonly Buffer[], bytes: number): void {
  if (parts.length === 0) {
    socket.write(text, "latin1");
  } else if (text === "" && parts.length === 1) {
    socket.write(parts[0] as Buffer);
  } else if (bytes <= MAX_COPIED_BYTES) {
    socket.write(copyAll(text, parts, bytes));
  } else {
    socket.cork();
    if (text !== "") socket.write(text, "latin1");
    for (const part of parts) socket.write(part);
    socket.uncork();
  }
}

function copyAll(text: string, parts: readonly Buffer[], bytes: number): Buffer {
  const all = Buffer.allocUnsafe(bytes);
  let at = text === "" ? 0 : all.write(text, "latin1");
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
