import type { EndRecord } from "#src/domain/request-record.ts";
import type { AcceptedEnd, LostEnds, LostRange } from "./journal-contract.ts";
import { OpenRequests } from "./open-requests.ts";
import type { PendingEnd } from "./read-ends.ts";
import { DaySums, readIndex, type SegmentIndex, SegmentSums } from "./segment-index.ts";
import { listSegments, readSegment, type SegmentFile } from "./segments.ts";

// Ends that the database had and lost, because it failed over to a server without its last commits, or was restored. The
// journal still has them.

/** Ends of one lookup in the database. */
const ENDS_PER_LOOKUP = 5_000;

/** Counts the ends of a range, in the order of the journal. */
export class LostEndsCount {
  readonly #range: LostRange;
  readonly #days = new DaySums();
  readonly #sums = new SegmentSums();
  #waiting: EndRecord[] = [];
  #first: AcceptedEnd | null = null;
  #count = 0;
  #lastSeq = 0;
  #lost = 0;

  constructor(range: LostRange) {
    this.#range = range;
  }

  /** Ignores an end outside the range, and one that was read before (see `applyRecord` of replay.ts). */
  async add({ seq, record }: PendingEnd, position: AcceptedEnd["position"]): Promise<void> {
    if (seq <= this.#range.flushedSeq || seq > this.#range.upToSeq || seq <= this.#lastSeq) return;
    this.#lastSeq = seq;
    this.#first ??= { seq, position };
    this.#count += 1;
    this.#waiting.push(record);
    if (this.#waiting.length === ENDS_PER_LOOKUP) await this.#sumWaiting();
  }

  /** Adds all ends of a segment. */
  addIndex(first: AcceptedEnd, { ends, spend }: Pick<SegmentIndex, "ends" | "spend">): void {
    if (ends === 0) return;
    this.#first ??= first;
    this.#count += ends;
    this.#lost += ends;
    for (const each of spend) this.#days.add(each);
  }

  async finish(): Promise<Omit<LostEnds, "unreadable">> {
    await this.#sumWaiting();
    for (const each of this.#sums.listSpend()) this.#days.add(each);
    const lost = this.#lost + this.#sums.ends;
    return { first: this.#first, count: this.#count, lost, spend: this.#days.list() };
  }

  async #sumWaiting(): Promise<void> {
    const ends = this.#waiting;
    this.#waiting = [];
    if (ends.length === 0) return;
    const recorded = await this.#range.findRecorded?.(ends);
    for (const end of ends) if (recorded?.has(end.requestId) !== true) this.#sums.add(end);
  }
}

/** Finds the ends of a range in the segments of a folder: by an index where possible, or else by their records. */
export async function findLostEnds(directory: string, range: LostRange): Promise<LostEnds> {
  const { flushedSeq, upToSeq } = range;
  const files = await listSegments(directory);
  const found = new LostEndsCount(range);
  const at = files.findLastIndex(
    ({ header }) => header !== null && header.firstSeq <= flushedSeq + 1,
  );
  for (const file of files.slice(Math.max(at, 0))) {
    if (file.header !== null && file.header.firstSeq > upToSeq) break;
    if (!addByIndex(found, file, range)) await addByRecords(found, file);
  }
  return { ...(await found.finish()), unreadable: countUnreadable(files, range) };
}

/** Numbers of deleted segments, of which about half belong to ends. Segments are deleted in order. */
function countUnreadable(files: readonly SegmentFile[], range: LostRange): number {
  // After a look-up, the position of the database says nothing about earlier ends.
  if (range.findRecorded !== null) return 0;
  const oldest = files.find(({ header }) => header !== null)?.header;
  const deletedUpTo = Math.min(oldest?.lastEndSeq ?? range.upToSeq, range.upToSeq);
  return Math.max(0, deletedUpTo - range.flushedSeq);
}

/** False: the segment has to be read, because not all of its ends are in the range. */
function addByIndex(found: LostEndsCount, segment: SegmentFile, range: LostRange): boolean {
  const { header, file, ordinal } = segment;
  if (range.findRecorded !== null || header === null || header.firstSeq <= range.flushedSeq) {
    return false;
  }
  const index = readIndex(file);
  if (index === null || index.lastEndSeq > range.upToSeq) return false;
  found.addIndex({ seq: header.firstSeq, position: { ordinal, offset: 0 } }, index);
  return true;
}

async function addByRecords(found: LostEndsCount, { file, ordinal }: SegmentFile): Promise<void> {
  const open = new OpenRequests();
  for await (const entries of readSegment(file, 0)) {
    for (const entry of entries) {
      if (entry.kind !== "record") continue;
      const applied = open.apply(entry.record);
      if (applied.kind === "end") await found.add(applied, { ordinal, offset: entry.offset });
    }
  }
}
