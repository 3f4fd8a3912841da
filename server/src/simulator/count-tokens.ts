import { asFields, blocksOf, type WireBlock, type WireRequest } from "./wire-request.ts";

// Plausible and deterministic token counts: a quarter of the bytes, with the known overheads of the real API. The real
// tokenizer is not public.

const BYTES_PER_TOKEN = 4;
const REQUEST_OVERHEAD = 4;
const BLOCK_OVERHEAD = 3;
const TOOLS_OVERHEAD = 340;
const IMAGE_TOKENS = 1_500;
const PDF_BYTES_PER_TOKEN = 40;

/** A part of a prompt in cache order: tools, system, messages. */
export interface PromptBlock {
  tokens: number;
  /** Set if the prompt cache has a breakpoint after this block. */
  ttl: "5m" | "1h" | null;
  /** Identity of the block's content. Computed only for cached prompts. */
  identity(): string;
}

/** Splits a request's prompt to blocks and counts its tokens. */
export function readPrompt(request: WireRequest): { blocks: PromptBlock[]; tokens: number } {
  const tools = blocksOf(request.tools);
  const blocks = tools.map((tool) => toPromptBlock("tool", tool, textTokens(JSON.stringify(tool))));
  blocks.push(...contentBlocks("system", request.system));
  for (const message of request.messages)
    blocks.push(...contentBlocks(message.role, message.content));
  const last = blocks.at(-1);
  const requestTtl = ttlOf(request.cache_control);
  if (last && requestTtl !== null) last.ttl ??= requestTtl;
  const overhead = REQUEST_OVERHEAD + (tools.length > 0 ? TOOLS_OVERHEAD : 0);
  const first = blocks[0];
  if (first) first.tokens += overhead;
  return { blocks, tokens: blocks.reduce((sum, block) => sum + block.tokens, 0) };
}

function textTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** Counts images in a request's content, including those in tool results. */
export function countImages(value: unknown): number {
  return blocksOf(value).reduce(
    (sum, block) => sum + (block.type === "image" ? 1 : countImages(block.content)),
    0,
  );
}

function contentBlocks(role: string, content: unknown): PromptBlock[] {
  if (typeof content === "string") {
    return [toPromptBlock(role, { type: "text", text: content }, textTokens(content))];
  }
  return blocksOf(content).map((block) => toPromptBlock(role, block, blockTokens(block)));
}

function toPromptBlock(role: string, block: WireBlock, tokens: number): PromptBlock {
  return {
    tokens: tokens + BLOCK_OVERHEAD,
    ttl: ttlOf(block.cache_control),
    identity: () => JSON.stringify([role, { ...block, cache_control: undefined }]),
  };
}

function blockTokens(block: WireBlock): number {
  switch (block.type) {
    case "text":
      return textTokens(typeof block.text === "string" ? block.text : "");
    case "image":
      return IMAGE_TOKENS;
    case "document":
      return documentTokens(asFields(block.source));
    case "tool_result":
      if (typeof block.content === "string") return textTokens(block.content);
      return blocksOf(block.content).reduce((sum, inner) => sum + blockTokens(inner), 0);
    case "thinking":
    case "redacted_thinking":
      return 0; // of earlier turns, which the real API does not count either
    default:
      return textTokens(JSON.stringify(block));
  }
}

function documentTokens(source: WireBlock | null): number {
  const data = typeof source?.data === "string" ? source.data : "";
  if (source?.type === "text") return textTokens(data);
  if (source?.type === "base64") return Math.ceil(data.length / PDF_BYTES_PER_TOKEN);
  const content = source?.content;
  if (typeof content === "string") return textTokens(content);
  return blocksOf(content).reduce((sum, inner) => sum + blockTokens(inner), 0) || IMAGE_TOKENS;
}

function ttlOf(cacheControl: unknown): "5m" | "1h" | null {
  const fields = asFields(cacheControl);
  if (fields === null) return null;
  return fields.ttl === "1h" ? "1h" : "5m";
}
