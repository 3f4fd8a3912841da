import { crc32 } from "node:zlib";

// Frames of `application/vnd.amazon.eventstream`, written from the definition of the format without a library:
// https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html

const STRING_HEADER = 7;
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;

/** Formats one frame with headers of texts. */
export function toFrame(
  headers: Readonly<Record<string, string>>,
  payload: Buffer | string,
): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => toHeader(name, value)));
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  prelude.writeUInt32BE(PRELUDE_BYTES + head.length + body.length + CHECKSUM_BYTES, 0);
  prelude.writeUInt32BE(head.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, head, body]);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32BE(crc32(message), 0);
  return Buffer.concat([message, checksum]);
}

function toHeader(name: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(3);
  length.writeUInt8(STRING_HEADER, 0);
  length.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), length, bytes]);
}

/** Formats the frame of one official event, with padding of a random length as Bedrock has it. */
export function toChunkFrame(json: string): Buffer {
  const padding = "abcdefghijklmnopqrstuvwxyz".slice(0, json.length % 26);
  return toFrame(
    { ":event-type": "chunk", ":content-type": "application/json", ":message-type": "event" },
    JSON.stringify({ bytes: Buffer.from(json).toString("base64"), p: padding }),
  );
}

/** Formats an exception inside a stream. */
export function toExceptionFrame(exception: string, message: string): Buffer {
  return toFrame(
    {
      ":exception-type": exception,
      ":content-type": "application/json",
      ":message-type": "exception",
    },
    JSON.stringify({ message }),
  );
}
