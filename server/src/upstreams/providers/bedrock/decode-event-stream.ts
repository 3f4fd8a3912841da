import type { ErrorType } from "@bursar/contract/errors.ts";
import type { EventStreamCodec } from "@smithy/eventstream-codec";
import { type AnswerTranslator, EVENT_STREAM_TYPE } from "../dialect.ts";
import { toErrorEvent } from "../translate-error.ts";

// Bedrock sends events in frames of AWS: length, headers, payload and checksums. The payload of a frame is a JSON object,
// whose `bytes` has an official event in base64.

/** Bytes of the length at the start of a frame. */
const LENGTH_BYTES = 4;
/** A frame without headers and payload has this length. */
const LEAST_FRAME_BYTES = 16;
/** Longest frame by AWS's definition of the format, with room for headers. */
const MAX_FRAME_BYTES = 24 * 1024 * 1024;

const errorTypes: Readonly<Record<string, ErrorType>> = {
  throttlingException: "rate_limit_error",
  serviceUnavailableException: "overloaded_error",
  modelTimeoutException: "timeout_error",
  validationException: "invalid_request_error",
};

/** Turns frames into the official events. */
export class EventStreamTranslator implements AnswerTranslator {
  readonly contentType = EVENT_STREAM_TYPE;
  readonly #codec: EventStreamCodec;
  /** Bytes of a frame that has not arrived to its end. */
  #rest: Buffer = Buffer.alloc(0);
  #wanted = 0;

  constructor(codec: EventStreamCodec) {
    this.#codec = codec;
  }

  push(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (bytes.length < this.#wanted) {
      this.#rest = bytes;
      return Buffer.alloc(0);
    }
    const events: Buffer[] = [];
    let at = 0;
    this.#wanted = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(at);
      if (length < LEAST_FRAME_BYTES || length > MAX_FRAME_BYTES) {
        throw new Error("the length of a frame is invalid");
      }
      if (bytes.length - at < length) {
        this.#wanted = length;
        break;
      }
      events.push(this.#toEvent(bytes.subarray(at, at + length)));
      at += length;
    }
    // A copy, because the memory of the chunk is used again.
    this.#rest = Buffer.from(bytes.subarray(at));
    return events.length === 1 ? (events[0] as Buffer) : Buffer.concat(events);
  }

  end(): Buffer {
    if (this.#rest.length > 0) throw new Error("the stream ended inside a frame");
    return Buffer.alloc(0);
  }

  #toEvent(frame: Buffer): Buffer {
    const { headers, body } = this.#codec.decode(frame);
    const kind = headers[":message-type"]?.value;
    const payload = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
    if (kind === "exception")
      return toException(String(headers[":exception-type"]?.value), payload);
    if (kind === "error") {
      return toErrorEvent("api_error", String(headers[":error-message"]?.value ?? payload));
    }
    const { bytes } = JSON.parse(payload) as { bytes?: unknown };
    return typeof bytes === "string" ? toEvent(Buffer.from(bytes, "base64")) : Buffer.alloc(0);
  }
}

function toException(exception: string, payload: string): Buffer {
  const { message } = JSON.parse(payload) as { message?: unknown };
  const type = errorTypes[exception] ?? "api_error";
  return toErrorEvent(type, typeof message === "string" ? message : exception);
}

/** Formats an official event. An object without a type keeps a connection open, and has no event. */
function toEvent(data: Buffer): Buffer {
  const text = data.toString("utf8");
  const { type } = JSON.parse(text) as { type?: unknown };
  if (typeof type !== "string") return Buffer.alloc(0);
  const line = /[\r\n]/.test(text) ? JSON.stringify(JSON.parse(text)) : text;
  return Buffer.from(`event: ${type}\ndata: ${line}\n\n`);
}
