import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { JournalRecord } from "./journal-record.ts";

/** A request that began and has not ended. */
export interface OpenRequest {
  /** Sequence number of its first begin. */
  seq: number;
  /** Sequence numbers of its amendments. */
  amendedSeqs: readonly number[];
  record: BeginRecord;
}

export type Applied =
  | { kind: "end"; seq: number; request: OpenRequest | null; record: EndRecord }
  | { kind: "void"; seq: number; request: OpenRequest | null }
  /** A record without its begin, which must be damaged. The usage of the request is lost. */
  | { kind: "lost"; seq: number }
  | { kind: "other" };

const NO_PRICES = "{}";
const OTHER: Applied = { kind: "other" };

/** Joins records in their order. An end refers to its begin and its prices, which are in the same segment. */
export class OpenRequests {
  readonly #bySeq = new Map<number, OpenRequest>();
  /** Version 1 refers to requests by their ids. */
  readonly #byId = new Map<string, OpenRequest>();
  readonly #prices = new Map<number, string>();

  get size(): number {
    return this.#bySeq.size;
  }

  /** Lists open requests in the order of their begins. */
  list(): OpenRequest[] {
    return [...this.#bySeq.values()].sort((a, b) => a.seq - b.seq);
  }

  apply(record: JournalRecord): Applied {
    switch (record.kind) {
      case "begin":
        this.#begin(record.seq, record.record);
        return OTHER;
      case "amend": {
        const request = this.#bySeq.get(record.beginSeq);
        if (request === undefined) return { kind: "lost", seq: record.seq };
        this.#amend(request, record.seq, { ...request.record, ...record.changes });
        return OTHER;
      }
      case "end": {
        const request = this.#remove(this.#bySeq.get(record.beginSeq));
        if (request === null) return { kind: "lost", seq: record.seq };
        const begin = record.changes ? { ...request.record, ...record.changes } : request.record;
        const prices = this.#findPrices(record.end.prices);
        return {
          kind: "end",
          seq: record.seq,
          request,
          record: { ...begin, ...record.end, prices },
        };
      }
      case "void":
        return this.#void(record.seq, this.#bySeq.get(record.beginSeq));
      case "endOfV1": {
        const request = this.#remove(this.#byId.get(record.record.requestId));
        return { kind: "end", seq: record.seq, request, record: record.record };
      }
      case "voidOfV1":
        return this.#void(record.seq, this.#byId.get(record.requestId));
      case "prices":
        this.#prices.set(record.number, record.text);
        return OTHER;
      case "segment":
        this.#prices.clear();
        return OTHER;
      case "mark":
      case "index":
        return OTHER;
    }
  }

  /** Version 1 writes an amended begin a second time as a whole. */
  #begin(seq: number, record: BeginRecord): void {
    const known = this.#byId.get(record.requestId);
    if (known !== undefined && known.seq !== seq) this.#amend(known, seq, record);
    else this.#set({ seq, amendedSeqs: [], record });
  }

  #amend(request: OpenRequest, seq: number, record: BeginRecord): void {
    this.#set({ seq: request.seq, amendedSeqs: [...request.amendedSeqs, seq], record });
  }

  #void(seq: number, request: OpenRequest | undefined): Applied {
    return { kind: "void", seq, request: this.#remove(request) };
  }

  #set(request: OpenRequest): void {
    this.#bySeq.set(request.seq, request);
    this.#byId.set(request.record.requestId, request);
  }

  #remove(request: OpenRequest | undefined): OpenRequest | null {
    if (request === undefined) return null;
    this.#bySeq.delete(request.seq);
    this.#byId.delete(request.record.requestId);
    return request;
  }

  /** Prices of an end. Without them, a cost cannot be explained, but it stays correct. */
  #findPrices(prices: string | number): string {
    return typeof prices === "string" ? prices : (this.#prices.get(prices) ?? NO_PRICES);
  }
}
