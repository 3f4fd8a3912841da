/** Failures in a row after which an upstream is left out. */
export const MAX_FAILURES_IN_ROW = 5;
/** Time until a request may try the upstream again, milliseconds. Doubles with each failed attempt. */
export const OPEN_MS = { least: 5_000, most: 60_000 };

/** `half_open`: one request tries whether the upstream is back. */
export type CircuitState = "closed" | "open" | "half_open";

/** Facts of this node about an upstream since its last change. */
export interface HealthFacts {
  state: CircuitState;
  /** Answers of any status that is no failure. */
  answers: number;
  failures: number;
  /** Failures since the last answer. */
  failuresInRow: number;
  /** Milliseconds since the epoch. Null: none. */
  lastAnswerAtMs: number | null;
  lastFailureAtMs: number | null;
  /** Code of Node or undici, or `http_` and a status of 500 or more. Null: none. */
  lastFailure: string | null;
}

/**
 * Circuit breaker of an upstream on this node. A failure is no connection, no answer, or a status of 500 or more. A 429 and a
 * 529 are answers, because they can be about one model or one request. An upstream without an alternative is always tried.
 */
export class UpstreamHealth {
  #state: CircuitState = "closed";
  #answers = 0;
  #failures = 0;
  #failuresInRow = 0;
  #lastAnswerAtMs: number | null = null;
  #lastFailureAtMs: number | null = null;
  #lastFailure: string | null = null;
  /** Start of the state `open`, or of the attempt of `half_open`. */
  #sinceMs = 0;
  #openMs = OPEN_MS.least;

  /** True if nothing speaks against the upstream. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** True if a request may be sent while there are other upstreams. In `half_open`, one request at a time may. */
  admit(nowMs: number): boolean {
    if (this.#state === "closed") return true;
    const elapsedMs = nowMs - this.#sinceMs;
    // The clock can be set back. An attempt whose end is unknown blocks others for the longest time only.
    const waitMs = this.#state === "open" ? this.#openMs : OPEN_MS.most;
    if (elapsedMs >= 0 && elapsedMs < waitMs) return false;
    this.#state = "half_open";
    this.#sinceMs = nowMs;
    return true;
  }

  /** Records the status of an answer. */
  noteAnswer(status: number, nowMs: number): void {
    if (status >= 500 && status !== 529) {
      this.noteFailure(`http_${status}`, nowMs);
      return;
    }
    this.#answers++;
    this.#lastAnswerAtMs = nowMs;
    if (this.#failuresInRow === 0) return;
    this.#failuresInRow = 0;
    this.#state = "closed";
    this.#openMs = OPEN_MS.least;
  }

  /** Records that the upstream was not reached or did not answer. */
  noteFailure(code: string, nowMs: number): void {
    this.#failures++;
    this.#failuresInRow++;
    this.#lastFailureAtMs = nowMs;
    this.#lastFailure = code;
    if (this.#state === "half_open") {
      this.#openMs = Math.min(2 * this.#openMs, OPEN_MS.most);
      this.#open(nowMs);
    } else if (this.#state === "closed" && this.#failuresInRow >= MAX_FAILURES_IN_ROW) {
      this.#open(nowMs);
    }
  }

  /** Ends an attempt that shows nothing about the upstream, such as a request whose client left. */
  noteNothing(): void {
    // The time of `open` is over already, so the next request is the attempt.
    if (this.#state !== "half_open") return;
    this.#state = "open";
    this.#sinceMs = Number.NEGATIVE_INFINITY;
  }

  facts(): HealthFacts {
    return {
      state: this.#state,
      answers: this.#answers,
      failures: this.#failures,
      failuresInRow: this.#failuresInRow,
      lastAnswerAtMs: this.#lastAnswerAtMs,
      lastFailureAtMs: this.#lastFailureAtMs,
      lastFailure: this.#lastFailure,
    };
  }

  #open(nowMs: number): void {
    this.#state = "open";
    this.#sinceMs = nowMs;
  }
}
