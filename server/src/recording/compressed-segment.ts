import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { constants, crc32, zstdCompress, zstdDecompress } from "node:zlib";

// Format of a compressed segment: blocks of whole lines, and an end mark. A block is a Zstandard frame behind a skippable
// frame with its sizes. So `zstdcat` reads the file, a reader skips blocks, and damage costs the records of one block.
// docs/decisions/0054-compressed-segments.md explains the choices.

/** Part of a segment. `offset` is its place in the uncompressed segment. */
export type SegmentPart =
  | { kind: "bytes"; offset: number; bytes: Buffer }
  | { kind: "damaged"; offset: number; endOffset: number };

/** Sizes and place of a block, bytes. */
interface BlockHead {
  offset: number;
  rawBytes: number;
  /** 0: end of the segment. */
  frameBytes: number;
}

/** Magic number of a skippable frame, and the size of its content. */
const MAGIC = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 16, 0, 0, 0]);
/** With the offset, both sizes and a CRC-32 of these, each 4 bytes. */
const HEAD_BYTES = MAGIC.length + 16;
const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 10;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const compressOptions = {
  params: {
    [constants.ZSTD_c_compressionLevel]: 1,
    [constants.ZSTD_c_checksumFlag]: 1,
  },
};

/**
 * Yields the blocks of a compressed segment. Each one was decompressed and compared. The first block has only the first
 * line, so that a start reads the header of a segment at low cost.
 */
export async function* compressLines(segment: FileHandle): AsyncGenerator<Buffer> {
  let offset = 0;
  for await (const bytes of readLineBlocks(segment)) {
    const frame = await compress(bytes, compressOptions);
    if (!(await decompress(frame)).equals(bytes)) {
      throw new Error("a compressed block differs from its records");
    }
    yield Buffer.concat([
      makeHead({ offset, rawBytes: bytes.length, frameBytes: frame.length }),
      frame,
    ]);
    offset += bytes.length;
  }
  yield makeHead({ offset, rawBytes: 0, frameBytes: 0 });
}

/** Reads a compressed segment from an offset in the uncompressed segment. The offset is at the start of a line. */
export async function* readCompressed(
  segment: FileHandle,
  fromOffset: number,
): AsyncGenerator<SegmentPart> {
  const { size } = await segment.stat();
  let place = 0;
  let offset = 0;
  while (place < size) {
    const head = parseHead(await readAt(segment, place, HEAD_BYTES), 0);
    if (head === null) {
      place = await findHead(segment, place + 1, size);
      continue;
    }
    if (head.offset > offset) yield { kind: "damaged", offset, endOffset: head.offset };
    offset = head.offset + head.rawBytes;
    place += HEAD_BYTES + head.frameBytes;
    if (head.frameBytes === 0) return;
    if (offset <= fromOffset) continue;
    const frame = await readAt(segment, place - head.frameBytes, head.frameBytes);
    const bytes = await decompressBlock(frame, head.rawBytes);
    const skippedBytes = Math.max(fromOffset - head.offset, 0);
    yield bytes === null
      ? { kind: "damaged", offset: head.offset, endOffset: offset }
      : { kind: "bytes", offset: head.offset + skippedBytes, bytes: bytes.subarray(skippedBytes) };
  }
  // The end mark is missing.
  yield { kind: "damaged", offset, endOffset: offset };
}

/** Returns null for a damaged frame. */
async function decompressBlock(frame: Buffer, rawBytes: number): Promise<Buffer | null> {
  try {
    const bytes = await decompress(frame, { maxOutputLength: rawBytes });
    return bytes.length === rawBytes ? bytes : null;
  } catch {
    return null;
  }
}

/** Blocks end with a line. The last one can end with an unfinished record. */
async function* readLineBlocks(segment: FileHandle): AsyncGenerator<Buffer> {
  let isFirst = true;
  let rest: Buffer = Buffer.alloc(0);
  for (let place = 0; ; ) {
    const chunk = await readAt(segment, place, BLOCK_BYTES);
    place += chunk.length;
    const bytes = Buffer.concat([rest, chunk]);
    const isLast = chunk.length < BLOCK_BYTES;
    let start = 0;
    const firstEnd = bytes.indexOf(NEWLINE) + 1;
    if (isFirst && firstEnd > 0) {
      yield bytes.subarray(0, firstEnd);
      start = firstEnd;
      isFirst = false;
    }
    const end = isLast ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    if (end > start) yield bytes.subarray(start, end);
    rest = bytes.subarray(Math.max(start, end));
    if (isLast) return;
  }
}

/** Returns fewer bytes only at the end of the file. */
async function readAt(file: FileHandle, place: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let used = 0;
  while (used < bytes) {
    const { bytesRead } = await file.read(buffer, used, bytes - used, place + used);
    if (bytesRead === 0) break;
    used += bytesRead;
  }
  return buffer.subarray(0, used);
}

/** Returns the place of the next sound head, or the size of the file. */
async function findHead(segment: FileHandle, from: number, size: number): Promise<number> {
  const bytes = await readAt(segment, from, size - from);
  for (let at = bytes.indexOf(MAGIC); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (parseHead(bytes, at) !== null) return from + at;
  }
  return size;
}

function makeHead({ offset, rawBytes, frameBytes }: BlockHead): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  let at = MAGIC.length;
  for (const number of [offset, rawBytes, frameBytes]) at = head.writeUInt32LE(number, at);
  head.writeUInt32LE(crc32(head.subarray(MAGIC.length, at)), at);
  return head;
}

/** Returns null if the bytes at `at` are no sound head. */
function parseHead(bytes: Buffer, at: number): BlockHead | null {
  const head = bytes.subarray(at, at + HEAD_BYTES);
  if (head.length < HEAD_BYTES || !head.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const content = head.subarray(MAGIC.length);
  if (content.readUInt32LE(12) !== crc32(content.subarray(0, 12))) return null;
  return {
    offset: content.readUInt32LE(0),
    rawBytes: content.readUInt32LE(4),
    frameBytes: content.readUInt32LE(8),
  };
}
