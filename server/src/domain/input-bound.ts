import type { HoldRequest } from "./hold-request.ts";

// How many tokens the prompt of a request can be, without counting them. What is assumed of the API, and tested nowhere
// but there: its tokenizer works on bytes, so that text never has more tokens than bytes; what it writes around a
// message, a block or a tool input is shorter than the JSON that stands for it; sealed thinking opens to no more tokens
// than it has characters. Should that be wrong once, the overrun is counted and shown like any other.

/**
 * What the API adds by itself: its frame around the conversation, the instructions for thinking and for structured
 * output. Each is a few hundred tokens at most.
 */
const FRAME_TOKENS = 2_048;
/** With at least one tool: 159 to 804 tokens by model, 804 for Opus 4.7 with a forced tool (pricing page). */
const TOOL_FRAME_TOKENS = 2_048;
/** What a definition is written with beyond its own bytes: `{"name":"a","input_schema":{}}` is 30 of them. */
const TOKENS_PER_TOOL = 32;
/** bash 245, text editor 700, computer 735 and up to 499 more in the system prompt (pages of these tools). */
const TOKENS_PER_BUILT_IN_TOOL = 2_048;
/** A toolset of the browser has two dozen tools of about that size. */
const TOKENS_PER_TOOLSET = 32_768;
/** A document to be cited is cut into sentences, each with a mark of its own: one more token for each byte of it. */
const CITATION_TOKENS_PER_BYTE = 1;
/** `count_tokens` is an estimate that "may differ by a small amount": a twentieth, and never less than this. */
const COUNT_MARGIN_TOKENS = 1_024;
const COUNT_MARGIN_DIVISOR = 20;

/**
 * bytes: the bytes and images of the body. window: they are more than the context window. url, file, opaque: the body
 * does not show how much there is, so it is the whole window. counted: `count_tokens`, with its margin.
 */
export type InputBasis = "bytes" | "window" | "url" | "file" | "opaque" | "counted";

export interface InputBound {
  /** Of one call. A prompt beyond the context window is refused by the API and costs nothing. */
  tokens: number;
  basis: InputBasis;
}

export function boundInput(
  request: HoldRequest,
  limits: { contextTokens: number; imageTokens: number },
): InputBound {
  const { contextTokens } = limits;
  const opaque = opaqueBasis(request);
  if (opaque) return { tokens: contextTokens, basis: opaque };
  const tokens =
    Math.max(0, request.bodyBytes - request.imageDataBytes - request.outsidePromptBytes) +
    request.imageCount * limits.imageTokens +
    request.citedBytes * CITATION_TOKENS_PER_BYTE +
    FRAME_TOKENS +
    toolTokens(request);
  return tokens < contextTokens
    ? { tokens, basis: "bytes" }
    : { tokens: contextTokens, basis: "window" };
}

/** The smaller of the bound and what `count_tokens` said of the same body and the same model, with its margin. */
export function tightenInput(bound: InputBound, countedTokens: number): InputBound {
  const margin = Math.max(COUNT_MARGIN_TOKENS, Math.ceil(countedTokens / COUNT_MARGIN_DIVISOR));
  const tokens = countedTokens + margin;
  return tokens < bound.tokens ? { tokens, basis: "counted" } : bound;
}

function opaqueBasis({ markers }: HoldRequest): InputBasis | null {
  if (markers.hasUrlSource) return "url";
  if (markers.hasFileIds) return "file";
  return markers.hasOpaqueSource || markers.hasThread ? "opaque" : null;
}

function toolTokens(request: HoldRequest): number {
  if (request.toolCount === 0) return 0;
  const { toolCount, builtInToolCount, toolsetCount, repeatedToolCount } = request;
  return (
    TOOL_FRAME_TOKENS +
    toolCount * TOKENS_PER_TOOL +
    builtInToolCount * TOKENS_PER_BUILT_IN_TOOL +
    toolsetCount * TOKENS_PER_TOOLSET +
    (repeatedToolCount === 0 ? 0 : repeatedToolCount * largestToolTokens(request))
  );
}

/** Most tokens of one tool definition of the request. */
function largestToolTokens({
  largestToolBytes,
  builtInToolCount,
  toolsetCount,
}: HoldRequest): number {
  const ownTokens =
    toolsetCount > 0 ? TOKENS_PER_TOOLSET : builtInToolCount > 0 ? TOKENS_PER_BUILT_IN_TOOL : 0;
  return largestToolBytes + TOKENS_PER_TOOL + ownTokens;
}
