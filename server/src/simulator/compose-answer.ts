import { hash } from "node:crypto";
import {
  chooseToolCalls,
  findLastUserText,
  listLastToolResults,
  type ToolCall,
  textOf,
} from "./choose-tool.ts";
import { countImages } from "./count-tokens.ts";
import type { Directives } from "./directives.ts";
import type { CodeRun } from "./objects/containers.ts";
import { makeSampleValue } from "./sample-value.ts";
import { asFields, type WireRequest } from "./wire-request.ts";

// Composes responses. The same request gets the same response, byte for byte, including ids.

/** A content block with its pieces in a stream. One piece is one token. */
export type AnswerBlock =
  | { type: "text"; pieces: readonly string[] }
  | { type: "thinking"; pieces: readonly string[]; isOmitted: boolean; signature: string }
  | { type: "tool_use" | "server_tool_use"; pieces: readonly string[]; id: string; name: string }
  | { type: "code_result"; toolUseId: string; run: CodeRun };

export interface Answer {
  blocks: AnswerBlock[];
  stopReason: "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "refusal";
  stopSequence: string | null;
  outputTokens: number;
  /** Null: no thinking was requested. */
  thinkingTokens: number | null;
}

const MAX_QUOTED_CHARACTERS = 160;
const TOOL_CALL_TOKENS = 12;

/** Maximum length of one token. Longer words are split. */
const piecePattern = /\s*\S{1,8}|\s+$/gu;

const vocabulary =
  "the desk keeps count of every token that passes and each of them has its price in the book".split(
    " ",
  );

/** Facts outside the request's body, or read from it before. */
export interface AnswerContext {
  directives: Directives | null;
  promptTokens: number;
  /** Seed of the ids. */
  seed: string;
  /** True if the client is Claude Code or the Agent SDK. */
  isAgent: boolean;
  /** Null: the response runs no code. */
  run: CodeRun | null;
}

/** Composes a response. Throws SimulatedError if the request asks for a missing tool. */
export function composeAnswer(request: WireRequest, context: AnswerContext): Answer {
  const { directives, promptTokens, seed, isAgent, run } = context;
  const answer: Answer = {
    blocks: [],
    stopReason: "end_turn",
    stopSequence: null,
    outputTokens: 0,
    thinkingTokens: null,
  };
  if (directives?.isRefusal) return { ...answer, stopReason: "refusal", outputTokens: 1 };
  const budget = request.max_tokens ?? 0;
  addThinking(answer, request, budget);
  if (run !== null) addCodeRun(answer, run, budget, seed);
  const calls = chooseToolCalls(request, isAgent);
  if (calls.length > 0) addToolCalls(answer, calls, budget, seed);
  else
    addText(answer, composeText(request, directives, promptTokens), request.stop_sequences, budget);
  return answer;
}

function isThinking(request: WireRequest): boolean {
  const type = asFields(request.thinking)?.type;
  return type !== undefined && type !== "disabled";
}

function addThinking(answer: Answer, request: WireRequest, budget: number): void {
  if (!isThinking(request) || budget === 0) return;
  const text = `The user has sent ${request.messages.length} message(s). A simulator does not think, but it shows how thinking arrives.`;
  const pieces = toPieces(text).slice(0, budget);
  answer.blocks.push({
    type: "thinking",
    pieces,
    isOmitted: asFields(request.thinking)?.display === "omitted",
    signature: hash("sha256", pieces.join(""), "base64"),
  });
  answer.thinkingTokens = pieces.length;
  addOutputTokens(answer, pieces.length, budget);
}

function addText(answer: Answer, pieces: readonly string[], stops: unknown, budget: number): void {
  if (answer.stopReason === "max_tokens" || budget === 0) {
    answer.stopReason = "max_tokens";
    return;
  }
  const stop = findStop(pieces.join(""), stops);
  const spoken = stop === null ? pieces : toPieces(pieces.join("").slice(0, stop.at));
  const room = budget - answer.outputTokens;
  const isCut = spoken.length > room;
  answer.blocks.push({ type: "text", pieces: isCut ? spoken.slice(0, room) : spoken });
  addOutputTokens(answer, Math.max(1, spoken.length), budget);
  if (isCut) answer.stopReason = "max_tokens";
  else if (stop !== null) {
    answer.stopReason = "stop_sequence";
    answer.stopSequence = stop.sequence;
  } else answer.stopReason = "end_turn";
}

function addToolCalls(
  answer: Answer,
  calls: readonly ToolCall[],
  budget: number,
  seed: string,
): void {
  if (answer.stopReason === "max_tokens" || budget === 0) {
    answer.stopReason = "max_tokens";
    return;
  }
  answer.stopReason = "tool_use";
  for (const [index, { name, input }] of calls.entries()) {
    const pieces = toPieces(JSON.stringify(input));
    const id = hash("sha256", index === 0 ? `tool ${seed}` : `tool ${index} ${seed}`, "hex");
    answer.blocks.push({ type: "tool_use", pieces, id: `toolu_${id.slice(0, 24)}`, name });
    addOutputTokens(answer, TOOL_CALL_TOKENS + pieces.length, budget);
  }
}

function addCodeRun(answer: Answer, run: CodeRun, budget: number, seed: string): void {
  if (answer.stopReason === "max_tokens" || budget === 0) return;
  const id = `srvtoolu_${hash("sha256", `code ${seed}`, "hex").slice(0, 24)}`;
  const input = run.tool === "code_execution" ? { code: "print('simulated')" } : { command: "pwd" };
  const pieces = toPieces(JSON.stringify(input));
  answer.blocks.push({ type: "server_tool_use", pieces, id, name: run.tool });
  answer.blocks.push({ type: "code_result", toolUseId: id, run });
  addOutputTokens(answer, TOOL_CALL_TOKENS + pieces.length, budget);
}

function addOutputTokens(answer: Answer, tokens: number, budget: number): void {
  answer.outputTokens += tokens;
  if (answer.outputTokens < budget) return;
  answer.outputTokens = budget;
  if (answer.stopReason === "end_turn") answer.stopReason = "max_tokens";
}

function composeText(
  request: WireRequest,
  directives: Directives | null,
  promptTokens: number,
): readonly string[] {
  if (directives?.words != null) return makeWordPieces(directives.words);
  const format = asFields(asFields(request.output_config)?.format ?? request.output_format);
  if (format?.type === "json_schema")
    return toPieces(JSON.stringify(makeSampleValue(format.schema, "answer")));
  const images = request.messages.reduce((sum, message) => sum + countImages(message.content), 0);
  const written = quoteText(findLastUserText(request));
  const returned = quoteText(findLastResultText(request));
  return toPieces(
    [
      "This is Bursar's built-in simulator: no Claude model was called and nothing was spent.",
      `Your prompt has ${request.messages.length} message(s) and about ${promptTokens} tokens.`,
      images > 0 ? `The prompt shows ${images} image(s).` : "",
      returned === "" ? "" : `The tool returned: ${returned}`,
      written === "" ? "" : `You wrote: ${written}`,
    ]
      .filter((sentence) => sentence !== "")
      .join(" "),
  );
}

function quoteText(text: string | null): string {
  return (text ?? "").trim().slice(0, MAX_QUOTED_CHARACTERS).toWellFormed();
}

/** Text of the newest tool result in the last message. */
function findLastResultText(request: WireRequest): string {
  return textOf(listLastToolResults(request).at(-1)?.content);
}

function makeWordPieces(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const word = vocabulary[i % vocabulary.length] ?? "";
    return i === 0 ? word : ` ${word}`;
  });
}

function toPieces(text: string): string[] {
  return text.match(piecePattern) ?? [];
}

/** Finds the first stop sequence in the text. */
function findStop(text: string, stops: unknown): { at: number; sequence: string } | null {
  if (!Array.isArray(stops)) return null;
  let found: { at: number; sequence: string } | null = null;
  for (const sequence of stops) {
    if (typeof sequence !== "string" || sequence === "") continue;
    const at = text.indexOf(sequence);
    if (at !== -1 && (found === null || at < found.at)) found = { at, sequence };
  }
  return found;
}
