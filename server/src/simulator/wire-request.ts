import { SimulatedError } from "./simulated-error.ts";

// Reads a client's request. No field is trusted, and errors have the official words of the API.

export interface WireRequest {
  model: string;
  max_tokens?: number;
  messages: WireMessage[];
  system?: unknown;
  stream?: unknown;
  stop_sequences?: unknown;
  tools?: unknown;
  tool_choice?: unknown;
  thinking?: unknown;
  metadata?: unknown;
  output_config?: unknown;
  output_format?: unknown;
  service_tier?: unknown;
  speed?: unknown;
  inference_geo?: unknown;
  cache_control?: unknown;
  context_management?: unknown;
  safeguards?: unknown;
  container?: unknown;
  thread?: unknown;
  fallbacks?: unknown;
}

export interface WireMessage {
  role: "user" | "assistant" | "system";
  content: string | readonly object[];
}

/** Any object whose fields are read singly. */
export interface WireBlock {
  type?: unknown;
  text?: unknown;
  thinking?: unknown;
  source?: unknown;
  file_id?: unknown;
  skill_id?: unknown;
  skills?: unknown;
  version?: unknown;
  id?: unknown;
  previous_message_id?: unknown;
  content?: unknown;
  name?: unknown;
  input?: unknown;
  input_schema?: unknown;
  cache_control?: unknown;
  ttl?: unknown;
  budget_tokens?: unknown;
  display?: unknown;
  user_id?: unknown;
  format?: unknown;
  schema?: unknown;
  data?: unknown;
  tool_name?: unknown;
  custom_id?: unknown;
  params?: unknown;
  disable_parallel_tool_use?: unknown;
  properties?: unknown;
}

/** Reads a request. Throws SimulatedError(400) with the official words for a body that `/v1/messages` refuses. */
export function readRequest(body: Buffer | object, needsMaxTokens: boolean): WireRequest {
  const fields = asFields(Buffer.isBuffer(body) ? parseJson(body) : body);
  if (fields === null) throw refuse("Input should be an object");
  const request = fields as Partial<WireRequest> & WireBlock;
  if (request.model === undefined) throw refuse("model: Field required");
  if (typeof request.model !== "string") throw refuse("model: Input should be a valid string");
  if (request.model === "") throw refuse("model: String should have at least 1 character");
  if (needsMaxTokens) checkMaxTokens(request.max_tokens);
  checkMessages(request.messages, asFields(request.thread)?.type === "continue" ? 0 : 1);
  if (request.stream !== undefined && typeof request.stream !== "boolean") {
    throw refuse("stream: Input should be a valid boolean");
  }
  if (request.tools !== undefined && !Array.isArray(request.tools)) {
    throw refuse("tools: Input should be a valid list");
  }
  if (needsMaxTokens) checkThinking(asFields(request.thinking), request.max_tokens ?? 0);
  return request as WireRequest;
}

export function asFields(value: unknown): WireBlock | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
}

/** Objects of a list. Other values in it are ignored. */
export function blocksOf(value: unknown): WireBlock[] {
  if (!Array.isArray(value)) return [];
  return value.map(asFields).filter((block) => block !== null);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw refuse("The request body is not valid JSON.");
  }
}

function checkMaxTokens(value: unknown): void {
  if (value === undefined) throw refuse("max_tokens: Field required");
  if (!Number.isInteger(value)) throw refuse("max_tokens: Input should be a valid integer");
  if ((value as number) < 0) throw refuse("max_tokens: Input should be greater than or equal to 0");
}

function checkMessages(messages: unknown, least: number): void {
  if (messages === undefined) throw refuse("messages: Field required");
  if (!Array.isArray(messages)) throw refuse("messages: Input should be a valid list");
  if (messages.length < least) throw refuse("messages: at least one message is required");
  for (const [index, value] of messages.entries()) {
    const at = `messages.${index}`;
    const message: { role?: unknown; content?: unknown } | null = asFields(value);
    if (message === null) throw refuse(`${at}: Input should be an object`);
    if (message.role === undefined) throw refuse(`${at}.role: Field required`);
    if (!["user", "assistant", "system"].includes(message.role as string)) {
      throw refuse(`${at}.role: Input should be 'user', 'assistant' or 'system'`);
    }
    checkContent(message.content, `${at}.content`);
  }
}

function checkContent(content: unknown, at: string): void {
  if (content === undefined) throw refuse(`${at}: Field required`);
  if (typeof content === "string") return;
  if (!Array.isArray(content)) throw refuse(`${at}: Input should be a valid list`);
  for (const [index, value] of content.entries()) {
    const block = asFields(value);
    if (block === null) throw refuse(`${at}.${index}: Input should be an object`);
    if (typeof block.type !== "string") throw refuse(`${at}.${index}.type: Field required`);
    if (block.type === "text" && typeof block.text !== "string") {
      throw refuse(`${at}.${index}.text.text: Field required`);
    }
  }
}

const MIN_THINKING_TOKENS = 1_024;

function checkThinking(thinking: WireBlock | null, maxTokens: number): void {
  if (thinking?.type !== "enabled") return;
  const budget = thinking.budget_tokens;
  if (budget === undefined) throw refuse("thinking.enabled.budget_tokens: Field required");
  if (typeof budget !== "number" || budget < MIN_THINKING_TOKENS) {
    throw refuse(
      `thinking.enabled.budget_tokens: Input should be greater than or equal to ${MIN_THINKING_TOKENS}`,
    );
  }
  if (budget >= maxTokens) {
    throw refuse("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
}

export function refuse(message: string): SimulatedError {
  return new SimulatedError(400, message);
}
