import type { Database } from "#src/db/pool.ts";
import { decodeRecord } from "./journal-codec.ts";
import type { JournalStart, LostEnds, LostRange } from "./journal-contract.ts";
import type { JournalRecord, RowIndex } from "./journal-record.ts";
import { type JournalRow, listRows, listRowsAt } from "./journal-rows.sql.ts";
import { LostEndsCount } from "./lost-ends.ts";
import { type Applied, type OpenRequest, OpenRequests } from "./open-requests.ts";
import type { EndsReader, PendingEnd } from "./read-ends.ts";
import { listIndexSeqs } from "./row-index.ts";
import type { JournalPosition } from "./segments.ts";
import type { SpentRequest } from "./spent-rows.ts";

const ROWS_PER_READ = 5_000;
/** An index can have some megabytes. */
const INDEXES_PER_READ = 4;

/** Rows that a start has not read, because it has read their index. `seq` is the number of the index. */
export interface UnreadRows {
  fromSeq: number;
  seq: number;
}

export interface RowReplayOptions extends JournalStart {
  database: Database;
  nodeId: string;
  /** Number of the last row. */
  lastSeq: number;
  rowsPerIndex: number;
  /** Called in order for each request whose rows are deleted after its flush. */
  onSpent: (request: SpentRequest) => void;
  /** Called with the rows that the start reads. */
  onRows: (rows: readonly JournalRow[]) => void;
}

export interface ReplayedRows {
  openRequests: OpenRequest[];
  lastSeq: number;
  damagedRecords: number;
  unread: UnreadRows[];
}

interface Scan {
  options: RowReplayOptions;
  open: OpenRequests;
  readSeq: number;
  /** Rows of open requests that are not in `open` yet. */
  unreadOpenSeqs: readonly number[] | null;
  lastSeq: number;
  damagedRecords: number;
}

/**
 * Reads the records that the database may lack: indexes where possible, and other rows one by one. Rows of open requests
 * are always read.
 */
export async function replayRows(options: RowReplayOptions): Promise<ReplayedRows> {
  const { lastSeq, onUnflushedSegment } = options;
  const scan: Scan = {
    options,
    open: new OpenRequests(),
    readSeq: 0,
    unreadOpenSeqs: null,
    lastSeq,
    damagedRecords: 0,
  };
  const unread: UnreadRows[] = [];
  if (onUnflushedSegment !== undefined) {
    for await (const { seq, index } of readIndexes(options)) {
      const { fromSeq, openSeqs } = index;
      await scanRows(scan, fromSeq - 1);
      onUnflushedSegment({ first: { seq: fromSeq, position: toPosition(fromSeq) }, index });
      unread.push({ fromSeq, seq });
      scan.readSeq = seq;
      scan.unreadOpenSeqs = openSeqs;
    }
  }
  await scanRows(scan, Number.MAX_SAFE_INTEGER);
  const { open, damagedRecords } = scan;
  return { openRequests: open.list(), lastSeq: scan.lastSeq, damagedRecords, unread };
}

/** Reads the indexes of rows without any end in the database. A new process starts with `flushedSeq` 0. */
async function* readIndexes(
  options: RowReplayOptions,
): AsyncGenerator<{ seq: number; index: RowIndex }> {
  const { database, nodeId, rowsPerIndex, flushedSeq, lastSeq } = options;
  const seqs = listIndexSeqs(rowsPerIndex, flushedSeq, lastSeq);
  for (let at = 0; at < seqs.length; at += INDEXES_PER_READ) {
    const rows = await listRowsAt(database, nodeId, seqs.slice(at, at + INDEXES_PER_READ));
    const indexes = rows.flatMap(({ line }) => {
      const record = decodeRecord(line);
      return record?.kind === "index" && record.index.fromSeq > flushedSeq ? [record] : [];
    });
    const firstEnds = indexes.map(({ index }) => index.firstEndSeq);
    const left = new Set((await listRowsAt(database, nodeId, firstEnds)).map(({ seq }) => seq));
    yield* indexes.filter(({ index }) => left.has(index.firstEndSeq));
  }
}

async function scanRows(scan: Scan, upToSeq: number): Promise<void> {
  if (upToSeq <= scan.readSeq) return;
  const { database, nodeId, flushedSeq, onUnflushedEnd, onSpent, onRows } = scan.options;
  if (scan.unreadOpenSeqs !== null) {
    scan.open = await readOpenRequests(database, nodeId, scan.unreadOpenSeqs);
    scan.unreadOpenSeqs = null;
  }
  const range = { nodeId, afterSeq: scan.readSeq, upToSeq };
  for await (const { seq, line } of readRows(database, range, onRows)) {
    scan.lastSeq = Math.max(scan.lastSeq, seq);
    const applied = applyRow(scan.open, decodeRecord(line));
    if (applied.kind === "damaged" || applied.kind === "lost") scan.damagedRecords += 1;
    const spent = toSpent(seq, applied);
    if (spent !== null) onSpent(spent);
    if (applied.kind !== "end" || seq <= flushedSeq) continue;
    onUnflushedEnd({ seq, record: applied.record, position: toPosition(seq) });
  }
  scan.readSeq = upToSeq;
}

async function readOpenRequests(
  database: Database,
  nodeId: string,
  seqs: readonly number[],
): Promise<OpenRequests> {
  const open = new OpenRequests();
  for (let at = 0; at < seqs.length; at += ROWS_PER_READ) {
    const rows = await listRowsAt(database, nodeId, seqs.slice(at, at + ROWS_PER_READ));
    for (const { line } of rows) applyRow(open, decodeRecord(line));
  }
  return open;
}

async function* readRows(
  database: Database,
  range: { nodeId: string; afterSeq: number; upToSeq: number },
  onRows?: (rows: readonly JournalRow[]) => void,
): AsyncGenerator<JournalRow> {
  for (let afterSeq = range.afterSeq; ; ) {
    const rows = await listRows(database, { ...range, afterSeq, limit: ROWS_PER_READ });
    onRows?.(rows);
    yield* rows;
    if (rows.length < ROWS_PER_READ) return;
    afterSeq = rows.at(-1)?.seq ?? afterSeq;
  }
}

type AppliedRow = Applied | { kind: "damaged" } | { kind: "index" };

function applyRow(open: OpenRequests, record: JournalRecord | null): AppliedRow {
  if (record === null) return { kind: "damaged" };
  return record.kind === "index" ? { kind: "index" } : open.apply(record);
}

/** Null: the request of this row is open. */
function toSpent(seq: number, applied: AppliedRow): SpentRequest | null {
  switch (applied.kind) {
    case "end":
    case "void": {
      const isFlushed = applied.kind === "void";
      return { seq, beginSeqs: listSeqs(applied.request), isFlushed };
    }
    case "damaged":
    case "lost":
    case "index":
      return { seq, beginSeqs: [], isFlushed: true };
    case "other":
      return null;
  }
}

/** Lists the rows of an open request. */
export function listSeqs(request: OpenRequest | null): number[] {
  return request === null ? [] : [request.seq, ...request.amendedSeqs];
}

export function toPosition(seq: number): JournalPosition {
  return { ordinal: 0, offset: seq };
}

export interface RowReaderOptions {
  database: Database;
  nodeId: string;
  fromSeq: number;
  /** Resolves when all accepted rows are in the database, with the number of times that it lost some. */
  confirm: () => Promise<number>;
  /** See `RowReplayOptions`. */
  onSpent: (request: SpentRequest) => void;
}

/** Reads the ends of a journal in the database. */
export class RowEndsReader implements EndsReader {
  readonly #options: RowReaderOptions;
  #open = new OpenRequests();
  #fromSeq: number;
  /** The first row is read again, because rows of begins stay until their ends are flushed. */
  #readSeq = 0;

  constructor(options: RowReaderOptions) {
    this.#options = options;
    this.#fromSeq = options.fromSeq;
  }

  async read(limit: number): Promise<PendingEnd[]> {
    const { confirm } = this.#options;
    const fromSeq = this.#fromSeq;
    const losses = await confirm();
    const ends = await this.#readEnds(limit);
    if ((await confirm()) === losses) return ends;
    this.#fromSeq = fromSeq;
    this.#readSeq = 0;
    this.#open = new OpenRequests();
    throw new Error("the database lost journal records during a read");
  }

  async #readEnds(limit: number): Promise<PendingEnd[]> {
    const { database, nodeId, onSpent } = this.#options;
    const ends: PendingEnd[] = [];
    const range = { nodeId, afterSeq: this.#readSeq, upToSeq: Number.MAX_SAFE_INTEGER };
    for await (const { seq, line } of readRows(database, range)) {
      const record = decodeRecord(line);
      // The rows between two ends belong to the first one. The last end may be followed by an index.
      const isEnd = record?.kind === "end" || record?.kind === "endOfV1";
      if (isEnd && ends.length === limit) break;
      this.#readSeq = seq;
      const applied = applyRow(this.#open, record);
      const spent = toSpent(seq, applied);
      if (spent !== null) onSpent(spent);
      if (applied.kind !== "end" || seq < this.#fromSeq) continue;
      this.#fromSeq = seq + 1;
      ends.push({ seq, record: applied.record });
    }
    return ends;
  }
}

/** Finds the ends of a range in the rows up to `lastSeq`, and all rows there that a flush makes needless. */
export async function findLostRows(
  options: { database: Database; nodeId: string; lastSeq: number },
  range: LostRange,
): Promise<{ found: Omit<LostEnds, "unreadable">; spent: SpentRequest[] }> {
  const { database, nodeId, lastSeq } = options;
  const found = new LostEndsCount(range);
  const open = new OpenRequests();
  const spent: SpentRequest[] = [];
  for await (const { seq, line } of readRows(database, { nodeId, afterSeq: 0, upToSeq: lastSeq })) {
    const applied = applyRow(open, decodeRecord(line));
    const request = toSpent(seq, applied);
    if (request !== null) spent.push(request);
    if (applied.kind === "end") await found.add(applied, toPosition(seq));
  }
  return { found: await found.finish(), spent };
}
