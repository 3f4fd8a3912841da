import type { EndRecord } from "#src/domain/request-record.ts";
import { type JournalPosition, listOrdinals, readSegment, segmentPath } from "./segments.ts";

/** An end that the database does not have yet. */
export interface PendingEnd {
  seq: number;
  record: EndRecord;
}

/** Ends in a journal: from `position` on, those with `fromSeq` or a higher sequence number. */
export interface EndsWanted {
  position: JournalPosition;
  fromSeq: number;
}

export interface EndsRead {
  ends: PendingEnd[];
  /** Where the ends after these begin. */
  next: EndsWanted;
}

/** Reads ends back from the segments of a folder, `limit` at most. */
export async function readEndsOfSegments(
  directory: string,
  from: EndsWanted,
  limit: number,
): Promise<EndsRead> {
  const ends: PendingEnd[] = [];
  const next = { ...from };
  const wanted = listOrdinals(directory).filter((ordinal) => ordinal >= from.position.ordinal);
  for (const ordinal of wanted) {
    const offset = ordinal === from.position.ordinal ? from.position.offset : 0;
    for await (const entries of readSegment(segmentPath(directory, ordinal), offset)) {
      for (const entry of entries) {
        // Nothing yet behind an unfinished record, if this is the segment that is being written.
        if (entry.kind === "torn") break;
        next.position = { ordinal, offset: entry.endOffset };
        if (entry.kind !== "record" || entry.record.kind !== "end") continue;
        const { seq, record } = entry.record;
        if (seq < next.fromSeq) continue;
        next.fromSeq = seq + 1;
        ends.push({ seq, record });
        if (ends.length === limit) return { ends, next };
      }
    }
  }
  return { ends, next };
}
