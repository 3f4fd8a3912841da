import { existsSync, readdirSync, statSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { decodeRecord } from "./journal-codec.ts";
import type { JournalRecord, SegmentRecord } from "./journal-record.ts";
import { indexPath } from "./segment-index.ts";

// Reads the segments of a journal: files `000000000001.journal`, in the order of their numbers.

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
const ORDINAL_DIGITS = 12;
const NAME = new RegExp(`^[0-9]{${ORDINAL_DIGITS}}\\${SUFFIX}$`);
const CHUNK_BYTES = 256 * 1024;
const HEADER_CHUNK_BYTES = 1024;
const NEWLINE = 10;

export function segmentPath(directory: string, ordinal: number): string {
  return path.join(directory, String(ordinal).padStart(ORDINAL_DIGITS, "0") + SUFFIX);
}

/** Lists the segments of a folder, oldest first. Reads only the first line of each. A missing folder has none. */
export async function listSegments(directory: string): Promise<SegmentFile[]> {
  const segments: SegmentFile[] = [];
  for (const ordinal of listOrdinals(directory)) {
    const file = segmentPath(directory, ordinal);
    const { mtimeMs: writtenAtMs, size } = statSync(file);
    const bytes = size + (statSync(indexPath(file), { throwIfNoEntry: false })?.size ?? 0);
    segments.push({ ordinal, file, writtenAtMs, bytes, header: await readHeader(file) });
  }
  return segments;
}

/** Lists the numbers of the segments of a folder, oldest first. There can be gaps. */
export function listOrdinals(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => NAME.test(name));
  return names.map((name) => Number(name.slice(0, ORDINAL_DIGITS))).sort((a, b) => a - b);
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
 * record costs one record. Throws a JournalVersionError.
 */
export async function* readSegment(
  file: string,
  fromOffset: number,
  chunkBytes: number = CHUNK_BYTES,
): AsyncGenerator<JournalEntry[]> {
  const handle = await fs.open(file, "r");
  try {
    let offset = fromOffset;
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, offset + rest.length);
      if (bytesRead === 0) break;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
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
