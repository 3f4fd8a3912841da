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

// We ask upstream for no encoding. An answer that is encoded all the same is relayed as it is, and decoded in a copy.

/** More decoded bytes than that are no answer but a bomb: reading stops there. */
export const MAX_DECODED_BYTES = 256 * 1024 * 1024;
/** Encoded bytes that may wait for the decoder, which works on another thread, before reading stops. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export function isIdentity(contentEncoding: string | undefined): boolean {
  const name = contentEncoding?.trim().toLowerCase() ?? "";
  return name === "" || name === "identity";
}

/** Feeds `plain` with the decoded bytes of an answer. */
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
      seen ??= ended(decoder).then(() => ({
        ...plain.finish(),
        isAtEventBoundary: false,
        isReadable,
      }));
      return seen;
    },
  };
}

/** Settles when the decoder has given all it had, also after an error: `close` always comes. */
function ended(decoder: Transform | null): Promise<void> {
  if (decoder === null || decoder.closed) return Promise.resolve();
  return new Promise((resolve) => {
    decoder.once("close", resolve);
    decoder.end();
  });
}

/** null for an encoding that is not known. An input that is cut is decoded as far as it goes. */
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
