import type { Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import type { PlainReader, UsageReader, UsageSeen } from "./usage-seen.ts";

// The gateway asks the upstream for no encoding. An encoded response is still relayed unchanged, and a copy is decoded.

/** Highest number of decoded bytes. A response with more is an attack, and is not read further. */
export const MAX_DECODED_BYTES = 256 * 1024 * 1024;
/** Highest number of encoded bytes that wait for the decoder, which runs on another thread. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export function isIdentity(contentEncoding: string | undefined): boolean {
  const name = contentEncoding?.trim().toLowerCase() ?? "";
  return name === "" || name === "identity";
}

/** Makes a reader that passes the decoded bytes of a response to `plain`. */
export function decodeCopy(plain: PlainReader, contentEncoding: string | undefined): UsageReader {
  const encoding = contentEncoding?.trim().toLowerCase() ?? "";
  let decoder: Transform | null = null;
  let isReadable = true;
  let decodedBytes = 0;
  let seen: Promise<UsageSeen> | null = null;

  const stop = (): void => {
    isReadable = false;
    decoder?.destroy();
  };
  const start = (firstByte: number | undefined): Transform | null => {
    const made = makeDecoder(encoding, firstByte);
    made?.on("data", (chunk: Buffer) => {
      decodedBytes += chunk.length;
      if (decodedBytes > MAX_DECODED_BYTES) stop();
      else plain.push(chunk);
    });
    made?.on("error", stop);
    return made;
  };
  return {
    isAtEventBoundary: false,
    // The decoder runs on another thread, so that its state says nothing about the present.
    live: null,
    get hasMessageStart() {
      return plain.hasMessageStart;
    },
    push(chunk) {
      if (!isReadable || chunk.length === 0) return;
      decoder ??= start(chunk[0]);
      if (decoder === null || decoder.writableLength > MAX_WAITING_BYTES) stop();
      else decoder.write(chunk);
    },
    finish() {
      seen ??= waitForEnd(decoder).then(() => ({
        ...plain.finish(),
        isAtEventBoundary: false,
        isReadable,
      }));
      return seen;
    },
  };
}

/** Resolves when the decoder has passed on all bytes, also after an error, because `close` always follows. */
function waitForEnd(decoder: Transform | null): Promise<void> {
  if (decoder === null || decoder.closed) return Promise.resolve();
  return new Promise((resolve) => {
    decoder.once("close", resolve);
    decoder.end();
  });
}

/** Makes a decoder. Null: the encoding is unknown. An incomplete input is decoded as far as possible. */
function makeDecoder(encoding: string, firstByte: number | undefined): Transform | null {
  const finishFlush = constants.Z_SYNC_FLUSH;
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip({ finishFlush });
    case "deflate":
      // Some senders leave out the zlib header, whose low four bits are always 8.
      return ((firstByte ?? 0) & 0x0f) === 8
        ? createInflate({ finishFlush })
        : createInflateRaw({ finishFlush });
    case "br":
      return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
    case "zstd":
      return createZstdDecompress({ finishFlush: constants.ZSTD_e_flush });
    default:
      return null;
  }
}
