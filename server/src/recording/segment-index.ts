import { readFileSync } from "node:fs";
import type { EndRecord } from "#src/domain/request-record.ts";
import { type Spent, spentOf } from "#src/domain/request-spend.ts";
import { StartError } from "#src/lib/start-error.ts";
import type { JournalFiles } from "./journal-files.ts";
import { decodeLine, RecordLines } from "./journal-lines.ts";

// Summary of a complete segment, in a file beside it. A start reads the index instead of the records. The index is written
// after the segment is on the disk. If it is missing or damaged, the start reads the segment.

/** Spend of ended requests of one key on one day (UTC). */
export interface DaySpend extends Spent {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  /** Start of one of the requests, milliseconds since the epoch. */
  startedAtMs: number;
}

export interface SegmentIndex {
  lastSeq: number;
  /** Sequence number of the last `end` in the segment or before it. */
  lastEndSeq: number;
  /** Number of ends in the segment. */
  ends: number;
  spend: readonly DaySpend[];
}

const VERSION = 1;
const DAY_MS = 86_400_000;

interface WireIndex {
  v: typeof VERSION;
  lastSeq: number;
  lastEndSeq: number;
  ends: number;
  spend: WireDaySpend[];
}

/** Organization, workspace, key, start, cost, unresolved. */
export type WireDaySpend = [string, string, string, number, string, string];

/** Adds up spend by key and day. */
export class DaySums {
  readonly #days = new Map<number, Map<string, DaySpend>>();

  add(spend: DaySpend): void {
    const { apiKeyId, costNanoUsd, unresolvedNanoUsd } = spend;
    const day = Math.floor(spend.startedAtMs / DAY_MS);
    let keys = this.#days.get(day);
    if (keys === undefined) {
      keys = new Map();
      this.#days.set(day, keys);
    }
    const sum = keys.get(apiKeyId);
    if (sum === undefined) {
      keys.set(apiKeyId, { ...spend });
      return;
    }
    sum.costNanoUsd += costNanoUsd;
    sum.unresolvedNanoUsd += unresolvedNanoUsd;
  }

  list(): DaySpend[] {
    return [...this.#days.values()].flatMap((keys) => [...keys.values()]);
  }
}

/** Sums the ends of the segment that is written. */
export class SegmentSums {
  #ends = 0;
  readonly #spend = new DaySums();

  add(record: EndRecord): void {
    this.#ends += 1;
    const { costNanoUsd, unresolvedNanoUsd } = spentOf(record);
    if (costNanoUsd === 0n && unresolvedNanoUsd === 0n) return;
    const { organizationId, workspaceId, apiKeyId, startedAtMs } = record;
    const origin = { organizationId, workspaceId, apiKeyId, startedAtMs };
    this.#spend.add({ ...origin, costNanoUsd, unresolvedNanoUsd });
  }

  get ends(): number {
    return this.#ends;
  }

  listSpend(): DaySpend[] {
    return this.#spend.list();
  }

  toIndex(seqs: { lastSeq: number; lastEndSeq: number }): SegmentIndex {
    return { ...seqs, ends: this.#ends, spend: this.listSpend() };
  }
}

/** Path of the index of a segment. */
export function indexPath(segment: string): string {
  return segment.replace(/journal(?:\.zst)?$/, "index");
}

/** Writes an index, and returns its size. 0: it could not be written, and a start reads the segment instead. */
export function writeIndex(files: JournalFiles, segment: string, index: SegmentIndex): number {
  const { lastSeq, lastEndSeq, ends } = index;
  const spend = index.spend.map(daySpendToWire);
  const wire: WireIndex = { v: VERSION, lastSeq, lastEndSeq, ends, spend };
  const lines = new RecordLines();
  lines.add(JSON.stringify(wire));
  const bytes = lines.take();
  const path = indexPath(segment);
  try {
    const file = files.create(path);
    try {
      file.append(bytes);
    } finally {
      file.close();
    }
    return bytes.length;
  } catch {
    removeIndex(files, segment);
    return 0;
  }
}

export function removeIndex(files: JournalFiles, segment: string): void {
  try {
    files.remove(indexPath(segment));
  } catch {
    // Most segments of older releases have none. Without its segment an index is not read.
  }
}

/** Reads an index. Null: it is missing or damaged. Throws a StartError for the index of a newer release. */
export function readIndex(segment: string): SegmentIndex | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(indexPath(segment));
  } catch {
    return null;
  }
  const wire = decodeLine(bytes.subarray(0, -1)) as WireIndex | null;
  if (wire === null) return null;
  if (wire.v !== VERSION) {
    throw new StartError(
      `${indexPath(segment)} has version ${String(wire.v)}, and this release reads version ${VERSION}: ` +
        "start the release that wrote it, or a newer one",
    );
  }
  const { lastSeq, lastEndSeq, ends } = wire;
  return { lastSeq, lastEndSeq, ends, spend: wire.spend.map(daySpendFromWire) };
}

export function daySpendToWire(sum: DaySpend): WireDaySpend {
  return [
    sum.organizationId,
    sum.workspaceId,
    sum.apiKeyId,
    sum.startedAtMs,
    String(sum.costNanoUsd),
    String(sum.unresolvedNanoUsd),
  ];
}

export function daySpendFromWire(wire: WireDaySpend): DaySpend {
  const [organizationId, workspaceId, apiKeyId, startedAtMs, cost, unresolved] = wire;
  const spent = { costNanoUsd: BigInt(cost), unresolvedNanoUsd: BigInt(unresolved) };
  return { organizationId, workspaceId, apiKeyId, startedAtMs, ...spent };
}
