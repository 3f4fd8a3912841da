import type { JournalRow } from "./journal-rows.sql.ts";

/** A standby that is further behind may lack records that this process has forgotten. */
export const KEEP_ROWS_MS = 60_000;
/** Bound for all kept records. A request has 0.4 kB and costs 1 µs, so this is the last minute at 2,500 requests/s. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Records of one statement, without an object for each. */
interface Group {
  lastSeq: number;
  seqs: readonly number[];
  /** The records, each with a newline. */
  lines: Buffer;
  committedAtMs: number;
}

const NEWLINE = Buffer.from("\n");

/** The last committed records of a journal in the database, which a failover can lose there. In order. */
export class RecentRows {
  readonly #keepMs: number;
  readonly #maxBytes: number;
  readonly #groups: Group[] = [];
  #bytes = 0;
  #forgottenSeq = 0;

  constructor({ keepMs = KEEP_ROWS_MS, maxBytes = MAX_BYTES } = {}) {
    this.#keepMs = keepMs;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Last record that is not kept any more. 0: none. */
  get forgottenSeq(): number {
    return this.#forgottenSeq;
  }

  /** Adds committed records. `nowMs`: monotonic milliseconds. */
  add(rows: readonly JournalRow[], nowMs: number): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    const lines = Buffer.concat(rows.flatMap(({ line }) => [line, NEWLINE]));
    const seqs = rows.map(({ seq }) => seq);
    this.#groups.push({ lastSeq: last.seq, seqs, lines, committedAtMs: nowMs });
    this.#bytes += lines.length;
    this.forgetOld(nowMs);
  }

  forgetOld(nowMs: number): void {
    const isOver = ({ committedAtMs }: Group) =>
      this.#bytes > this.#maxBytes || nowMs - committedAtMs >= this.#keepMs;
    let [oldest] = this.#groups;
    while (oldest !== undefined && isOver(oldest)) {
      this.#groups.shift();
      this.#bytes -= oldest.lines.length;
      this.#forgottenSeq = oldest.lastSeq;
      [oldest] = this.#groups;
    }
  }

  /** Lists the kept records after a sequence number, in order. */
  listAfter(seq: number): JournalRow[] {
    return this.#groups
      .filter(({ lastSeq }) => lastSeq > seq)
      .flatMap((group) => unpack(group))
      .filter((row) => row.seq > seq);
  }
}

/** A record has no newline inside. */
function unpack({ seqs, lines }: Group): JournalRow[] {
  let from = 0;
  return seqs.map((seq) => {
    const to = lines.indexOf(NEWLINE, from);
    const line = lines.subarray(from, to);
    from = to + 1;
    return { seq, line };
  });
}
