import { existsSync, readdirSync, statSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { readCompressed, type SegmentPart } from "./compressed-segment.ts";
import { decodeRecord } from "./journal-codec.ts";
import type { JournalRecord, SegmentRecord } from "./journal-record.ts";
import { indexPath } from "./segment-index.ts";

// Reads the segments of a journal: files `000000000001.journal`, in the order of their numbers. A compressed segment has the
// name `000000000001.journal.zst` (compressed-segment.ts). If both files exist, the uncompressed one is read.

/** A position between two records. */
export interface JournalPosition {
  ordinal: number;
  offset: number;
}

/** `damaged`: bytes with a newline that are no record. `torn`: last bytes of a segment, without a newline. */
export type JournalEntry =
  | { kind: "record"; record: JournalRecord; offset: number; endOffset: number }
  | { kind: "damaged" | "torn"; offset: number; endOffset: number };

export interface SegmentFile {
  ordinal: number;
  file: string;
  /** Time of the last write, milliseconds since the epoch. */
  writtenAtMs: number;
  /** Size of the segment and its index. */
  bytes: number;
  /** Null: the first line is damaged or no segment record. */
  header: SegmentRecord | null;
}

const SUFFIX = ".journal";
const COMPRESSED_SUFFIX = ".zst";
const ORDINAL_DIGITS = 12;
const NAME = /^[0-9]{12}\.journal(?:\.zst)?$/;
const CHUNK_BYTES = 256 * 1024;
const HEADER_CHUNK_BYTES = 1024;
const NEWLINE = 10;

export function segmentPath(directory: string, ordinal: number): string {
  return path.join(directory, String(ordinal).padStart(ORDINAL_DIGITS, "0") + SUFFIX);
}

/** Path of the compressed form of a segment. */
export function compressedPath(file: string): string {
  return isCompressed(file) ? file : file + COMPRESSED_SUFFIX;
}

export function isCompressed(file: string): boolean {
  return file.endsWith(SUFFIX + COMPRESSED_SUFFIX);
}

/** Lists the segments of a folder, oldest first. Reads only the first line of each. A missing folder has none. */
export async function listSegments(directory: string): Promise<SegmentFile[]> {
  const segments: SegmentFile[] = [];
  for (const ordinal of listOrdinals(directory)) {
    const file = findSegment(directory, ordinal);
    const found = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
    // A running server can delete a segment during the loop.
    if (file === null || found === undefined) continue;
    const { mtimeMs: writtenAtMs, size } = found;
    const bytes = size + (statSync(indexPath(file), { throwIfNoEntry: false })?.size ?? 0);
    segments.push({ ordinal, file, writtenAtMs, bytes, header: await readHeader(file) });
  }
  return segments;
}

/** Lists the numbers of the segments of a folder, oldest first. There can be gaps. */
export function listOrdinals(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => NAME.test(name));
  const ordinals = new Set(names.map((name) => Number(name.slice(0, ORDINAL_DIGITS))));
  return [...ordinals].sort((a, b) => a - b);
}

/** Path of a segment in the form that it has. Null: deleted. */
function findSegment(directory: string, ordinal: number): string | null {
  const file = segmentPath(directory, ordinal);
  if (existsSync(file)) return file;
  return existsSync(compressedPath(file)) ? compressedPath(file) : null;
}

async function readHeader(file: string): Promise<SegmentRecord | null> {
  for await (const entries of readSegment(file, 0, HEADER_CHUNK_BYTES)) {
    const first = entries[0];
    return first?.kind === "record" && first.record.kind === "segment" ? first.record : null;
  }
  return null;
}

/**
 * Reads the entries of one segment from an offset on, some at a time. A damaged line ends at its newline, so one damaged
 * record costs one record. Offsets are those of the uncompressed segment. Throws a JournalVersionError.
 */
export async function* readSegment(
  file: string,
  fromOffset: number,
  chunkBytes: number = CHUNK_BYTES,
): AsyncGenerator<JournalEntry[]> {
  const { handle, parts } = await openSegment(file, fromOffset, chunkBytes);
  try {
    let offset = fromOffset;
    let rest: Buffer = Buffer.alloc(0);
    for await (const part of parts) {
      if (part.kind === "damaged") {
        yield [part];
        offset = part.endOffset;
        rest = Buffer.alloc(0);
        continue;
      }
      const bytes = Buffer.concat([rest, part.bytes]);
      const { entries, used } = parseLines(bytes, offset);
      rest = bytes.subarray(used);
      offset += used;
      if (entries.length > 0) yield entries;
    }
    if (rest.length > 0) yield [{ kind: "torn", offset, endOffset: offset + rest.length }];
  } finally {
    await handle.close();
  }
}

/** Opens the segment `file`. If it was compressed meanwhile, the compressed one. */
async function openSegment(
  file: string,
  fromOffset: number,
  chunkBytes: number,
): Promise<{ handle: fs.FileHandle; parts: AsyncIterable<SegmentPart> }> {
  if (!isCompressed(file)) {
    try {
      const handle = await fs.open(file, "r");
      return { handle, parts: readChunks(handle, fromOffset, chunkBytes) };
    } catch (error) {
      if (!existsSync(compressedPath(file))) throw error;
    }
  }
  const handle = await fs.open(compressedPath(file), "r");
  return { handle, parts: readCompressed(handle, fromOffset) };
}

async function* readChunks(
  handle: fs.FileHandle,
  fromOffset: number,
  chunkBytes: number,
): AsyncGenerator<SegmentPart> {
  for (let offset = fromOffset; ; ) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, offset);
    if (bytesRead === 0) return;
    yield { kind: "bytes", offset, bytes: chunk.subarray(0, bytesRead) };
    offset += bytesRead;
  }
}

function parseLines(bytes: Buffer, baseOffset: number): { entries: JournalEntry[]; used: number } {
  const entries: JournalEntry[] = [];
  let used = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, used)) {
    const record = decodeRecord(bytes.subarray(used, at));
    const place = { offset: baseOffset + used, endOffset: baseOffset + at + 1 };
    entries.push(
      record === null ? { kind: "damaged", ...place } : { kind: "record", record, ...place },
    );
    used = at + 1;
  }
  return { entries, used };
}
