import { crc32 } from "node:zlib";

// Frames of AWS's event streams: length, headers, payload and checksums.

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const TEXT_HEADER = 7;

const chunkHeaders = toHeaders({
  ":event-type": "chunk",
  ":content-type": "application/json",
  ":message-type": "event",
});

/** Formats an official event. */
export function toChunkFrame(data: Buffer): Buffer {
  return toFrame(chunkHeaders, Buffer.from(`{"bytes":"${data.toString("base64")}"}`));
}

/** Formats an error that ends a stream. */
export function toExceptionFrame(exception: string, message: string): Buffer {
  const headers = toHeaders({
    ":exception-type": exception,
    ":content-type": "application/json",
    ":message-type": "exception",
  });
  return toFrame(headers, Buffer.from(JSON.stringify({ message })));
}

function toFrame(headers: Buffer, payload: Buffer): Buffer {
  const length = PRELUDE_BYTES + headers.length + payload.length + CHECKSUM_BYTES;
  const frame = Buffer.allocUnsafe(length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(headers.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  headers.copy(frame, PRELUDE_BYTES);
  payload.copy(frame, PRELUDE_BYTES + headers.length);
  const checksumAt = length - CHECKSUM_BYTES;
  frame.writeUInt32BE(crc32(frame.subarray(0, checksumAt)), checksumAt);
  return frame;
}

function toHeaders(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const head = Buffer.alloc(1);
      head.writeUInt8(name.length, 0);
      const valueHead = Buffer.alloc(3);
      valueHead.writeUInt8(TEXT_HEADER, 0);
      valueHead.writeUInt16BE(value.length, 1);
      return Buffer.concat([head, Buffer.from(name), valueHead, Buffer.from(value)]);
    }),
  );
}
