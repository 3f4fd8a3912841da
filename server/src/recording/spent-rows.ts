import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { deleteRows, type SpentRow } from "./spent-rows.sql.ts";

/** A request that ended or was not sent. Its rows are deleted when the usage tables have it. */
export interface SpentRequest {
  /** Sequence number of its end or removal. */
  seq: number;
  /** Sequence numbers of its begin and amendments. */
  beginSeqs: readonly number[];
  /** True: the request needs no flush. */
  isFlushed: boolean;
}

export interface SpentRowsOptions {
  database: Database;
  nodeId: string;
  journalId: string;
  logger: Logger;
}

const MAX_ROWS = 5_000;

/** Deletes rows of a journal that are no longer needed, some thousand at a time. */
export class SpentRows {
  readonly #options: SpentRowsOptions;
  /** In order of `seq`. */
  #requests: SpentRequest[] = [];
  #removable: SpentRow[] = [];
  #flushedSeq = 0;
  #removing: Promise<void> | null = null;

  constructor(options: SpentRowsOptions) {
    this.#options = options;
  }

  add(request: SpentRequest): void {
    this.#requests.push(request);
  }

  /** Adds earlier requests than all others. */
  putBack(requests: readonly SpentRequest[]): void {
    this.#requests = [...requests, ...this.#requests];
  }

  markFlushed(seq: number): void {
    this.#flushedSeq = Math.max(this.#flushedSeq, seq);
  }

  /** Starts to delete rows. Never throws: the next call retries. `committedSeq`: rows up to here exist. */
  remove(committedSeq: number): void {
    this.#collect(committedSeq);
    if (this.#removable.length === 0) return;
    this.#removing ??= this.#removeAll()
      .catch((error: unknown) => {
        this.#options.logger.debug({ err: error }, "journal rows cannot be removed yet");
      })
      .finally(() => {
        this.#removing = null;
      });
  }

  /** Deletes the remaining rows. Throws the database's error. */
  async finish(committedSeq: number): Promise<void> {
    await this.#removing;
    this.#collect(committedSeq);
    await this.#removeAll();
  }

  /** A row must exist before it is deleted. Otherwise it would be written after that. */
  #collect(committedSeq: number): void {
    const isSpent = ({ seq, isFlushed }: SpentRequest) =>
      seq <= committedSeq && (isFlushed || seq <= this.#flushedSeq);
    const first = this.#requests.findIndex((request) => !isSpent(request));
    const spent = this.#requests.splice(0, first === -1 ? this.#requests.length : first);
    // The end is first: if a crash leaves only the begin, the next start asks the database for its request.
    for (const { seq, beginSeqs, isFlushed } of spent) {
      const endSeq = isFlushed ? 0 : seq;
      for (const each of [seq, ...beginSeqs]) this.#removable.push({ seq: each, endSeq });
    }
  }

  async #removeAll(): Promise<void> {
    const { database } = this.#options;
    while (this.#removable.length > 0) {
      const rows = this.#removable.slice(0, MAX_ROWS);
      await deleteRows(database, this.#options, rows);
      this.#removable.splice(0, rows.length);
    }
  }
}
