import { hash } from "node:crypto";
import { countImages } from "./count-tokens.ts";
import type { Directives } from "./directives.ts";
import { sampleOf } from "./sample-value.ts";
import { SimulatedError } from "./simulated-error.ts";
import { asFields, blocksOf, type WireBlock, type WireRequest } from "./wire-request.ts";

// What the simulator says. The same request gets the same answer, byte for byte, ids included.

/** One content block, and the pieces it is streamed in. One piece is one token. */
export type AnswerBlock =
  | { type: "text"; pieces: readonly string[] }
  | { type: "thinking"; pieces: readonly string[]; isOmitted: boolean; signature: string }
  | { type: "tool_use"; pieces: readonly string[]; id: string; name: string };

export interface Answer {
  blocks: AnswerBlock[];
  stopReason: "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "refusal";
  stopSequence: string | null;
  outputTokens: number;
  /** null: no thinking was asked for. */
  thinkingTokens: number | null;
}

const MAX_QUOTED_CHARACTERS = 160;
const TOOL_CALL_TOKENS = 12;

/** Longest text of one token: longer words are several. */
const piecePattern = /\s*\S{1,8}|\s+$/gu;

const vocabulary =
  "the desk keeps count of every token that passes and each of them has its price in the book".split(
    " ",
  );

/** Throws SimulatedError where the request asks for a tool that is not there. `seed` makes the ids. */
export function composeAnswer(
  request: WireRequest,
  directives: Directives | null,
  promptTokens: number,
  seed: string,
): Answer {
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
  const tool = chooseTool(request);
  if (tool !== null) addToolCall(answer, tool, budget, seed);
  else addText(answer, textFor(request, directives, promptTokens), request.stop_sequences, budget);
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
  spend(answer, pieces.length, budget);
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
  spend(answer, Math.max(1, spoken.length), budget);
  if (isCut) answer.stopReason = "max_tokens";
  else if (stop !== null) {
    answer.stopReason = "stop_sequence";
    answer.stopSequence = stop.sequence;
  } else answer.stopReason = "end_turn";
}

function addToolCall(answer: Answer, tool: WireBlock, budget: number, seed: string): void {
  if (answer.stopReason === "max_tokens" || budget === 0) {
    answer.stopReason = "max_tokens";
    return;
  }
  const input = JSON.stringify(sampleOf(tool.input_schema, "input"));
  const pieces = toPieces(input);
  answer.blocks.push({
    type: "tool_use",
    pieces,
    id: `toolu_${hash("sha256", `tool ${seed}`, "hex").slice(0, 24)}`,
    name: String(tool.name),
  });
  answer.stopReason = "tool_use";
  spend(answer, TOOL_CALL_TOKENS + pieces.length, budget);
}

function spend(answer: Answer, tokens: number, budget: number): void {
  answer.outputTokens += tokens;
  if (answer.outputTokens < budget) return;
  answer.outputTokens = budget;
  if (answer.stopReason === "end_turn") answer.stopReason = "max_tokens";
}

/** The tool to call: the one that is demanded, or one that the last user message names. Server tools are never run. */
function chooseTool(request: WireRequest): WireBlock | null {
  const tools = blocksOf(request.tools).filter((tool) => typeof tool.name === "string");
  const own = tools.filter((tool) => tool.input_schema !== undefined);
  const choice = asFields(request.tool_choice);
  switch (choice?.type) {
    case "none":
      return null;
    case "any":
      return own[0] ?? null;
    case "tool": {
      const tool = tools.find((candidate) => candidate.name === choice.name);
      if (tool) return tool;
      throw new SimulatedError(400, `Tool '${String(choice.name)}' not found in provided tools`);
    }
    default: {
      const text = lastUserText(request);
      return own.find((tool) => text?.includes(String(tool.name))) ?? null;
    }
  }
}

/** Text of the last message when a user wrote it; null after a tool result, so that a tool loop comes to an end. */
function lastUserText(request: WireRequest): string | null {
  const last = request.messages.at(-1);
  if (last?.role !== "user") return null;
  if (typeof last.content === "string") return last.content;
  if (last.content.some((block) => block.type === "tool_result")) return null;
  return last.content.map((block) => (typeof block.text === "string" ? block.text : "")).join("\n");
}

function textFor(
  request: WireRequest,
  directives: Directives | null,
  promptTokens: number,
): readonly string[] {
  if (directives?.words != null) return wordPieces(directives.words);
  const format = asFields(asFields(request.output_config)?.format ?? request.output_format);
  if (format?.type === "json_schema")
    return toPieces(JSON.stringify(sampleOf(format.schema, "answer")));
  const images = request.messages.reduce((sum, message) => sum + countImages(message.content), 0);
  const quoted = (lastUserText(request) ?? "")
    .trim()
    .slice(0, MAX_QUOTED_CHARACTERS)
    .toWellFormed();
  return toPieces(
    [
      "This is Bursar's built-in simulator: no Claude model was called and nothing was spent.",
      `Your prompt has ${request.messages.length} message(s) and about ${promptTokens} tokens.`,
      images > 0 ? `It shows ${images} image(s).` : "",
      quoted === "" ? "" : `You wrote: ${quoted}`,
    ]
      .filter((sentence) => sentence !== "")
      .join(" "),
  );
}

function wordPieces(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const word = vocabulary[i % vocabulary.length] ?? "";
    return i === 0 ? word : ` ${word}`;
  });
}

function toPieces(text: string): string[] {
  return text.match(piecePattern) ?? [];
}

/** The first of the stop sequences that the text reaches. */
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
