// Moments of a response: which events are sent when, and how much is billed by then. Generation depends on time alone. A
// client that reads slowly or leaves does not slow it down.

/** One moment of a response. The counts are those billed up to it. */
export interface Moment {
  /** Milliseconds since the arrival of the request. */
  atMs: number;
  /** Events to send. Empty: tokens that no event shows. */
  text: string;
  outputTokens: number;
  /** Model calls that have begun. */
  calls: number;
  searches: number;
}

const TOKENS_PER_DELTA = 5;
const CHARS_PER_TOKEN = 4;
/** Interval in which hidden tokens are billed. */
const HIDDEN_EVERY_MS = 100;
const PING_EVERY_MS = 5_000;
const WORDS = "the total of the invoice and its date are in the wrong month of the report ";

/** A block of a stream whose text is sent in deltas. */
export interface ShownBlock {
  /** The block as its first event has it. */
  block: object;
  tokens: number;
  toDelta: (piece: string) => object;
  /** Text around the generated one, such as the rest of a JSON object. */
  around?: readonly [string, string];
}

/** Writes the moments of one response, one after another. */
export class Timeline {
  readonly moments: Moment[] = [];
  calls = 1;
  searches = 0;
  outputTokens = 0;
  #atMs: number;
  #index = 0;
  readonly #tokensPerMs: number;
  readonly #maxTokens: number;

  constructor(options: { firstTokenMs: number; tokensPerSecond: number; maxTokens: number }) {
    this.#atMs = options.firstTokenMs;
    this.#tokensPerMs = options.tokensPerSecond / 1_000;
    this.#maxTokens = options.maxTokens;
  }

  add(text: string): void {
    const { outputTokens, calls, searches } = this;
    this.moments.push({ atMs: this.#atMs, text, outputTokens, calls, searches });
  }

  wait(ms: number): void {
    this.#atMs += ms;
  }

  /** Generates tokens that no event shows. */
  hide(tokens: number): void {
    const each = Math.max(1, Math.floor(this.#tokensPerMs * HIDDEN_EVERY_MS));
    let pingAtMs = this.#atMs + PING_EVERY_MS;
    for (let left = tokens; left > 0; left -= each) {
      if (this.#generate(Math.min(each, left)) === 0) return;
      const isDue = this.#atMs >= pingAtMs;
      if (isDue) pingAtMs += PING_EVERY_MS;
      this.add(isDue ? formatEvent("ping", {}) : "");
    }
  }

  /** Sends a block whose tokens are in its deltas. Returns its text. */
  show({ block, tokens, toDelta, around: [before, after] = ["", ""] }: ShownBlock): string {
    this.start(block);
    if (before !== "") this.delta(toDelta(before));
    let text = "";
    for (let left = tokens; left > 0; left -= TOKENS_PER_DELTA) {
      const fitting = this.#generate(Math.min(TOKENS_PER_DELTA, left));
      if (fitting === 0) break;
      const piece = takeWords(text.length, fitting * CHARS_PER_TOKEN);
      text += piece;
      this.delta(toDelta(piece));
    }
    if (after !== "") this.delta(toDelta(after));
    this.stop();
    return before + text + after;
  }

  start(block: object): void {
    this.add(formatEvent("content_block_start", { index: this.#index, content_block: block }));
  }

  delta(delta: object): void {
    this.add(formatEvent("content_block_delta", { index: this.#index, delta }));
  }

  stop(): void {
    this.add(formatEvent("content_block_stop", { index: this.#index }));
    this.#index += 1;
  }

  /** Takes the time of the tokens, and returns how many fit into `max_tokens`. */
  #generate(tokens: number): number {
    const fitting = Math.min(tokens, this.#maxTokens - this.outputTokens);
    this.outputTokens += fitting;
    this.#atMs += fitting / this.#tokensPerMs;
    return fitting;
  }
}

export function formatEvent(name: string, fields: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...fields })}\n\n`;
}

/** Text of this length, as the part of an endless text from `from` on. */
export function takeWords(from: number, chars: number): string {
  const start = from % WORDS.length;
  return WORDS.repeat(Math.ceil((start + chars) / WORDS.length)).slice(start, start + chars);
}
