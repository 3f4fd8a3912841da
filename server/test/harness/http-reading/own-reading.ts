import { ChunkedReader } from "#src/http1/chunked-reader.ts";
import {
  type Framing,
  type HeadRead,
  readRequestHead,
  readResponseHead,
} from "#src/http1/read-head.ts";
import type { OwnReading, ReadMessage } from "./message-reading.ts";

const NOTHING = Buffer.alloc(0);

type Head = Omit<ReadMessage, "body" | "isComplete"> & { framing: Framing };

/** Reads requests from the pieces of one connection, as the socket path does. */
export function readOwnRequests(pieces: readonly Buffer[]): OwnReading {
  return readPieces(pieces, (bytes, start) =>
    mapHead(readRequestHead(bytes, start), ({ method, target, fields, ...rest }) => ({
      ...rest,
      fields: fields.toList(),
      start: `${method} ${target}`,
    })),
  );
}

/**
 * Reads the responses to requests with the given methods, one after another, from the pieces of one connection that then
 * ends. Interim responses are messages too.
 */
export function readOwnResponses(
  pieces: readonly Buffer[],
  methods: readonly string[],
): OwnReading {
  let finals = 0;
  return readPieces(
    pieces,
    (bytes, start) =>
      mapHead(
        readResponseHead(bytes, start, methods[finals] ?? "GET"),
        ({ status, fields, ...rest }) => {
          if (status >= 200) finals++;
          return { ...rest, fields: fields.toList(), start: String(status) };
        },
      ),
    () => finals === methods.length,
  );
}

function mapHead<From, To>(read: HeadRead<From>, map: (head: From) => To): HeadRead<To> {
  return read.kind === "head" ? { ...read, head: map(read.head) } : read;
}

function readPieces(
  pieces: readonly Buffer[],
  readHead: (bytes: Buffer, start: number) => HeadRead<Head>,
  isLast: () => boolean = () => false,
): OwnReading {
  const messages: ReadMessage[] = [];
  let rest: Buffer = NOTHING;
  let body: BodyReader | null = null;
  let begin = 0;
  const stop = (ending: OwnReading["ending"], refusal: string | null): OwnReading => {
    const unread = Buffer.concat(pieces).toString("latin1", begin);
    return { messages, refusal, ending, unread };
  };
  for (const piece of pieces) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (;;) {
      if (body !== null) {
        const used = body.read(rest);
        if (used === -2) return stop("invalid", "invalid body");
        rest = used === -1 ? NOTHING : rest.subarray(used);
        if (used === -1) break;
        begin += body.readBytes;
        const isKeptAlive = body.message.isKeptAlive === true;
        body = null;
        if (!isKeptAlive || isLast()) return stop("closed", null);
      }
      const read = readHead(rest, 0);
      if (read.kind === "partial") break;
      if (read.kind === "other") return stop("other", read.reason);
      rest = rest.subarray(read.length);
      begin += read.length;
      const { framing, ...head } = read.head;
      const message: ReadMessage = { ...head, body: "", isComplete: false };
      messages.push(message);
      body = new BodyReader(message, framing);
    }
  }
  if (!body?.endsWithConnection) return stop("partial", null);
  body.message.isComplete = true;
  return stop("closed", null);
}

/** Reads the body of one message. */
class BodyReader {
  readonly message: ReadMessage;
  /** Bytes of the body with its framing. */
  readBytes = 0;
  readonly #framing: Framing;
  readonly #chunks = new ChunkedReader();

  constructor(message: ReadMessage, framing: Framing) {
    this.message = message;
    this.#framing = framing;
  }

  get endsWithConnection(): boolean {
    return this.#framing.kind === "untilClose";
  }

  /** Returns the used bytes if the body ends, -1 if more are needed, or -2 if it is invalid. */
  read(bytes: Buffer): number {
    const used = this.#read(bytes);
    this.readBytes += used === -1 ? bytes.length : used;
    if (used >= 0) this.message.isComplete = true;
    return used;
  }

  #read(bytes: Buffer): number {
    const { message } = this;
    const add = (from: number, to: number): void => {
      message.body += bytes.toString("latin1", from, to);
    };
    switch (this.#framing.kind) {
      case "none":
        return 0;
      case "length": {
        const left = this.#framing.bytes - message.body.length;
        add(0, Math.min(left, bytes.length));
        return left <= bytes.length ? left : -1;
      }
      case "chunked":
        return this.#chunks.read(bytes, 0, add);
      case "untilClose":
        add(0, bytes.length);
        return -1;
    }
  }
}
