import type { HoldRequest } from "./hold-request.ts";

// Bounds the number of prompt tokens of a request without counting them. Assumptions about the API that only its
// behaviour can confirm: the tokenizer works on bytes, so text never has more tokens than bytes. Text that the API adds
// around a message, a block or a tool input is shorter than the JSON for it. Encrypted thinking has at most as many
// tokens as characters. If an assumption fails, the overrun is counted and reported like any other.

/**
 * Tokens that the API adds: the frame of the conversation, and instructions for thinking and structured output. Each is
 * a few hundred tokens at most.
 */
const FRAME_TOKENS = 2_048;
/**
 * Tokens that the API adds with at least one tool: 159 to 804 by model, 804 for Opus 4.7 with a forced tool (pricing
 * page).
 */
const TOOL_FRAME_TOKENS = 2_048;
/** Tokens added to a definition's own bytes. `{"name":"a","input_schema":{}}` has 30 bytes. */
const TOKENS_PER_TOOL = 32;
/** Documented sizes: bash 245, text editor 700, computer 735 plus up to 499 in the system prompt. */
const TOKENS_PER_BUILT_IN_TOOL = 2_048;
/** A browser toolset has two dozen tools of about that size. */
const TOKENS_PER_TOOLSET = 32_768;
/** A cited document is split into sentences, each with a mark: one more token for each byte. */
const CITATION_TOKENS_PER_BYTE = 1;
/** Margin of `count_tokens`, an estimate that "may differ by a small amount": a twentieth, at least this. */
const COUNT_MARGIN_TOKENS = 1_024;
const COUNT_MARGIN_DIVISOR = 20;

/**
 * Basis of the bound.
 * - bytes: bytes and images of the body.
 * - window: the context window, because bytes and images exceed it.
 * - url, file, opaque: the context window, because the body does not show the size.
 * - counted: `count_tokens` with its margin.
 */
export type InputBasis = "bytes" | "window" | "url" | "file" | "opaque" | "counted";

export interface InputBound {
  /** Tokens of one call. The API refuses a prompt beyond the context window without cost. */
  tokens: number;
  basis: InputBasis;
}

export function boundInput(
  request: HoldRequest,
  limits: { contextTokens: number; imageTokens: number },
): InputBound {
  const opaque = findOpaqueBasis(request);
  return opaque ? { tokens: limits.contextTokens, basis: opaque } : boundBody(request, limits);
}

/** Bounds the prompt by the bytes and images of the body. */
export function boundBody(
  request: HoldRequest,
  { contextTokens, imageTokens }: { contextTokens: number; imageTokens: number },
): InputBound {
  const tokens =
    Math.max(0, request.bodyBytes - request.imageDataBytes - request.outsidePromptBytes) +
    request.imageCount * imageTokens +
    request.citedBytes * CITATION_TOKENS_PER_BYTE +
    FRAME_TOKENS +
    countToolTokens(request);
  return tokens < contextTokens
    ? { tokens, basis: "bytes" }
    : { tokens: contextTokens, basis: "window" };
}

/** Returns the smaller of the bound and the result of `count_tokens` for the same body and model, with its margin. */
export function tightenInput(bound: InputBound, countedTokens: number): InputBound {
  const margin = Math.max(COUNT_MARGIN_TOKENS, Math.ceil(countedTokens / COUNT_MARGIN_DIVISOR));
  const tokens = countedTokens + margin;
  return tokens < bound.tokens ? { tokens, basis: "counted" } : bound;
}

function findOpaqueBasis({ markers }: HoldRequest): InputBasis | null {
  if (markers.hasUrlSource) return "url";
  if (markers.hasFileIds) return "file";
  return markers.hasOpaqueSource || markers.hasThread ? "opaque" : null;
}

function countToolTokens(request: HoldRequest): number {
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

/** Highest number of tokens of one tool definition in the request. */
function largestToolTokens({
  largestToolBytes,
  builtInToolCount,
  toolsetCount,
}: HoldRequest): number {
  const ownTokens =
    toolsetCount > 0 ? TOKENS_PER_TOOLSET : builtInToolCount > 0 ? TOKENS_PER_BUILT_IN_TOOL : 0;
  return largestToolBytes + TOKENS_PER_TOOL + ownTokens;
}
