import { encodeRecord } from "./journal-codec.ts";
import type { JournalFile, JournalFiles } from "./journal-files.ts";
import { RecordLines } from "./journal-lines.ts";
import type { NewRecord, SegmentRecord } from "./journal-record.ts";
import type { OpenRequest } from "./open-requests.ts";
import { SegmentSums } from "./segment-index.ts";
import { segmentPath } from "./segments.ts";

export interface CurrentSegmentOptions {
  files: JournalFiles;
  directory: string;
  ordinal: number;
  header: Omit<SegmentRecord, "kind" | "carriedBegins">;
  /** The segment repeats their begins, so that it has all that its ends refer to. */
  openBegins: readonly Pick<OpenRequest, "seq" | "record">[];
  /** Monotonic milliseconds. */
  openedAtMs: number;
}

/** Highest number of distinct prices that ends refer to by number. Further prices are written with each end. */
const MAX_PRICES = 1_000;
/** Shorter prices are written with each end. */
const MIN_PRICES_CHARS = 32;

/** The segment that a journal is writing. */
export class CurrentSegment {
  readonly ordinal: number;
  readonly path: string;
  readonly file: JournalFile;
  readonly firstSeq: number;
  readonly openedAtMs: number;
  /** Size of its complete records. */
  bytes = 0;
  /** False while it has only its header and repeated begins. */
  isUsed: boolean = false;
  readonly sums = new SegmentSums();
  readonly #lines = new RecordLines();
  readonly #prices = new Map<string, number>();

  /** Creates the file. Throws the file system's error, and a part of the file can then stay. */
  constructor({ files, directory, ordinal, header, ...options }: CurrentSegmentOptions) {
    this.ordinal = ordinal;
    this.path = segmentPath(directory, ordinal);
    this.firstSeq = header.firstSeq;
    this.openedAtMs = options.openedAtMs;
    this.file = files.create(this.path);
    try {
      const { openBegins } = options;
      this.#write([
        { kind: "segment", ...header, carriedBegins: openBegins.length },
        ...openBegins.map(({ seq, record }): NewRecord => ({ kind: "begin", seq, record })),
      ]);
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  /** Appends all records, or throws the file system's error. A part of them may then be in the file: see `cutBack`. */
  append(records: readonly NewRecord[]): void {
    this.#write(records);
    this.isUsed = true;
  }

  /** Removes a half-written record. Throws the file system's error. */
  cutBack(): void {
    this.file.truncate(this.bytes);
  }

  #write(records: readonly NewRecord[]): void {
    this.#lines.take(); // Lines of a failed attempt.
    const known = this.#prices.size;
    for (const record of records) encodeRecord(record, this.#lines, this.#findPrices(record));
    const bytes = this.#lines.take();
    try {
      this.file.append(bytes);
    } catch (error) {
      for (const prices of [...this.#prices.keys()].slice(known)) this.#prices.delete(prices);
      throw error;
    }
    this.bytes += bytes.length;
  }

  /** Returns the number of an end's prices. The first end with these prices writes them before itself. */
  #findPrices(record: NewRecord): number | null {
    if (record.kind !== "end" || typeof record.end.prices === "number") return null;
    const text = record.end.prices;
    const known = this.#prices.get(text);
    if (known !== undefined) return known;
    if (text.length < MIN_PRICES_CHARS || this.#prices.size >= MAX_PRICES) return null;
    const number = this.#prices.size + 1;
    this.#prices.set(text, number);
    encodeRecord({ kind: "prices", number, text }, this.#lines);
    return number;
  }
}
