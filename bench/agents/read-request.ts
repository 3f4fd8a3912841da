import { readPrompt } from "../../server/src/simulator/count-tokens.ts";
import type { PromptCache } from "../../server/src/simulator/prompt-cache.ts";
import {
  asFields,
  blocksOf,
  readRequest,
  type WireRequest,
} from "../../server/src/simulator/wire-request.ts";
import type { AnswerRequest } from "./plan-answer.ts";

/** Length of a title and of other answers to requests without tools. */
const SIDE_ANSWER_TOKENS = 14;

export interface ReadRequest {
  answer: AnswerRequest;
  isStream: boolean;
  session: string | null;
}

export function countPrompt(body: Buffer): number {
  return readPrompt(readRequest(body, false)).tokens;
}

/** Reads a request and charges its prompt to the cache. Throws a SimulatedError for a body that the API refuses. */
export function readMessage(
  body: Buffer,
  context: {
    messageId: string;
    cache: PromptCache;
    nowMs: number;
    /** Length of every answer. Null: by the request. */
    fixedTokens: number | null;
  },
): ReadRequest {
  const request = readRequest(body, true);
  const { model } = request;
  const prompt = context.cache.use(model, readPrompt(request).blocks, context.nowMs);
  const tools = blocksOf(request.tools);
  const webSearch = tools.find(({ type }) => String(type).startsWith("web_search"));
  const ownTools = tools.filter(({ type }) => type === undefined || type === "custom");
  const maxTokens = request.max_tokens ?? 0;
  const sideTokens = tools.length === 0 ? SIDE_ANSWER_TOKENS : null;
  return {
    answer: {
      messageId: context.messageId,
      model,
      maxTokens,
      prompt,
      fixedTokens: context.fixedTokens ?? sideTokens,
      hasThinking: ["adaptive", "enabled"].includes(String(asFields(request.thinking)?.type)),
      thinkingTokens: readBudget(request),
      hasSafeguards: blocksOf(request.safeguards).length > 0,
      hasContextManagement: asFields(request.context_management) !== null,
      tool: nameOf(ownTools.find(({ name }) => name === "Bash") ?? ownTools[0]),
      hasWebSearch: webSearch !== undefined,
    },
    isStream: request.stream === true,
    session: readSession(request),
  };
}

/** Thinking of exactly this length. Null: adaptive. */
function readBudget({ thinking }: WireRequest): number | null {
  const budget = asFields(thinking)?.budget_tokens;
  return typeof budget === "number" ? budget : null;
}

function nameOf(tool: { name?: unknown } | undefined): string | null {
  return typeof tool?.name === "string" ? tool.name : null;
}

/** Claude Code sends `metadata.user_id` as the text of a JSON object. */
function readSession({ metadata }: WireRequest): string | null {
  const userId = asFields(metadata)?.user_id;
  if (typeof userId !== "string") return null;
  try {
    const { session_id: session } = JSON.parse(userId) as { session_id?: unknown };
    return typeof session === "string" ? session : null;
  } catch {
    return userId;
  }
}
