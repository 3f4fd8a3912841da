import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { appendRows } from "./append-rows.sql.ts";
import {
  type JournalRow,
  recordHeartbeat,
  retakeWriter,
  type WriterRow,
} from "./journal-rows.sql.ts";
import { KEEP_ROWS_MS, RecentRows } from "./recent-rows.ts";
import { waitAtMost } from "./wait-at-most.ts";

// Writes the records of a journal in the database. One statement at a time has all waiting records, so one begin costs one
// or two commits, and a thousand begins cost no more. A failover can lose the last statements: they are kept for a while,
// and written again.

export interface RowWriterOptions {
  database: Database;
  nodeId: string;
  journalId: string;
  previousJournalId: string | null;
  logger: Logger;
  /** Encodes the begins of running requests, in order. */
  listOpenRows: () => JournalRow[];
  /** Called with each heartbeat, whether it is sent or not. */
  onBeat: () => void;
  /** Called when another writer has the journal. `adopted`: this node was silent, and may start again. */
  onLost?: (how: "adopted" | "taken") => void;
  heartbeatIntervalMs?: number;
  retryMs?: number;
  commitWithinMs?: number;
  keepRowsMs?: number;
}

const ROWS_PER_STATEMENT = 1_000;
const BEAT_EVERY_MS = 2_000;
const RETRY_MS = 500;
/** Longest commit of a healthy database. After that the database counts as away. */
const COMMIT_WITHIN_MS = 3_000;
export const LOST =
  "Another process writes this gateway's journal. Give each gateway its own BURSAR_NODE_ID.";

interface Waiter {
  upToSeq: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface Sent {
  from: number;
  to: number;
  rows: readonly JournalRow[];
}

export class RowWriter {
  readonly #options: RowWriterOptions;
  #epoch: bigint;
  /** Incarnation of the database at the last contact with the writer's row. */
  #incarnation: bigint;
  /** Sequence number of the last record in the database. */
  #committedSeq: number;
  readonly #recent: RecentRows;
  /** Accepted records that are not sent. Bounded by the running requests, because none begins while the database is away. */
  #queue: JournalRow[] = [];
  /** Statement with an unknown result, to repeat unchanged. */
  #inDoubt: Sent | null = null;
  #waiters: Waiter[] = [];
  #sending: Promise<void> | null = null;
  /** `lost`: another writer has the journal. */
  #state: "active" | "lost" | "closed" = "active";
  #isHealthy: boolean = true;
  #hasWritten: boolean = false;
  /** Records that the database lost and this process no longer has, at most. */
  #missingRows = 0;
  #restores = 0;
  readonly #heartbeatTimer: NodeJS.Timeout;
  #retryTimer: NodeJS.Timeout | null = null;

  constructor(options: RowWriterOptions, writer: WriterRow) {
    this.#options = options;
    this.#epoch = writer.epoch;
    this.#incarnation = writer.incarnation;
    this.#committedSeq = writer.lastSeq;
    this.#recent = new RecentRows({ keepMs: options.keepRowsMs ?? KEEP_ROWS_MS });
    this.#heartbeatTimer = setInterval(
      () => this.#sendDueHeartbeat(),
      options.heartbeatIntervalMs ?? BEAT_EVERY_MS,
    );
    this.#heartbeatTimer.unref();
  }

  get epoch(): bigint {
    return this.#epoch;
  }

  get committedSeq(): number {
    return this.#committedSeq;
  }

  get isLost(): boolean {
    return this.#state === "lost";
  }

  get isHealthy(): boolean {
    return this.#isHealthy && this.#state !== "lost";
  }

  /** Keeps committed records of an earlier writer, because a failover can lose them too. */
  remember(rows: readonly JournalRow[]): void {
    this.#recent.add(rows, performance.now());
  }

  add(row: JournalRow): void {
    if (this.#state === "lost") return;
    this.#queue.push(row);
    this.#scheduleSend();
  }

  /** Resolves when the records up to this one are in the database. */
  synced(upToSeq: number): Promise<void> {
    if (this.#state === "lost") return Promise.reject(new Error(LOST));
    if (this.#committedSeq >= upToSeq) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ upToSeq, resolve, reject });
      this.#scheduleSend();
    });
  }

  /**
   * Becomes the writer again after a failover, and writes lost records again. Returns the highest number of records that
   * cannot be written again, since the last call. Throws the database's error.
   */
  async restore(): Promise<number> {
    await this.#runAlone(() => this.#retake());
    const missing = this.#missingRows;
    this.#missingRows = 0;
    return missing;
  }

  /**
   * Resolves when the database has all records up to this one. Returns how often it had lost some before. A reader of rows
   * calls this before and after it. Throws the database's error.
   */
  async confirm(upToSeq: number): Promise<number> {
    await this.synced(upToSeq);
    await this.#runAlone(() => this.#sendHeartbeat());
    return this.#restores;
  }

  async #runAlone(work: () => Promise<void>): Promise<void> {
    while (this.#sending !== null) await this.#sending;
    const running = work();
    this.#sending = running
      .catch((error: unknown) => this.#recordFailure(error))
      .finally(() => this.#finishSending());
    await running;
    if (this.#state === "lost") throw new Error(LOST);
  }

  /** Stops the timers. True: this process was the writer. */
  stop(): boolean {
    const isLost = this.#state === "lost";
    if (!isLost) this.#state = "closed";
    clearInterval(this.#heartbeatTimer);
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    return !isLost;
  }

  /** Sends the remaining records, after `stop`. */
  async sendRest(): Promise<void> {
    await this.#sending;
    if (this.#inDoubt !== null || this.#queue.length > 0) await this.#sendAll();
  }

  /** Sends after this turn of the event loop, so that one statement has all records of the turn. */
  #scheduleSend(): void {
    if (this.#state !== "active" || !this.#isHealthy) return;
    this.#startSending(async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#sendAll();
    });
  }

  /** Runs one piece of work at a time, so that statements follow one another. */
  #startSending(work: () => Promise<void>): void {
    this.#sending ??= work()
      .catch((error: unknown) => this.#recordFailure(error))
      .finally(() => this.#finishSending());
  }

  #finishSending(): void {
    this.#sending = null;
    if (this.#queue.length > 0) this.#scheduleSend();
  }

  async #sendAll(): Promise<void> {
    while (this.#state !== "lost") {
      this.#inDoubt ??= this.#nextStatement();
      if (this.#inDoubt === null) return;
      await this.#send(this.#inDoubt);
    }
  }

  #nextStatement(): Sent | null {
    const rows = this.#queue.splice(0, ROWS_PER_STATEMENT);
    const last = rows.at(-1);
    return last === undefined ? null : { from: this.#committedSeq, to: last.seq, rows };
  }

  async #send(sent: Sent): Promise<void> {
    if (await this.#append(sent)) this.#complete(sent);
    else await this.#retake();
  }

  #append({ from, to, rows }: Sent): Promise<boolean> {
    const { database, nodeId, commitWithinMs = COMMIT_WITHIN_MS } = this.#options;
    const step = { nodeId, epoch: this.#epoch, from, to };
    return waitAtMost(commitWithinMs, appendRows(database, step, rows));
  }

  #complete(sent: Sent): void {
    this.#inDoubt = null;
    this.#committedSeq = sent.to;
    this.#recent.add(sent.rows, performance.now());
    this.#hasWritten = true;
    this.#recordRecovery();
    const isDone = ({ upToSeq }: Waiter) => upToSeq <= sent.to;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const { resolve } of done) resolve();
  }

  /**
   * Continues after a statement that found another row of the writer: an earlier attempt wrote it, or the database failed
   * over and lost records. Another writer ends this one.
   */
  async #retake(): Promise<void> {
    const { database, commitWithinMs = COMMIT_WITHIN_MS } = this.#options;
    const own = { ...this.#options, epoch: this.#epoch, incarnation: this.#incarnation };
    const retaken = await waitAtMost(commitWithinMs, retakeWriter(database, own));
    if (retaken.kind === "taken") return this.#markLost(retaken.how);
    const { epoch, incarnation, lastSeq } = retaken.writer;
    this.#epoch = epoch;
    this.#incarnation = incarnation;
    const sent = this.#inDoubt;
    if (sent !== null && lastSeq >= sent.to) return this.#complete(sent);
    if (lastSeq < this.#committedSeq) await this.#writeAgain(lastSeq);
    this.#recordRecovery();
  }

  async #writeAgain(afterSeq: number): Promise<void> {
    const kept = this.#recent.listAfter(afterSeq);
    const firstKept = kept[0]?.seq ?? this.#committedSeq + 1;
    const begins = this.#options
      .listOpenRows()
      .filter(({ seq }) => seq > afterSeq && seq < firstKept && seq <= this.#committedSeq);
    const rows = [...begins, ...kept];
    let from = afterSeq;
    for (let at = 0; from < this.#committedSeq; at += ROWS_PER_STATEMENT) {
      const part = rows.slice(at, at + ROWS_PER_STATEMENT);
      const isLast = at + ROWS_PER_STATEMENT >= rows.length;
      const to = isLast ? this.#committedSeq : (part.at(-1)?.seq ?? this.#committedSeq);
      if (!(await this.#append({ from, to, rows: part }))) throw new Error("the journal moved");
      from = to;
    }
    const missing = Math.max(0, this.#recent.forgottenSeq - afterSeq - begins.length);
    this.#missingRows += missing;
    this.#restores += 1;
    this.#options.logger.warn(
      { records: rows.length, missing, nodeId: this.#options.nodeId },
      "the database lost records of the journal: they are written again",
    );
  }

  #markLost(how: "adopted" | "taken"): void {
    if (this.#state === "lost") return;
    this.#state = "lost";
    this.#options.logger.fatal(
      { nodeId: this.#options.nodeId, unwritten: this.#queue.length },
      how === "adopted"
        ? "this node was silent, and another finishes its journal: this process accepts no more requests"
        : "another process writes this node's journal: this one accepts no more requests",
    );
    this.#queue = [];
    this.#inDoubt = null;
    this.#rejectWaiters(new Error(LOST));
    this.#options.onLost?.(how);
  }

  #recordFailure(error: unknown): void {
    if (this.#isHealthy) {
      this.#options.logger.error({ err: error }, "the journal cannot be written to the database");
    }
    this.#isHealthy = false;
    this.#rejectWaiters(error instanceof Error ? error : new Error(String(error)));
    if (this.#retryTimer !== null || this.#state !== "active") return;
    this.#retryTimer = setTimeout(() => this.#retry(), this.#options.retryMs ?? RETRY_MS);
    this.#retryTimer.unref();
  }

  #rejectWaiters(error: Error): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  #recordRecovery(): void {
    if (!this.#isHealthy) this.#options.logger.info("the journal can be written again");
    this.#isHealthy = true;
  }

  /** Detects that the database is back: sends waiting records, or a heartbeat. */
  #retry(): void {
    this.#retryTimer = null;
    this.#startSending(async () => {
      if (this.#inDoubt === null && this.#queue.length === 0) await this.#sendHeartbeat();
      else await this.#sendAll();
    });
  }

  #sendDueHeartbeat(): void {
    const isNeeded = !this.#hasWritten && this.#isHealthy && this.#state !== "lost";
    this.#hasWritten = false;
    this.#recent.forgetOld(performance.now());
    if (isNeeded) this.#startSending(() => this.#sendHeartbeat());
    this.#options.onBeat();
  }

  async #sendHeartbeat(): Promise<void> {
    const { database, nodeId, commitWithinMs = COMMIT_WITHIN_MS } = this.#options;
    const writer = { nodeId, epoch: this.#epoch, lastSeq: this.#committedSeq };
    if (await waitAtMost(commitWithinMs, recordHeartbeat(database, writer))) this.#recordRecovery();
    else await this.#retake();
  }
}
