import { makeUsageReader, type UsageSeen } from "#src/gateway/read-usage.ts";

// A response as JSON and as a stream, the usage that it bills, and what a reader sees of other bytes.

export const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5",
  content: [{ type: "text", text: 'usage: {"input_tokens": 1}' }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: {
    input_tokens: 12,
    cache_creation_input_tokens: 30,
    cache_read_input_tokens: 40,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    output_tokens: 7,
    service_tier: "standard",
    inference_geo: "us",
    speed: null,
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
  },
};

export const billed = {
  model: "claude-sonnet-5",
  total: {
    inputTokens: 12,
    cacheWrite5mTokens: 10,
    cacheWrite1hTokens: 20,
    cacheReadTokens: 40,
    outputTokens: 7,
    webSearches: 2,
  },
  iterations: null,
  serviceTier: "standard",
  inferenceGeo: "us",
  speed: null,
};

export const nothing: UsageSeen = {
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

export const start = event("message_start", {
  message: {
    ...message,
    content: [],
    stop_reason: null,
    usage: { ...message.usage, output_tokens: 1 },
  },
});
export const textBlock = (...texts: string[]) => [
  event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  ...texts.map((text) =>
    event("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  ),
  event("content_block_stop", { index: 0 }),
];
export const end = [
  event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 7 } }),
  event("message_stop", {}),
];
export const stream = [
  start,
  event("ping", {}),
  ...textBlock("Hello", ", wörld", 'a "b"\n'),
  ...end,
].join("");

interface Options {
  isStream?: boolean;
  contentEncoding?: string;
  requestedModel?: string;
}

export function read(text: string, options: Options = {}): Promise<UsageSeen> {
  return readChunks([Buffer.from(text)], options);
}

export async function readChunks(
  chunks: readonly Buffer[],
  options: Options = {},
): Promise<UsageSeen> {
  const reader = makeUsageReader({ isStream: true, ...options });
  for (const chunk of chunks) reader.push(chunk);
  return reader.finish();
}

/** Formats an event of a stream. */
export function event(name: string, fields: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...fields })}\n\n`;
}

/** Splits bytes at these places. */
export function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  const bounds = [0, ...places, bytes.length];
  return bounds.slice(1).map((to, i) => bytes.subarray(bounds[i], to));
}

/** Returns the escapes of a character in JSON. */
export function escapeUnicode(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
