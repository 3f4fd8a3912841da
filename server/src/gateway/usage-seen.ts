import type { BilledUsage } from "#src/domain/usage.ts";

// What the readers of answers have in common.

/** What is known of the usage of one answer once its last byte, or its cut, was seen. */
export interface UsageSeen {
  /** null: no usage was seen, so nothing can be billed from it. */
  usage: BilledUsage | null;
  /** The answer was seen to its end: `message_stop` of a stream, or the whole of a JSON text. */
  isComplete: boolean;
  hasMessageStart: boolean;
  /** A `message_delta` named the reason why the model stopped: the output tokens are exact, whatever is cut after it. */
  isOutputFinal: boolean;
  /** Bytes of UTF-8 of generated text, thinking and tool input in the stream: a bound of its visible output tokens. */
  outputBytes: number;
  /** Searches that the stream shows to have begun, without those that failed. */
  webSearches: number;
  /** A block began whose tokens are not bounded by its bytes: thinking, or a kind that is not known. */
  hasHiddenThinking: boolean;
  /** Nothing of an event is pending: an event of our own may be appended. Never true for an encoded answer. */
  isAtEventBoundary: boolean;
  /** `error.type` of an `event: error`, or of an answer that is an error. */
  errorType: string | null;
  /** False when the answer could not be read: an encoding that is not known or broken, or beyond the bounds below. */
  isReadable: boolean;
}

export interface UsageReader {
  /** The bytes of the next chunk, which must not change afterwards. Kept only as far as needed. */
  push(chunk: Buffer): void;
  /** What is known so far. For an encoded answer it lags behind what was pushed. */
  readonly hasMessageStart: boolean;
  readonly isAtEventBoundary: boolean;
  /** No more chunks will come. Waits for an encoded answer only. Never rejects; may be called again, gives the same. */
  finish(): UsageSeen | Promise<UsageSeen>;
}

/** What reads the decoded bytes. */
export interface PlainReader {
  push(chunk: Buffer): void;
  readonly hasMessageStart: boolean;
  readonly isAtEventBoundary: boolean;
  finish(): UsageSeen;
}

/** What is known of an answer of which nothing was seen. */
export function nothingSeen(): UsageSeen {
  return {
    usage: null,
    isComplete: false,
    hasMessageStart: false,
    isOutputFinal: false,
    outputBytes: 0,
    webSearches: 0,
    hasHiddenThinking: false,
    isAtEventBoundary: true,
    errorType: null,
    isReadable: true,
  };
}

/** The fields of a JSON answer, of an error body or of an event's data that metering reads. All are doubted. */
export interface AnswerFields {
  type?: unknown;
  model?: unknown;
  usage?: unknown;
  error?: unknown;
  message?: unknown;
  delta?: unknown;
}

/** The object that a text holds, or null. */
export function parseObject(text: string): AnswerFields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const MAX_TYPE_CHARACTERS = 64;

/** `error.type` of an error body, bounded: it is shown and logged. */
export function errorTypeOf(body: AnswerFields): string | null {
  if (body.type !== "error") return null;
  const { error } = body;
  if (typeof error !== "object" || error === null || !("type" in error)) return "unknown";
  return typeof error.type === "string" ? error.type.slice(0, MAX_TYPE_CHARACTERS) : "unknown";
}
