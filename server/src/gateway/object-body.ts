import { Readable } from "node:stream";
import { ApiError } from "#src/domain/api-error.ts";
import type { BodyReader, ClientCall } from "#src/http1/client-call.ts";
import type { BodyLimits } from "./read-body.ts";

/** Unread bytes of a body after which its client is paused. */
const BUFFERED_BYTES = 256 * 1024;
/** Delay of a timer by which a pause of this process is noticed, milliseconds. */
const LATE_MS = 2_000;
const MEGABYTE = 1024 * 1024;

/** Body of a request about an object. */
export interface RequestBody {
  /** Length, bytes. Null: unknown. */
  readonly bytes: number | null;
  /** Why its source ended before it was read. Null: it did not. */
  readonly error: Error | null;
  /** False: some of it was read, and is gone. */
  canOpen(): boolean;
  open(): Buffer | Readable;
}

interface ObjectBodyOptions {
  maxBytes: number;
  /** `totalMs` does not apply, because a body of 500 MB takes long. */
  limits: Pick<BodyLimits, "periodMs" | "leastBytes">;
}

/**
 * Returns the body of a request as a stream, which the client sends no faster than its reader takes it. The stream fails with
 * `request_too_large`, with `request_body_timeout`, or when the client leaves.
 */
export function openBody(call: ClientCall, { maxBytes, limits }: ObjectBodyOptions): Readable {
  const { periodMs, leastBytes } = limits;
  let receivedBytes = 0;
  let isReading = false;
  let period = { startMs: performance.now(), bytes: 0 };

  const body = new Readable({
    highWaterMark: BUFFERED_BYTES,
    read() {
      if (isReading) return;
      isReading = true;
      if (call.isBodyHeldBack) call.sendContinue();
      call.readBody(reader);
    },
    destroy(error, done) {
      clearInterval(timer);
      isReading = false;
      if (!body.readableEnded) call.pauseBody();
      done(error);
    },
  });
  // The body can fail before its reader begins. The reader gets the error later.
  body.on("error", () => undefined);
  const reader: BodyReader = {
    onData(chunk) {
      receivedBytes += chunk.length;
      period.bytes += chunk.length;
      if (receivedBytes > maxBytes) body.destroy(makeTooLargeError(maxBytes));
      else if (!body.push(chunk)) pause();
    },
    onEnd() {
      clearInterval(timer);
      body.push(null);
    },
    onGone: () => void body.destroy(makeGoneError()),
  };
  function pause(): void {
    isReading = false;
    call.pauseBody();
    // A client that waits for this server is not slow.
    period.bytes = leastBytes;
  }
  const timer = setInterval(() => {
    const nowMs = performance.now();
    // After a pause of this process, the bytes of the client are still unread.
    const isLate = nowMs - period.startMs > periodMs + LATE_MS;
    const isSlow = isReading && !isLate && period.bytes < leastBytes;
    period = { startMs: nowMs, bytes: 0 };
    if (isSlow) body.destroy(makeTooSlowError());
  }, periodMs);
  return body;
}

/** Body in memory. */
export function toKeptBody(body: Buffer): RequestBody {
  return { bytes: body.length, error: null, canOpen: () => true, open: () => body };
}

/** Body of a stream, which can be opened again until its first byte is read. */
export function toStreamedBody(body: Readable, bytes: number | null): RequestBody {
  let isRead = false;
  async function* read(): AsyncGenerator<Buffer> {
    isRead = true;
    yield* body as AsyncIterable<Buffer>;
  }
  return {
    bytes,
    get error() {
      return body.errored;
    },
    canOpen: () => !isRead,
    open: () => Readable.from(read()),
  };
}

/** Returns the declared length of a body, bytes. Null: none is declared. Throws as `checkBodyHeaders` does. */
export function readDeclaredLength(
  { fields }: Pick<ClientCall, "fields">,
  maxBytes: number,
): number | null {
  const encoding = fields.find("content-encoding");
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new ApiError(
      "request_body_encoding_unsupported",
      `content-encoding "${encoding}" is not supported for request bodies: send the body uncompressed.`,
    );
  }
  const declared = fields.find("content-length");
  if (declared === undefined) return fields.find("transfer-encoding") === undefined ? 0 : null;
  const bytes = Number(declared);
  if (bytes > maxBytes) throw makeTooLargeError(maxBytes);
  return bytes;
}

export function makeGoneError(): Error {
  return new Error("the client has left");
}

function makeTooLargeError(maxBytes: number): ApiError {
  return new ApiError(
    "request_too_large",
    `Request exceeds the maximum size of ${maxBytes / MEGABYTE} MB (${maxBytes} bytes).`,
  );
}

function makeTooSlowError(): ApiError {
  return new ApiError(
    "request_body_timeout",
    "The request body did not arrive in time: the connection was too slow or stalled.",
  );
}
