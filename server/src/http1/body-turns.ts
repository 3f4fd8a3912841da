// Turns of the event loop in which bodies of requests are read. Node reads up to 2 MB of each socket in one turn. With 32
// clients that sent 32 MB each, a turn took 60 ms, and requests of all other clients waited for its end.

/** Bytes of all bodies that one turn reads, in about a millisecond. */
const TURN_BYTES = 1024 * 1024;
/** Connections that one turn continues. Each then reads 64 KB or more. */
const CONTINUED = 8;

/** Connection whose body arrives. */
export interface TurnReader {
  /** Reads no more bytes until `continueReading`. */
  waitForTurn(): void;
  continueReading(): void;
}

export class BodyTurns {
  #bytes = 0;
  #isScheduled = false;
  /** In order. Closed connections stay until their turn. */
  readonly #waiting: TurnReader[] = [];

  /** Counts bytes of a body that does not end with them. Its connection waits if the turn has read enough. */
  count(reader: TurnReader, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > TURN_BYTES) {
      reader.waitForTurn();
      this.#waiting.push(reader);
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#startTurn);
  }

  readonly #startTurn = (): void => {
    this.#isScheduled = false;
    this.#bytes = 0;
    for (const reader of this.#waiting.splice(0, CONTINUED)) reader.continueReading();
    if (this.#waiting.length > 0) this.#schedule();
  };
}
