import type { BeginRecord } from "#src/domain/request-record.ts";

/** A begin that the end of this turn writes. */
export interface WaitingBegin {
  record: BeginRecord;
  /** Reason why it was not written. Null: none. */
  error: unknown;
}

/** Begins of one turn. Call `finish` when each one is written or has its error. */
export interface TurnBegins {
  begins: WaitingBegin[];
  finish(): void;
}

/** Begins that are written together at the end of a turn. They share one promise, because each would cost 0.5 us. */
export class WaitingBegins {
  #turn: (TurnBegins & { finished: Promise<void> }) | null = null;

  /** Resolves when the begin is written. Rejects with its error. */
  async add(record: BeginRecord): Promise<void> {
    this.#turn ??= makeTurn();
    const begin: WaitingBegin = { record, error: null };
    this.#turn.begins.push(begin);
    await this.#turn.finished;
    if (begin.error !== null) throw begin.error;
  }

  /** Replaces a waiting record. False: this request does not wait. */
  amend(record: BeginRecord): boolean {
    const begin = this.#turn?.begins.find((each) => each.record.requestId === record.requestId);
    if (begin === undefined) return false;
    begin.record = record;
    return true;
  }

  /** Removes the begins of this turn. Null: none wait. */
  take(): TurnBegins | null {
    const turn = this.#turn;
    this.#turn = null;
    return turn;
  }
}

function makeTurn(): TurnBegins & { finished: Promise<void> } {
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  return { begins: [], finished, finish };
}
