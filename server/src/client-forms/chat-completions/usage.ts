import { isObject, type JsonObject } from "./read-fields.ts";

/** Usage of a chat completion. The official layer leaves the details empty. */
export interface ChatUsage {
  completion_tokens: number;
  prompt_tokens: number;
  total_tokens: number;
  completion_tokens_details: null;
  prompt_tokens_details: null;
}

/** Sums tokens of the official usage. The prompt has tokens from the cache and to the cache too. */
export function toChatUsage(usage: unknown): ChatUsage {
  const counts = isObject(usage) ? usage : {};
  const prompt =
    readCount(counts, "input_tokens") +
    readCount(counts, "cache_creation_input_tokens") +
    readCount(counts, "cache_read_input_tokens");
  const completion = readCount(counts, "output_tokens");
  return {
    completion_tokens: completion,
    prompt_tokens: prompt,
    total_tokens: prompt + completion,
    completion_tokens_details: null,
    prompt_tokens_details: null,
  };
}

function readCount(counts: JsonObject, name: string): number {
  const count = counts[name];
  return typeof count === "number" ? count : 0;
}
