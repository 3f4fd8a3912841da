import type { MessageRequest } from "./message-request.ts";

export const USUAL_MODEL = "claude-sonnet-5";

/** A short request for the first call with a key. */
export function makeFirstRequest(model = USUAL_MODEL): MessageRequest {
  return { model, max_tokens: 200, messages: [{ role: "user", content: "Hello, Claude" }] };
}

/**
 * Returns a model that a key may call, or null. `allowed` has names and prefixes with `*`. Null: all models. Prefixes select a
 * model among the `known` ones.
 */
export function findUsableModel(
  allowed: readonly string[] | null,
  known: readonly string[] = [],
): string | null {
  if (allowed === null || allowed.some((name) => isMatch(name, USUAL_MODEL))) return USUAL_MODEL;
  const named = allowed.find((name) => !name.endsWith("*"));
  return named ?? known.find((model) => allowed.some((name) => isMatch(name, model))) ?? null;
}

function isMatch(name: string, model: string): boolean {
  return name.endsWith("*") ? model.startsWith(name.slice(0, -1)) : name === model;
}
