import type { ResultSize } from "#src/domain/stream-bound.ts";
import type { BilledUsage } from "#src/domain/usage.ts";

// Types and functions that the readers of responses share.

/** Usage of one response, known after its last byte or its early end. */
export interface UsageSeen {
  /** Null: no usage is known, so the response is not billed. */
  usage: BilledUsage | null;
  /** The response was read to its end: `message_stop` of a stream, or a whole JSON text. */
  isComplete: boolean;
  hasMessageStart: boolean;
  /** A `message_delta` had the stop reason, so the output tokens are exact. */
  isOutputFinal: boolean;
  /** Bytes of generated text, thinking and tool input in the stream, UTF-8. They bound the visible output tokens. */
  outputBytes: number;
  /** Number of generated blocks that began in the stream. */
  blocks: number;
  /** Number of `server_tool_use` blocks that began in the stream. */
  serverToolUses: number;
  /** Number of started searches in the stream, without failed ones. */
  webSearches: number;
  /** A block began whose bytes do not bound its tokens: thinking, or an unknown kind. */
  hasHiddenThinking: boolean;
  /** No part of an event is pending, so the gateway can append an event. Never true for an encoded response. */
  isAtEventBoundary: boolean;
  /** `error.type` of an `event: error` or of an error response. */
  errorType: string | null;
  /** The model declined to answer. Such a response can have no usage. */
  isRefusal: boolean;
  /** False: the response could not be read. Its encoding is unknown or damaged, or it has too many bytes. */
  isReadable: boolean;
}

export interface UsageReader {
  /** Reads the next chunk. The caller must not change its bytes afterwards. */
  push(chunk: Buffer): void;
  /** State so far. For an encoded response the state lags behind the pushed bytes. */
  readonly hasMessageStart: boolean;
  readonly isAtEventBoundary: boolean;
  /** Usage so far of a stream that is not encoded. Null: any other response. */
  readonly live: LiveUsage | null;
  /** Ends the response. Waits only for an encoded one. Never rejects. Each call returns the same result. */
  finish(): UsageSeen | Promise<UsageSeen>;
}

/** Reader of decoded bytes. */
export interface PlainReader {
  push(chunk: Buffer): void;
  readonly hasMessageStart: boolean;
  readonly isAtEventBoundary: boolean;
  readonly live: LiveUsage | null;
  /** Ends the response. Each call returns the same result. */
  finish(): UsageSeen;
}

/** Usage of a running stream. */
export interface LiveUsage {
  readonly seen: Readonly<UsageSeen>;
  /** Called with the size of each result of a server tool, when the counts before it are up to date. */
  onToolResult: ((size: ResultSize) => void) | null;
}

/** Usage of a response of which nothing was read. */
export function nothingSeen(): UsageSeen {
  return {
    usage: null,
    isComplete: false,
    hasMessageStart: false,
    isOutputFinal: false,
    outputBytes: 0,
    blocks: 0,
    serverToolUses: 0,
    webSearches: 0,
    hasHiddenThinking: false,
    isAtEventBoundary: true,
    errorType: null,
    isRefusal: false,
    isReadable: true,
  };
}

/** Fields of a JSON response, an error body or an event that metering reads. Each can have any type. */
export interface AnswerFields {
  type?: unknown;
  model?: unknown;
  usage?: unknown;
  stop_reason?: unknown;
  error?: unknown;
  message?: unknown;
  delta?: unknown;
}

/** Parses a JSON object. Null: the text is no JSON object. */
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

/** `error.type` of an error body. Its length is limited, because it is shown and logged. */
export function errorTypeOf(body: AnswerFields): string | null {
  if (body.type !== "error") return null;
  const { error } = body;
  if (typeof error !== "object" || error === null || !("type" in error)) return "unknown";
  return typeof error.type === "string" ? error.type.slice(0, MAX_TYPE_CHARACTERS) : "unknown";
}
